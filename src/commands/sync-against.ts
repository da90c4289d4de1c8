import { openConfiguration } from "../config/load.ts";
import { UsageError } from "../domain/errors.ts";
import { count } from "../domain/sentence.ts";
import type { Job } from "../job/job.ts";
import { type OpenOptions, openJob } from "../job/open-job.ts";
import type { WhatIf } from "../job/what-if.ts";
import { type CommandIO, exitCode, note } from "../process/io.ts";
import { differences } from "../report/comparison/people.ts";
import type { ReportFormat } from "../report/write-report.ts";
import { pendingIn } from "./pending.ts";
import { openProgress } from "./progress.ts";

/** The options of `sync` that a comparison of two plans uses. */
export interface AgainstOptions extends OpenChoice {
  readonly dryRun: boolean;
  readonly full: boolean;
  readonly user?: readonly string[] | undefined;
  /** Another configuration, with which everybody is planned from the same data. */
  readonly against?: string | undefined;
  /** Plans from the last known data, and sends nothing. */
  readonly offline?: boolean | undefined;
  readonly format: ReportFormat;
  readonly out?: string | undefined;
  readonly detailedExitcode: boolean;
  readonly limit?: number | undefined;
}

type OpenChoice = Pick<OpenOptions, "config" | "job" | "sandbox" | "people">;

/** @throws UsageError if the options do not go together */
export function checkAgainst(options: AgainstOptions): void {
  const { against, offline = false, dryRun, user, full } = options;
  if (offline && against === undefined) throw new UsageError("--offline needs --against. Nothing was done.");
  if (offline && full)
    throw new UsageError("--offline reads nothing, so it cannot be used with --full. Nothing was done.");
  if (against === undefined) return;
  if (!dryRun) throw new UsageError("--against needs --dry-run. Nothing was done.");
  if (user !== undefined)
    throw new UsageError("--against cannot be used with --user: it plans everybody. Nothing was done.");
}

/**
 * Plans with the configuration in force and with another one, from the same data, and reports the people whose plans differ.
 * @returns the exit code of a dry run with the other configuration
 */
export async function syncAgainst(
  job: Job,
  against: string,
  options: AgainstOptions,
  io: CommandIO,
): Promise<number> {
  const { planBoth, planBothOffline } = await import("../job/what-if.ts");
  refuseOtherJobs(job, against, options, io);
  // Not `...options`: in a run for all jobs they carry the settings of this job (`loaded`), which would replace the other file.
  const { sandbox, people } = options;
  const other = await openJob(io, {
    job: job.name,
    sandbox,
    people,
    config: against,
    replaces: job,
    quiet: true,
  });
  const bar = await openProgress(io);
  let code: number = exitCode.done;
  const ended = async (plans: WhatIf): Promise<void> => {
    bar.stop();
    await reportBoth(plans, { first: job, second: other }, options, io);
    if (options.detailedExitcode && pendingIn(plans.second.result) > 0) code = exitCode.changesPending;
  };
  try {
    const request = { full: options.full, signal: io.signal };
    const watchers = { onProgress: bar.update };
    if (options.offline === true) await planBothOffline(job, other, request, watchers, ended);
    else await planBoth(job, other, request, watchers, ended);
    return code;
  } finally {
    bar.stop();
    await other.close();
  }
}

/** @throws UsageError if the other configuration has no job of this name */
function refuseOtherJobs(
  { name, loaded: { file, named } }: Pick<Job, "name" | "loaded">,
  against: string,
  { sandbox }: OpenChoice,
  { env, cwd }: CommandIO,
): void {
  const other = openConfiguration({ file: against, env, cwd, sandbox });
  if (other.names.includes(name)) return;
  const here = file ?? "the environment alone";
  const [these, those] = [
    named ? `the job ${name} of ${here}` : `${here}, which has no jobs`,
    other.named ? `has ${count(other.names.length, "job")}: ${other.names.join(", ")}` : "has no jobs",
  ];
  throw new UsageError(
    `${against} ${those}, so it cannot be compared with ${these}. Give --against a file that has ${named ? `a job ${name}` : "no jobs"}. Nothing was read.`,
  );
}

async function reportBoth(
  { first, second }: WhatIf,
  jobs: { readonly first: Job; readonly second: Job },
  { format, out, limit, offline = false }: AgainstOptions,
  io: CommandIO,
): Promise<void> {
  const { writeComparison } = await import("../report/comparison/write.ts");
  const people = [];
  const plan = ({ result: { cycleId }, store }: WhatIf["first"]) => ({ cycleId, store });
  for await (const person of differences(plan(first), plan(second))) people.push(person);
  const side = (job: Job, { result }: WhatIf["first"]) => ({
    file: job.loaded.file ?? "the environment alone",
    header: result.header,
  });
  const view = { first: side(jobs.first, first), second: side(jobs.second, second), offline, people };
  await writeComparison(view, { format, out, stream: io.stdout, env: io.env, limit });
  if (out !== undefined) note(io, `The report was written to ${out}.`);
}
