import { changedSinceHeld, type Release, recordRelease, resolveRelease } from "../cycle/guard/release.ts";
import type { CycleResult } from "../cycle/run.ts";
import { count } from "../domain/sentence.ts";
import type { StateStore } from "../domain/store.ts";
import { openSession, type Session } from "../job/job.ts";
import { withLease } from "../job/lease.ts";
import { toldAfterwards } from "../job/notifying.ts";
import { performCycle } from "../job/run-cycle.ts";
import { sayEvent } from "../job/say-event.ts";
import { type CommandIO, exitCodeOf, note } from "../process/io.ts";
import { report } from "../report/report-cycle.ts";
import { printable } from "../report/words.ts";
import type { ReportFormat } from "../report/write-report.ts";
import { commandActor } from "./command-actor.ts";
import { runWithProgress } from "./progress.ts";

export interface ReleaseOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly planId: string;
  /** Only these people are let go, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** What is held of these people is not sent as long as it is due as it was; nobody else is let go unless `only` says so. */
  readonly reject?: readonly string[] | undefined;
  /** Whatever was rejected of these people is taken back, and weighed again. */
  readonly undoReject?: readonly string[] | undefined;
  /** Why, for whoever asks later. */
  readonly reason?: string | undefined;
  readonly dryRun: boolean;
  readonly format: ReportFormat;
  readonly out?: string | undefined;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/**
 * Lets go what the guard holds of one plan, each change only while it is still the same, and runs a cycle.
 * @returns the exit code of that cycle
 * @throws UsageError where the plan holds nothing, or nothing of a person who is named
 */
export async function release(options: ReleaseOptions, io: CommandIO): Promise<number> {
  const session = await openSession(io, { ...options, quiet: io.stderr.isTTY === true });
  try {
    if (options.dryRun) {
      const scratch = await session.openScratchStore();
      return exitCodeOf(await releaseAndRun(session, scratch, options, io), true);
    }
    const store = await session.openStore();
    const { clock } = session;
    const run = (): Promise<CycleResult> =>
      withLease(store, clock, { signal: io.signal, waitMs: options.waitSeconds * 1000 }, (signal) =>
        releaseAndRun(session, store, options, { ...io, signal }),
      );
    const result = await toldAfterwards(session, store, { signal: io.signal }, run, async () => {});
    return exitCodeOf(result, false);
  } finally {
    await session.close();
  }
}

async function releaseAndRun(
  session: Session,
  store: StateStore,
  options: ReleaseOptions,
  io: CommandIO,
): Promise<CycleResult> {
  const decided = await resolveRelease(store, options);
  const by = commandActor(io.env);
  const event = await recordRelease(store, { ...options, by }, decided, session.clock.now());
  if (!options.dryRun) sayEvent(session.log, event);

  const result = await runWithProgress(io, (onProgress) =>
    performCycle(session, store, { dryRun: options.dryRun, full: false, signal: io.signal }, { onProgress }),
  );
  await report(store, result, { ...options, mapping: session.mapping }, io);
  await sayWhatBecame(store, result, decided, io);
  return result;
}

/** A release is for a change as it was: who has changed meanwhile is judged anew, and that must be said. */
async function sayWhatBecame(
  store: StateStore,
  result: CycleResult,
  { released, rejected, undone }: Release,
  io: CommandIO,
): Promise<void> {
  const stale = await changedSinceHeld(store, result.cycleId, released);
  const people = new Set(released.map(({ objectId }) => objectId)).size;
  const rejectedPeople = new Set(rejected.map(({ objectId }) => objectId)).size;
  const takenBack =
    undone.length === 0 ? "" : ` Rejection taken back: ${count(undone.length, "person", "people")}.`;
  note(
    io,
    `Released: ${count(people, "person", "people")}. Rejected: ${count(rejectedPeople, "person", "people")}.${takenBack}`,
  );
  if (stale.length === 0) return;
  const names = stale
    .slice(0, 20)
    .map(({ userName }) => printable(userName))
    .join(", ");
  note(
    io,
    `Not released, because the change is no longer the same: ${names}${stale.length > 20 ? ` and ${stale.length - 20} more` : ""}.`,
  );
}
