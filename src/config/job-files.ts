import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { isJsonObject } from "../domain/json.ts";
import type { ConfigPart } from "./config-part.ts";
import { directoryKey, jobNameFault } from "./job-names.ts";
import { fileProblem } from "./text-file.ts";
import { type KeyPath, readYamlFile, type YamlFile } from "./yaml-file.ts";

/** Top-level keys of the process, which no job can have. */
export const processKeys = ["http", "metrics", "log", "workers", "jobs"] as const;

/** The key that holds the jobs. */
export const jobsKey = "jobs";
const fileEnding = ".yaml";
/** Test cases of a mapping can be next to the job that uses it. */
const casesEnding = /\.mapping-test\.yaml$/;

/** One job of a configuration with `jobs`. */
export interface JobFile {
  readonly name: string;
  /** Reads the job's own section. @throws UsageError about a file of its own */
  read(): ConfigPart;
}

/** A configuration file, taken apart. */
export interface JobFiles {
  /** Everything except `jobs`; `null` if there is no file. */
  readonly shared: ConfigPart | null;
  /** The jobs below `jobs`, in their order; `null` without `jobs`. */
  readonly jobs: readonly JobFile[] | null;
}

/** Reads a configuration file; a key with nothing after its colon counts as not given. */
export function readConfigYaml(path: string, name: string): YamlFile | null {
  return readYamlFile(path, name, { emptyIsAbsentExceptIn: [["mapping"], [jobsKey, "*", "mapping"]] });
}

/**
 * Takes a configuration file apart: the shared part, and each job.
 * @param cwd the folder to which the name of the file is relative
 * @param how `lenient`: jobs whose names or files are wrong are left out
 * @throws UsageError that names every fault of `jobs` itself; a fault in a job is reported when that job is read
 */
export function takeApart(
  file: YamlFile | null,
  cwd: string,
  { lenient = false }: { readonly lenient?: boolean | undefined } = {},
): JobFiles {
  if (file === null) return { shared: null, jobs: null };
  const { name, value, locateValue, locateKey } = file;
  const path = resolve(cwd, name);
  const whole: ConfigPart = {
    file: { name, path },
    folder: dirname(path),
    value,
    locateValue,
    locateKey,
    prefix: [],
  };
  if (!isJsonObject(value) || !(jobsKey in value)) return { shared: whole, jobs: null };
  const { [jobsKey]: jobs, ...shared } = value;
  return { shared: { ...whole, value: shared }, jobs: jobsOf(whole, jobs, lenient) };
}

function jobsOf(file: ConfigPart, jobs: unknown, lenient: boolean): readonly JobFile[] {
  const place = file.locateKey([jobsKey]);
  if (!isJsonObject(jobs)) {
    throw new UsageError(
      jobs === undefined || jobs === null
        ? `${place}: jobs names no job: name one, or remove the key`
        : `${place}: jobs must be a section: each job's name with its keys below it, or directory: FOLDER`,
    );
  }
  if (directoryKey in jobs) return jobsOfDirectory(file, jobs, lenient);
  const names = Object.keys(jobs).filter((name) => !lenient || jobNameFault(name) === null);
  const faults = names.flatMap((name) => {
    const fault = jobNameFault(name);
    return fault === null ? [] : [`${file.locateKey([jobsKey, name])}: ${JSON.stringify(name)} ${fault}`];
  });
  if (names.length === 0) faults.push(`${place}: jobs names no job: name one, or remove the key`);
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  return names.map((name) => ({ name, read: () => inlinePart(file, name, jobs[name]) }));
}

function inlinePart(file: ConfigPart, name: string, value: unknown): ConfigPart {
  const prefix = [jobsKey, name];
  const below = (path: KeyPath): KeyPath => [...prefix, ...path];
  return {
    file: file.file,
    folder: file.folder,
    value: value ?? undefined,
    locateValue: (path) => file.locateValue(below(path)),
    locateKey: (path) => file.locateKey(below(path)),
    prefix,
  };
}

function jobsOfDirectory(
  file: ConfigPart,
  jobs: Readonly<Record<string, unknown>>,
  lenient: boolean,
): readonly JobFile[] {
  const place = file.locateValue([jobsKey, directoryKey]);
  const { [directoryKey]: named, ...others } = jobs;
  const misplaced = lenient ? [] : Object.keys(others);
  const faults = misplaced.map(
    (name) =>
      `${file.locateKey([jobsKey, name])}: jobs.${directoryKey} is set, so that each job has a file of its own: move ${JSON.stringify(name)} there`,
  );
  if (typeof named !== "string" || named.trim() === "") {
    faults.push(`${place}: jobs.${directoryKey} must be the path of a folder, relative to this file`);
  }
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  const shown = String(named).trim();
  const path = resolve(file.folder, shown);
  const names = namesIn(path, `${place}: jobs.${directoryKey} names ${shown}`, lenient);
  return names.map((name) => {
    const fileName = join(dirname(file.file.name), shown, `${name}${fileEnding}`);
    return { name, read: () => filePart(join(path, `${name}${fileEnding}`), fileName, path) };
  });
}

/** The jobs whose files are in this folder. @param said the start of a message @throws UsageError */
function namesIn(folder: string, said: string, lenient: boolean): readonly string[] {
  let files: readonly string[];
  try {
    files = readdirSync(folder).sort();
  } catch (error) {
    throw new UsageError(`${said}, which cannot be read: ${fileProblem(error)}`, { cause: error });
  }
  const visible = files.filter((name) => !name.startsWith(".") && !casesEnding.test(name));
  const names = visible
    .filter((name) => name.endsWith(fileEnding))
    .map((name) => name.slice(0, -fileEnding.length));
  const sound = names.filter((name) => jobNameFault(name) === null);
  if (lenient && sound.length > 0) return sound;
  const faults = [
    ...names.flatMap((name) => {
      const fault = jobNameFault(name);
      return fault === null ? [] : [`${said}, and the name of ${name}${fileEnding} in it ${fault}`];
    }),
    ...visible
      .filter((name) => name.endsWith(".yml"))
      .map((name) => `${said}, and ${name} in it is not read: rename it to end in ${fileEnding}`),
  ];
  if (names.length === 0 && faults.length === 0)
    faults.push(`${said}, which has no file NAME${fileEnding}: make one for each job`);
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  return names;
}

function filePart(path: string, name: string, folder: string): ConfigPart {
  const file = readYamlFile(path, name, { emptyIsAbsentExceptIn: [["mapping"]] });
  if (file === null) throw new UsageError(`${name} cannot be read: there is no such file`);
  const { value, locateValue, locateKey } = file;
  return { file: { name, path }, folder, value: value ?? undefined, locateValue, locateKey, prefix: [] };
}
