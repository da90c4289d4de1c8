import { createHash } from "node:crypto";
import { parsePause } from "../../cycle/health/pause.ts";
import { parseQuarantine } from "../../cycle/health/quarantine.ts";
import type { Timetable } from "../../domain/fleet.ts";
import type { DueJob, Queue } from "./queue.ts";

/** Entries whose time differs by less than this are not moved. */
const toleranceMs = 2_000;

type PlannedQueue = Pick<Queue, "waiting" | "schedule" | "move">;

/**
 * Gives each job an entry, at the time at which it is due. The daemon that ran it last may have died before it made one.
 * @param due when each job is due, by the server's clock
 * @param busy jobs that this daemon is running
 */
export async function planEntries(
  queue: PlannedQueue,
  read: Timetable,
  { due, busy }: { readonly due: ReadonlyMap<string, number | null>; readonly busy: ReadonlySet<string> },
): Promise<void> {
  const wanted: DueJob[] = read.jobs.flatMap(({ name, inForce }) => {
    const at = due.get(name) ?? null;
    return !inForce || at === null || busy.has(name) ? [] : [{ job: name, at: Math.max(at, 0) }];
  });
  const waiting = new Map((await queue.waiting()).map(({ job, at }) => [job, at]));
  await queue.schedule(wanted.filter(({ job }) => !waiting.has(job)));
  for (const { job, at } of wanted) {
    const now = waiting.get(job);
    // A daemon with another credential may have set the earlier time, because it may try sooner than this one.
    if (now !== undefined && at > now && isRefused(read, job)) continue;
    const differs = now !== undefined && Math.abs(now - at) > toleranceMs;
    // An overdue entry is taken when a worker is free, whatever its time.
    if (differs && (now > read.now || at > read.now)) await queue.move({ job, at });
  }
}

/** `true` if the job waits because Entra or Lattice has refused a daemon's credentials, and neither has asked for a pause. */
function isRefused({ jobs: times, now }: Timetable, job: string): boolean {
  const notes = times.find(({ name }) => name === job)?.notes ?? {};
  return parseQuarantine(notes)?.access !== undefined && parsePause(notes, now) === null;
}

/**
 * Gives each job that looks for leavers an entry. Each has its own moment in the interval, so that many jobs do not look at the same time, and
 * keeps it when daemons start again.
 * @param every how often each job looks, milliseconds; `null`: never
 * @returns when each of them looks next
 */
export async function planLooks(
  queue: PlannedQueue,
  read: Timetable,
  every: ReadonlyMap<string, number | null>,
): Promise<ReadonlyMap<string, number>> {
  const waiting = new Map((await queue.waiting("leavers")).map(({ job, at }) => [job, at]));
  const missing: DueJob[] = [];
  const looks = new Map<string, number>();
  for (const { name, inForce } of read.jobs) {
    const everyMs = every.get(name) ?? null;
    const at = waiting.get(name);
    if (everyMs === null || (at === undefined && !inForce)) continue;
    const look = { job: name, at: momentAfter(read.now, name, everyMs) };
    // Further away than that: the interval is shorter now, or the server's clock was set back.
    const isFar = inForce && at !== undefined && at > read.now + everyMs + toleranceMs;
    if (at === undefined) missing.push(look);
    if (isFar) await queue.move(look, "leavers");
    looks.set(name, at === undefined || isFar ? look.at : at);
  }
  await queue.schedule(missing, "leavers");
  return looks;
}

/** The next moment of a job in intervals of this length, milliseconds since the epoch: between nothing and one interval away. */
function momentAfter(now: number, job: string, everyMs: number): number {
  const share = createHash("sha256").update(job).digest().readUInt32BE(0) / 2 ** 32;
  const moment = Math.floor(share * everyMs);
  return now + everyMs - ((((now - moment) % everyMs) + everyMs) % everyMs);
}
