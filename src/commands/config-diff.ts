import { configDifference } from "../config/config-difference.ts";
import { ofJob } from "../config/job-faults.ts";
import { type Configuration, type LoadedConfig, oneJob, openConfiguration } from "../config/load.ts";
import { isFault, type LoadedJobs, loadJobs } from "../config/load-jobs.ts";
import { UsageError } from "../domain/errors.ts";
import { sentences } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { readMapping } from "../job/read-settings.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { differenceJson, differenceLines, differs, type JobDifference } from "../report/config-difference.ts";
import type { ConfigOptions } from "./config.ts";

export interface ConfigDiffOptions extends ConfigOptions {
  /** The new configuration. */
  readonly other: string;
  readonly format: "table" | "json";
  readonly detailedExitcode: boolean;
}

/**
 * Prints how another configuration differs, job by job. Sends nothing, and opens no database. Secrets are compared and never
 * shown. A job that has a fault in one of the two is named, and the others are compared.
 * @throws UsageError about a configuration as a whole, or the only job of configurations without `jobs`
 */
export async function configDiff(options: ConfigDiffOptions, io: CommandIO): Promise<number> {
  const open = (file: string | undefined): Configuration =>
    openConfiguration({ file, env: io.env, cwd: io.cwd });
  const before = open(options.config);
  const after = open(options.other);
  const all = [...new Set([...before.names, ...after.names])];
  const names = options.job === undefined ? all : [oneJob({ names: all }, options.job)];
  const sides = [loadJobs(before), loadJobs(after)] as const;
  const named = before.named || after.named;
  const compared = new Map<string, JobDifference>();
  for (const name of names) {
    try {
      compared.set(name, await compare(name, sides));
    } catch (error) {
      if (!(error instanceof UsageError) || !named) throw error;
      compared.set(name, { kind: "faulty", fault: sentences(ofJob(name, error.message)) });
    }
  }
  if (options.format === "json") print(io, jsonText(asJson(compared, named), 2));
  else for (const line of asLines(compared, named, [before, after])) print(io, line);
  if ([...compared.values()].some(({ kind }) => kind === "faulty")) return exitCode.usage;
  const different = [...compared.values()].some(differs);
  return different && options.detailedExitcode ? exitCode.changesPending : exitCode.done;
}

async function compare(name: string, sides: readonly [LoadedJobs, LoadedJobs]): Promise<JobDifference> {
  const [old, next] = [jobIn(sides[0], name), jobIn(sides[1], name)];
  // A mapping is also read if there is nothing to compare it with, so that a faulty one is refused.
  const digests = [
    old === null ? null : (await readMapping(old)).digest,
    next === null ? null : (await readMapping(next)).digest,
  ];
  if (old === null) return { kind: "added" };
  if (next === null) return { kind: "removed" };
  return {
    kind: "compared",
    difference: configDifference(old, next),
    plansEverybodyAgain: digests[0] !== digests[1],
  };
}

/** `null` if there is no such job. @throws UsageError if it has a fault */
function jobIn(jobs: LoadedJobs, name: string): LoadedConfig | null {
  const job = jobs.get(name);
  if (job !== undefined && isFault(job)) throw job;
  return job ?? null;
}

function asJson(compared: ReadonlyMap<string, JobDifference>, named: boolean): object {
  const entries = [...compared].map(([name, job]) => [name, differenceJson(job)] as const);
  const [only] = entries;
  return named || only === undefined ? Object.fromEntries(entries) : only[1];
}

function asLines(
  compared: ReadonlyMap<string, JobDifference>,
  named: boolean,
  [before, after]: readonly [Configuration, Configuration],
): readonly string[] {
  const head = `${after.file} compared with ${before.file ?? "the environment alone"}`;
  return [
    head,
    ...[...compared].flatMap(([name, job]) => [
      "",
      ...(named ? [`Job ${name}`] : []),
      ...differenceLines(job),
    ]),
  ];
}
