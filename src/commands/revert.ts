import { revertReport } from "../cycle/reverts/revert-report.ts";
import {
  type RevertOrder,
  refuseUnderWay,
  refuseUnknownCycle,
  refuseWithoutValues,
} from "../cycle/reverts/reverts.ts";
import { UsageError } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import { configuredJob } from "../job/configured-job.ts";
import type { Job, RunRequest, RunResult } from "../job/job.ts";
import { openJob } from "../job/open-job.ts";
import { protectedByConfiguration } from "../job/settings.ts";
import { type CommandIO, exitCode, exitCodeOf, noCycleYet, note } from "../process/io.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import { writeOut } from "../report/output.ts";
import { type RevertView, revertView, writeRevert } from "../report/revert.ts";
import { layoutOf } from "../report/terminal.ts";
import { agrees, canAsk } from "./ask.ts";
import { commandActor } from "./command-actor.ts";
import { runWithProgress } from "./progress.ts";

export interface RevertOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** A cycle's number, or the id of its plan. */
  readonly which: string;
  /** Only these people, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** Accounts that the cycle has created are switched off. */
  readonly deactivateCreated: boolean;
  /** Sends even if limits of the guard are exceeded. */
  readonly release: boolean;
  /** The reason, for people who ask later. */
  readonly reason?: string | undefined;
  /** Reads the state database only. */
  readonly dryRun: boolean;
  /** Sends without a preview or a question first. */
  readonly yes: boolean;
  readonly format: "table" | "json";
  readonly out?: string | undefined;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
  /** Sends from this process, even if daemons share the database of the job. */
  readonly here?: boolean | undefined;
}

/**
 * Takes back what a cycle did. Without `yes` it shows what it would send, and sends it if a person at the terminal agrees. A dry run
 * only reads the state database: neither Entra nor Lattice is asked.
 * @returns the exit code
 * @throws UsageError if the log keeps no values, or if the cycle cannot be taken back
 */
export async function revert(options: RevertOptions, io: CommandIO): Promise<number> {
  const configured = configuredJob(io, options);
  refuseWithoutValues(configured.config.state.logValues);
  if (options.dryRun) {
    const store = await configured.readState();
    if (store === null) throw new UsageError(`${noCycleYet(configured.statePlace.name)} Nothing was done`);
    try {
      await refuseUnderWay(store, options.which, configured.clock.now());
      keepHeapSmall();
      const report = await revertReport(store, options, protectedByConfiguration(configured.config));
      await show({ report, dryRun: true, run: null }, options, io);
      return exitCode.done;
    } finally {
      await store.close();
    }
  }
  const job = await openJob(io, { ...options, quiet: io.stderr.isTTY === true });
  try {
    return await sendRevert(job, options, io);
  } finally {
    await job.close();
  }
}

async function sendRevert(job: Job, options: RevertOptions, io: CommandIO): Promise<number> {
  const { which, only, deactivateCreated, release, reason, yes, waitSeconds } = options;
  const by = commandActor(io.env);
  const order = { which, only, deactivateCreated, release, by, ...(reason === undefined ? {} : { reason }) };
  const run = async (request: Pick<RunRequest, "dryRun" | "agreed">): Promise<Pick<RunResult, "result">> =>
    (await revertElsewhere(job, order, request, options, io)) ??
    runWithProgress(
      job,
      { ...request, revert: order, full: false, waitMs: waitSeconds * 1000, signal: io.signal },
      (ran, store) => showRun(ran, store, request.dryRun, options, io),
      io,
    );
  if (!yes) {
    const { result } = await run({ dryRun: true });
    if (result.header.guard.held) {
      note(io, "Nothing was sent: it exceeds a limit of the guard. --release sends it all the same.");
      return exitCode.held;
    }
    const agreement = result.revert?.agreement;
    if (agreement === undefined || agreement.operations === 0) {
      note(io, "Nothing was sent: there is nothing to take back.");
      return exitCode.done;
    }
    if (!canAsk(options, io)) {
      note(
        io,
        "Nothing was sent: this was a dry run. To send the changes, run the command again with --yes.",
      );
      return exitCode.done;
    }
    if (!(await agrees(io))) {
      note(io, "Nothing was sent.");
      return exitCode.done;
    }
    return exitCodeOf((await run({ dryRun: false, agreed: agreement.digest })).result, false);
  }
  const { result } = await run({ dryRun: false });
  if (result.header.guard.held) note(io, "Nothing was sent. --release sends it all the same.");
  return exitCodeOf(result, false);
}

/** Has a daemon that shares the database send it, and shows the result; `null` if no daemon does it. */
async function revertElsewhere(
  job: Job,
  order: RevertOrder,
  { dryRun, agreed }: Pick<RunRequest, "dryRun" | "agreed">,
  options: RevertOptions,
  io: CommandIO,
): Promise<Pick<RunResult, "result"> | null> {
  // Daemons do not share a state in a file, so `in-fleet.ts` is not even loaded for one.
  if (dryRun || options.here === true || job.statePlace.kind === "file") return null;
  const { runInFleet } = await import("./in-fleet.ts");
  const revert = { ...order, ...(agreed === undefined ? {} : { agreed }) };
  const ran = await runInFleet(
    job,
    async (reader) => {
      await refuseUnknownCycle(reader, order);
      return { kind: "revert", request: { full: false, revert }, decision: null };
    },
    options,
    io,
  );
  const store = ran === null ? null : await job.readState();
  if (ran === null || store === null) return ran;
  try {
    await showRun(ran, store, dryRun, options, io);
  } finally {
    await store.close();
  }
  return ran;
}

async function showRun(
  { result }: Pick<RunResult, "result">,
  store: StateStore,
  dryRun: boolean,
  options: RevertOptions,
  io: CommandIO,
): Promise<void> {
  const view = await revertView(store, result, dryRun);
  if (view !== null) await show(view, options, io);
}

async function show(
  view: RevertView,
  { out, format }: Pick<RevertOptions, "out" | "format">,
  io: CommandIO,
): Promise<void> {
  const layout = await layoutOf({ out, stream: io.stdout, env: io.env });
  await writeOut({ out, stream: io.stdout }, (write) => writeRevert(view, format, write, layout));
  if (out !== undefined) note(io, `The report was written to ${out}.`);
}
