import { ofJob } from "../config/job-faults.ts";
import {
  defaultConfigFile,
  type LoadedConfig,
  loadConfig,
  oneJob,
  openConfiguration,
} from "../config/load.ts";
import { isFault, loadJobs } from "../config/load-jobs.ts";
import { refuseForDaemon } from "../daemon/refuse-daemon.ts";
import { UsageError } from "../domain/errors.ts";
import { count } from "../domain/sentence.ts";
import { readSettings } from "../job/read-settings.ts";
import { commandLine } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { describeResults, failures, findCaseFiles, runCaseFiles } from "./case-files.ts";

export interface ConfigOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
}

/**
 * Checks the configuration: the mapping and the filters, the cases next to them, what Entra and Lattice need, whether a daemon
 * would run with it, and whether jobs collide. Sends nothing.
 * @throws UsageError that names the faults of all jobs
 */
export async function configCheck(options: ConfigOptions, io: CommandIO): Promise<number> {
  const configuration = openConfiguration({ file: options.config, env: io.env, cwd: io.cwd });
  const names = options.job === undefined ? configuration.names : [oneJob(configuration, options.job)];
  const jobs = loadJobs(configuration);
  const faults = new Set<string>();
  const noted = new Set<string>();
  const valid: string[] = [];
  for (const name of names) {
    const loaded = jobs.get(name);
    if (loaded === undefined) continue;
    try {
      if (isFault(loaded)) throw loaded;
      for (const text of loaded.notes) {
        if (!noted.has(text)) print(io, text);
        noted.add(text);
      }
      valid.push(await checkJob(loaded, io));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const said = configuration.named && !isFault(loaded) ? ofJob(name, error.message) : error.message;
      for (const line of said.split("\n")) faults.add(line);
    }
  }
  if (faults.size > 0) throw new UsageError([...faults].join("\n"));
  for (const line of valid) print(io, line);
  return exitCode.done;
}

/** @returns a sentence that says that the configuration is valid. @throws UsageError */
async function checkJob(loaded: LoadedConfig, io: CommandIO): Promise<string> {
  const { mapping, entra, lattice, faults } = await readSettings(loaded);
  const files = mapping === null ? [] : runCaseFiles(mapping, findCaseFiles(loaded, io.cwd), io.cwd);
  if (files.length > 0) print(io, describeResults(files, { failuresOnly: true }));
  if (faults.length > 0 || mapping === null || entra === null || lattice === null) {
    throw new UsageError(faults.join("\n"));
  }
  await refuseForDaemon({ config: loaded.config, mapping, entra, lattice });
  if (failures(files) > 0) {
    throw new UsageError(
      "the mapping does not produce what its test cases expect; correct the mapping or the cases",
    );
  }
  const job = loaded.named ? `, job ${loaded.job}` : "";
  return `${loaded.file ?? "The environment alone"}${job}: valid, ${count(mapping.attributes.length, "attribute mapping")}.`;
}

/** Prints the configuration in force of one job, with secrets masked, and where each value comes from. */
export async function configShow(options: ConfigOptions, io: CommandIO): Promise<number> {
  const { showConfig } = await import("../config/show.ts");
  const { config: file, job } = options;
  print(io, showConfig(loadConfig({ file, job, env: io.env, cwd: io.cwd })).trimEnd());
  return exitCode.done;
}

/** Prints the JSON Schema of the configuration, for editors. */
export async function configSchema(io: CommandIO): Promise<number> {
  const { configJsonSchema } = await import("../config/json-schema.ts");
  print(io, JSON.stringify(configJsonSchema(), null, 2));
  return exitCode.done;
}

/** Writes a first configuration file with comments. Never overwrites a file. */
export async function configInit(options: ConfigOptions, io: CommandIO): Promise<number> {
  const { writeStarterConfig } = await import("../config/init.ts");
  const { resolve } = await import("node:path");
  const file = options.config ?? defaultConfigFile;
  writeStarterConfig(resolve(io.cwd, file));
  print(io, `${file} was written. Next: fill in the tenant, then run "${commandLine("config check")}".`);
  return exitCode.done;
}
