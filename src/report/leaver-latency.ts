import type { LogEntry } from "../domain/log.ts";
import { count } from "../domain/sentence.ts";
import type { StateStore } from "../domain/state/store.ts";

/** How long leavers kept their accounts, from when a deactivation was due until Lattice confirmed it. */
export interface LeaverLatency {
  /** Deactivations that were counted. */
  readonly people: number;
  /** Milliseconds within which half of them, and 99 of 100, were done. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The days of the log that the percentiles are of. */
const latencyDays = 30;

const dayMs = 86_400_000;
const pageSize = 500;
/** The most entries that are read: more than a company's leavers of a month. Older ones are left out. */
const mostEntries = 20_000;

/** The percentiles of the last days of the log; `null` if no one was deactivated in them. */
export async function readLeaverLatency(
  store: Pick<StateStore, "history">,
  now: number,
): Promise<LeaverLatency | null> {
  const found: number[] = [];
  for (let before: number | undefined, read = 0; read < mostEntries; read += pageSize) {
    const page = await store.history({
      actions: ["deactivate"],
      outcomes: ["done"],
      since: now - latencyDays * dayMs,
      ...(before === undefined ? {} : { before }),
      limit: pageSize,
    });
    found.push(...page.flatMap(latencyOf));
    if (page.length < pageSize) break;
    before = page.at(-1)?.id;
  }
  const sorted = found.sort((one, other) => one - other);
  const [least] = sorted;
  if (least === undefined) return null;
  return { people: sorted.length, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}

/** The percentiles for programs; seconds. @param latency `null` if no one was deactivated */
export function latencyDocument(latency: LeaverLatency | null) {
  return {
    days: latencyDays,
    people: latency?.people ?? 0,
    p50Seconds: latency === null ? null : latency.p50Ms / 1_000,
    p99Seconds: latency === null ? null : latency.p99Ms / 1_000,
  };
}

/** The percentiles in a sentence. */
export function latencyText({ people, p50Ms, p99Ms }: LeaverLatency): string {
  return `${count(people, "account")} deactivated in ${latencyDays} days: half within ${lasting(p50Ms)}, 99 of 100 within ${lasting(p99Ms)} of the deactivation being due`;
}

/** A duration in seconds, minutes or hours, whichever suits its length. */
function lasting(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 120) return count(Math.ceil(seconds), "second");
  if (seconds < 7_200) return count(Math.ceil(seconds / 60), "minute");
  return count(Math.ceil(seconds / 3_600), "hour");
}

/** How long each leaver of a cycle kept the account, in milliseconds. */
export async function latenciesOfCycle(
  store: Pick<StateStore, "history">,
  cycleId: number,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let before: number | undefined; ; ) {
    const page = await store.history({
      actions: ["deactivate"],
      outcomes: ["done"],
      cycleId,
      ...(before === undefined ? {} : { before }),
      limit: pageSize,
    });
    found.push(...page.flatMap(latencyOf));
    if (page.length < pageSize) return found;
    before = page.at(-1)?.id;
  }
}

/** The deactivation of an account that was reactivated by hand in Lattice says nothing about a leaver. */
function latencyOf({ evidence, finishedAt, drift }: LogEntry): readonly number[] {
  const { dueAt } = evidence ?? {};
  return dueAt === undefined || finishedAt === null || drift !== undefined
    ? []
    : [Math.max(0, finishedAt - dueAt)];
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
