import type { CycleResult } from "../cycle/course/request.ts";
import { UsageError } from "../domain/errors.ts";
import type { Job } from "../job/job.ts";
import { openJob } from "../job/open-job.ts";
import { type CommandIO, exitCode, exitCodeOf } from "../process/io.ts";
import { report } from "../report/report-cycle.ts";
import type { ReportFormat } from "../report/write-report.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { forEachJob } from "./each-job.ts";
import { checkPeople, onDemand } from "./on-demand.ts";
import { pendingIn } from "./pending.ts";
import { runWithProgress } from "./progress.ts";
import { checkAgainst, syncAgainst } from "./sync-against.ts";
import { checkLeavers, syncLeavers } from "./sync-leavers.ts";

export interface SyncOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly people?: number | undefined;
  readonly dryRun: boolean;
  readonly full: boolean;
  /** Only these people, by user principal name or object id: provisioning on demand. */
  readonly user?: readonly string[] | undefined;
  /** Looks for people who were disabled or deleted, and deactivates their accounts; nothing else. */
  readonly leavers?: boolean | undefined;
  /** Sends for this many people first, and holds everything else until it is released. */
  readonly canary?: number | undefined;
  /** With `user`: sends without a dry run or a question first. */
  readonly yes?: boolean | undefined;
  readonly format: ReportFormat;
  readonly out?: string | undefined;
  readonly detailedExitcode: boolean;
  /** With `dryRun`: another configuration, with which everybody is planned from the same data. */
  readonly against?: string | undefined;
  /** With `against`: plans from the last known data, and sends nothing. */
  readonly offline?: boolean | undefined;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
  /** Runs in this process, even if daemons share the database of the job. */
  readonly here?: boolean | undefined;
  /** How many people a table shows in full. Default: 100 on a terminal, everyone elsewhere. */
  readonly limit?: number | undefined;
  /** A sandbox that runs already. Default: this command starts its own. */
  readonly runningSandbox?: Sandbox | undefined;
  /** Logs warnings and errors only. Default: `true` if stderr is a terminal. */
  readonly quiet?: boolean | undefined;
}

/** Runs one cycle now. @returns the exit code */
export async function sync(options: SyncOptions, io: CommandIO): Promise<number> {
  // On demand, a dry run comes first unless --yes is given.
  if (options.detailedExitcode && !options.dryRun && (options.user === undefined || options.yes === true)) {
    throw new UsageError("--detailed-exitcode needs --dry-run. Nothing was done.");
  }
  if (options.leavers === true) checkLeavers(options);
  checkAgainst(options);
  if (options.canary !== undefined && (options.user !== undefined || options.against !== undefined)) {
    const other = options.user === undefined ? "--against" : "--user";
    throw new UsageError(`--canary cannot be combined with ${other}. Nothing was done.`);
  }
  if (options.user !== undefined) checkPeople(options.user);
  else if (options.yes === true) throw new UsageError("--yes needs --user. Nothing was done.");
  // A person, a file and a page belong to one job.
  if (options.user !== undefined || options.out !== undefined || options.format === "html")
    return syncJob(options, io);
  return forEachJob(options, io, { json: options.format === "json", settings: "compared" }, syncJob);
}

async function syncJob(options: SyncOptions, io: CommandIO): Promise<number> {
  const job = await openJob(io, { ...options, quiet: options.quiet ?? io.stderr.isTTY === true });
  try {
    const { against } = options;
    if (against !== undefined) return await syncAgainst(job, against, options, io);
    if (options.leavers === true) return await syncLeavers(job, options, io);
    if (options.user !== undefined) return await onDemand(job, options.user, options, io);
    return await syncEverybody(job, options, io);
  } finally {
    await job.close();
  }
}

async function syncEverybody(job: Job, options: SyncOptions, io: CommandIO): Promise<number> {
  const { dryRun, full, detailedExitcode, waitSeconds, canary } = options;
  if (!dryRun && options.here !== true) {
    const done = await syncElsewhere(job, options, io);
    if (done !== null) return codeOf(done);
  }
  const { result } = await runWithProgress(
    job,
    { dryRun, full, canary, waitMs: waitSeconds * 1000, signal: io.signal },
    (run, store) => report(store, run.result, { ...options, mapping: job.mapping }, io),
    io,
  );
  if (dryRun) return detailedExitcode && pendingIn(result) > 0 ? exitCode.changesPending : exitCode.done;
  return codeOf(result);
}

/** Has a daemon that shares the database run the cycle, and reports the result; `null` if no daemon does it. */
async function syncElsewhere(job: Job, options: SyncOptions, io: CommandIO): Promise<CycleResult | null> {
  // Daemons do not share a state in a file, so `in-fleet.ts` is not even loaded for one.
  if (job.statePlace.kind === "file") return null;
  const { runInFleet } = await import("./in-fleet.ts");
  const { full, canary } = options;
  const request = { full, ...(canary === undefined ? {} : { canary }) };
  const ran = await runInFleet(job, async () => ({ kind: "cycle", request, decision: null }), options, io);
  const result = ran?.result ?? null;
  const store = result === null ? null : await job.readState();
  if (result === null || store === null) return result;
  try {
    await report(store, result, { ...options, mapping: job.mapping }, io);
  } finally {
    await store.close();
  }
  return result;
}

function codeOf(result: CycleResult): number {
  const code = exitCodeOf(result, false);
  // The full comparison was asked for, or needed, and failed. The changes were sent anyway.
  return code === exitCode.done && result.failedComparison !== null ? exitCode.error : code;
}
