import { ofJob } from "../config/job-faults.ts";
import type { Configuration, LoadedConfig } from "../config/load.ts";
import { isFault, loadJobs } from "../config/load-jobs.ts";
import { DomainError, errorText, type UsageError } from "../domain/errors.ts";
import { sentences } from "../domain/sentence.ts";
import { type JobChoice, jobOf } from "../job/configured-job.ts";
import { createFleetFacts, type FleetFacts } from "../job/fleet-facts.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { exitCodeOfError, tellError } from "../process/tell-error.ts";
import { jobLines, type ListedJob, workerLines } from "../report/job-list.ts";
import { summaryOf } from "../report/job-summary.ts";
import { worstOf } from "./each-job.ts";
import { readJob } from "./read-job.ts";

/** The list needs no cycle besides `lastEnded`, and no held operation. */
const limits = { cycles: 0, mostHeld: 0 };

/**
 * Shows each of several jobs as a line, the nearest trouble first, and the daemons that share their database. The others are shown
 * even if a job cannot be read.
 * @returns the worst exit code
 */
export async function statusOfJobs(
  configuration: Configuration,
  options: JobChoice,
  io: CommandIO,
): Promise<number> {
  const fleet = createFleetFacts();
  const listed: ListedJob[] = [];
  const codes: number[] = [];
  for (const [name, loaded] of loadJobs(configuration, options.sandbox)) {
    io.signal.throwIfAborted();
    const { job, code } = await listedJob(name, loaded, fleet, options, io);
    listed.push(job);
    codes.push(code);
  }
  const lines = [
    ...jobLines(listed),
    ...workerLines(fleet.workers(), listed),
    "",
    `More about one job: ${commandLine(`status${placeFlags(options)} --job NAME`)}`,
  ];
  for (const line of lines) print(io, line);
  return worstOf(codes);
}

async function listedJob(
  name: string,
  loaded: LoadedConfig | UsageError,
  fleet: FleetFacts,
  { sandbox }: JobChoice,
  io: CommandIO,
): Promise<{ readonly job: ListedJob; readonly code: number }> {
  try {
    if (isFault(loaded)) throw loaded;
    const { status, summary } = await readJob(jobOf(loaded, sandbox), fleet, limits);
    return { job: { name, status, summary }, code: exitCode.done };
  } catch (error) {
    // Only a fault of this program needs more than its line in the list.
    const code = error instanceof DomainError ? exitCodeOfError(error) : tellError(error, io.stderr);
    const fault = sentences(ofJob(name, errorText(error)));
    const summary = summaryOf({ fault, status: null, intervalMs: null, fleet: null, now: 0 });
    return { job: { name, status: null, summary }, code };
  }
}
