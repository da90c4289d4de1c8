import { openConfiguration } from "../config/load.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";

/**
 * Prints the names of the jobs, one a line; `default` for a configuration without `jobs`. Nothing else of the configuration is read, so
 * the names are printed even if it has a fault elsewhere.
 * @throws UsageError about the file as a whole
 */
export function configJobs(options: { readonly config?: string | undefined }, io: CommandIO): number {
  const { names } = openConfiguration({ file: options.config, env: io.env, cwd: io.cwd, lenient: true });
  for (const name of names) print(io, name);
  return exitCode.done;
}
