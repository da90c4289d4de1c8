import { defaultConfigFile, loadConfig } from "../config/load.ts";
import { refuseForDaemon } from "../daemon/refuse-daemon.ts";
import { UsageError } from "../domain/errors.ts";
import { count } from "../domain/sentence.ts";
import { readSettings } from "../job/read-settings.ts";
import { commandLine } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { describeResults, failures, findCaseFiles, runCaseFiles } from "./case-files.ts";

export interface ConfigOptions {
  readonly config?: string | undefined;
}

/**
 * Checks the configuration, the mapping and the filters, the cases next to them, what each end needs, and whether a daemon
 * would run with it. Sends nothing.
 */
export async function configCheck(options: ConfigOptions, io: CommandIO): Promise<number> {
  const loaded = loadConfig({ file: options.config, env: io.env, cwd: io.cwd });
  const { mapping, entra, lattice, faults } = await readSettings(loaded);
  for (const text of loaded.notes) print(io, text);
  const files = mapping === null ? [] : runCaseFiles(mapping, findCaseFiles(loaded, io.cwd), io.cwd);
  if (files.length > 0) print(io, describeResults(files, { failuresOnly: true }));
  if (mapping === null || entra === null || lattice === null) throw new UsageError(faults.join("\n"));
  await refuseForDaemon({ config: loaded.config, mapping, entra, lattice });
  if (failures(files) > 0) {
    throw new UsageError(
      "the mapping does not produce what its test cases expect; correct the mapping or the cases",
    );
  }
  print(
    io,
    `${loaded.file ?? "The environment alone"}: valid, ${count(mapping.attributes.length, "attribute mapping")}.`,
  );
  return exitCode.done;
}

/** Prints the configuration in force, with secrets masked, and where each value comes from. */
export async function configShow(options: ConfigOptions, io: CommandIO): Promise<number> {
  const { showConfig } = await import("../config/show.ts");
  print(io, showConfig(loadConfig({ file: options.config, env: io.env, cwd: io.cwd })).trimEnd());
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
