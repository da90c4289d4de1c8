import { loadConfig } from "../config/load.ts";
import { UsageError } from "../domain/errors.ts";
import { jsonText } from "../domain/visible.ts";
import { readMapping } from "../job/read-settings.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { caseFileEnding, describeResults, failures, findCaseFiles, runCaseFiles } from "./case-files.ts";

export interface MappingTestOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  /** Files of cases. Default: those next to the configuration. */
  readonly cases?: readonly string[] | undefined;
  readonly format: "table" | "json";
  /** Makes a case from this person instead: user principal name or object id. */
  readonly record?: string | undefined;
  /** With `record`: a file that does not exist yet. Default: stdout. */
  readonly out?: string | undefined;
  /** With `record`: Entra attributes whose real values are kept. */
  readonly keep?: readonly string[] | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

/** Runs the cases of the mapping. @returns exit code 1 if one fails. @throws UsageError if a file of cases is malformed */
export async function mappingTest(options: MappingTestOptions, io: CommandIO): Promise<number> {
  if (options.record !== undefined) {
    if (options.cases !== undefined) throw new UsageError("--cases cannot be used with --record");
    return record({ ...options, record: options.record }, io);
  }
  for (const flag of ["out", "keep", "sandbox"] as const) {
    if (options[flag] !== undefined) throw new UsageError(`--${flag} needs --record`);
  }
  const loaded = loadConfig({ file: options.config, job: options.job, env: io.env, cwd: io.cwd });
  const mapping = await readMapping(loaded);
  const files = options.cases ?? findCaseFiles(loaded, io.cwd);
  if (files.length === 0) {
    throw new UsageError(
      "there are no test cases: put a file whose name ends in .mapping-test.yaml next to the configuration, or name files with --cases; --record USER makes a first case",
    );
  }
  const results = runCaseFiles(mapping, files, io.cwd);
  const failed = failures(results);
  if (options.format === "json") {
    const cases = results.flatMap(({ file, results: each }) => each.map((result) => ({ file, ...result })));
    const summary = { cases: cases.length, passed: cases.length - failed, failed };
    print(io, jsonText({ formatVersion: "1.0", summary, cases }, 2));
  } else {
    print(io, describeResults(results, { failuresOnly: false }));
  }
  return failed === 0 ? exitCode.done : exitCode.error;
}

async function record(
  options: MappingTestOptions & { readonly record: string },
  io: CommandIO,
): Promise<number> {
  const { recordCase } = await import("./record-case.ts");
  const { yaml, notes } = await recordCase(options, io);
  const { out } = options;
  if (out === undefined) io.stdout.write(yaml);
  else {
    const { writeNewFile } = await import("./new-file.ts");
    writeNewFile(io.cwd, out, yaml);
    note(io, `The case was written to ${out}.`);
    if (!caseFileEnding.test(out)) {
      note(
        io,
        "Only files whose names end in .mapping-test.yaml are found automatically. Name this one with --cases.",
      );
    }
  }
  for (const text of notes) note(io, text);
  return exitCode.done;
}
