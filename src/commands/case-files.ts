import { readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { defaultConfigFile, type LoadedConfig } from "../config/load.ts";
import { readYamlFile } from "../config/yaml-file.ts";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { count } from "../domain/sentence.ts";
import { type CaseResult, runCase } from "../mapping/cases/run-case.ts";
import { parseCases } from "../mapping/cases/test-cases.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import { printable } from "../report/words.ts";

/** The ending of the name of a file of cases. */
export const caseFileEnding = /\.mapping-test\.ya?ml$/;

/** One file of cases, and the result of each case. */
export interface FileResult {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

/** The files of cases next to the configuration, and next to the mapping if that is a file of its own. */
export function findCaseFiles({ config, file }: LoadedConfig, cwd: string): readonly string[] {
  const folders = new Set([resolve(cwd, dirname(file ?? defaultConfigFile))]);
  if (config.mapping.kind === "file") folders.add(dirname(config.mapping.path));
  return [...folders].flatMap((folder) =>
    namesIn(folder)
      .filter((name) => caseFileEnding.test(name))
      .sort()
      .map((name) => relative(cwd, join(folder, name))),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // A folder that does not exist or cannot be listed has no cases to run.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}

/**
 * Runs the cases of these files.
 * @throws UsageError that names every fault of every file with line and column
 */
export function runCaseFiles(mapping: Mapping, files: readonly string[], cwd: string): readonly FileResult[] {
  const faults: string[] = [];
  const read = files.map((name) => {
    const file = readYamlFile(resolve(cwd, name), name);
    if (file === null) throw new UsageError(`${name} cannot be read: there is no such file`);
    const { cases, faults: found } = parseCases(file.value, file.locateValue, mapping);
    faults.push(...found);
    return { file: name, cases };
  });
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  return read.map(({ file, cases }) => ({ file, results: cases.map((test) => runCase(mapping, test)) }));
}

/** How many cases failed. */
export function failures(files: readonly FileResult[]): number {
  return files.flatMap(({ results }) => results).filter(({ passed }) => !passed).length;
}

/** The results as a test runner prints them. @param options `failuresOnly`: cases that passed are counted, not named */
export function describeResults(files: readonly FileResult[], options: { failuresOnly: boolean }): string {
  const lines: string[] = [];
  for (const { file, results } of files) {
    const shown = options.failuresOnly ? results.filter(({ passed }) => !passed) : results;
    if (shown.length > 0) lines.push(printable(file));
    for (const { name, place, passed, differences } of shown) {
      lines.push(passed ? `  ok    ${printable(name)}` : `  FAIL  ${printable(name)}  (${printable(place)})`);
      for (const { attribute, expected, got, origin } of differences) {
        lines.push(
          `        ${printable(attribute)}`,
          `          expected  ${printable(expected)}`,
          `          got       ${printable(got)}`,
        );
        if (origin !== null) lines.push(`          from      ${printable(origin)}`);
      }
    }
  }
  const total = files.flatMap(({ results }) => results).length;
  const failed = failures(files);
  const cases = count(total, "mapping case");
  lines.push(`${cases}: ${total - failed} passed, ${failed} failed`);
  return lines.join("\n");
}
