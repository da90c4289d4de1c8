import type { CycleResult } from "../cycle/course/request.ts";
import { countPeople, type ReleaseRequest } from "../cycle/guard/release.ts";
import { count } from "../domain/sentence.ts";
import type { Job } from "../job/job.ts";
import { openJob } from "../job/open-job.ts";
import { type CommandIO, exitCodeOf, note } from "../process/io.ts";
import { report } from "../report/report-cycle.ts";
import { printable } from "../report/words.ts";
import type { ReportFormat } from "../report/write-report.ts";
import { commandActor } from "./command-actor.ts";
import { runWithProgress } from "./progress.ts";

export interface ReleaseOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly planId: string;
  /** Only these people are released, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** The held changes of these people are not sent as long as they are due as they were. Only people in `only` are released. */
  readonly reject?: readonly string[] | undefined;
  /** Every rejection of these people is undone, and their changes are weighed again. */
  readonly undoReject?: readonly string[] | undefined;
  /** Why, for people who ask later. */
  readonly reason?: string | undefined;
  readonly dryRun: boolean;
  readonly format: ReportFormat;
  readonly out?: string | undefined;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
  /** Runs in this process, even if daemons share the database of the job. */
  readonly here?: boolean | undefined;
}

/**
 * Releases what the guard holds of one plan, each change only while it is still the same, and runs a cycle.
 * @returns the exit code of that cycle
 * @throws UsageError if the plan holds nothing, or nothing of a person who is named
 */
export async function release(options: ReleaseOptions, io: CommandIO): Promise<number> {
  const { dryRun, waitSeconds, planId, only, reject, undoReject, reason } = options;
  const job = await openJob(io, { ...options, quiet: io.stderr.isTTY === true });
  try {
    const decision = { planId, only, reject, undoReject, reason, by: commandActor(io.env) };
    const elsewhere = await releaseElsewhere(job, decision, options, io);
    if (elsewhere !== null) return exitCodeOf(elsewhere, dryRun);
    const run = await runWithProgress(
      job,
      { dryRun, full: false, decision, waitMs: waitSeconds * 1000, signal: io.signal },
      async (ran, store) => {
        await report(store, ran.result, { ...options, mapping: job.mapping }, io);
        sayWhatBecame({ decided: countPeople(ran.decided), changedSinceHeld: ran.changedSinceHeld }, io);
      },
      io,
    );
    return exitCodeOf(run.result, dryRun);
  } finally {
    await job.close();
  }
}

/** Has a daemon that shares the database do it, and reports the result; `null` if no daemon does it. */
async function releaseElsewhere(
  job: Job,
  decision: ReleaseRequest,
  options: ReleaseOptions,
  io: CommandIO,
): Promise<CycleResult | null> {
  // Daemons do not share a state in a file, so `in-fleet.ts` is not even loaded for one.
  if (options.dryRun || options.here === true || job.statePlace.kind === "file") return null;
  const [{ runInFleet }, { releaseToAsk }] = await Promise.all([
    import("./in-fleet.ts"),
    import("../daemon/fleet/asking.ts"),
  ]);
  const ran = await runInFleet(job, (reader) => releaseToAsk(reader, decision), options, io);
  const store = ran === null ? null : await job.readState();
  if (ran === null || store === null) return ran?.result ?? null;
  try {
    await report(store, ran.result, { ...options, mapping: job.mapping }, io);
  } finally {
    await store.close();
  }
  // If an earlier daemon recorded the decision and then ended, `decided` is missing, and the report has a note instead.
  const { changedSinceHeld, decided } = ran;
  if (decided !== undefined) sayWhatBecame({ decided, changedSinceHeld }, io);
  return ran.result;
}

/** Says what became of the decision. A release is for a change as it was held: people whose change is another one now are named. */
function sayWhatBecame(
  {
    decided: { released, rejected, undone },
    changedSinceHeld: stale,
  }: {
    readonly decided: ReturnType<typeof countPeople>;
    readonly changedSinceHeld: readonly { readonly userName: string }[];
  },
  io: CommandIO,
): void {
  const undoneText = undone === 0 ? "" : ` Rejection undone: ${count(undone, "person", "people")}.`;
  note(
    io,
    `Released: ${count(released, "person", "people")}. Rejected: ${count(rejected, "person", "people")}.${undoneText}`,
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
