import { dirname, isAbsolute, join, parse, resolve } from "node:path";
import { UsageError } from "../domain/errors.ts";
import { joinFaults, type Locate } from "../domain/faults.ts";
import { isJsonObject } from "../domain/json.ts";
import { normalizeLatticeUrl } from "../lattice/tenant-url.ts";
import { commandLine } from "../process/command-name.ts";
import { packageRoot } from "../process/package-root.ts";
import type { ConfigPart } from "./config-part.ts";
import {
  configVariable,
  defaultStateVariable,
  type Environment,
  federatedTokenVariable,
  readVariable,
  refusedVariables,
} from "./environment.ts";
import { sectionMessage } from "./fields.ts";
import { judgeAccess, type Machine, thisMachine } from "./file-access.ts";
import { findState, placesOfState } from "./find-state.ts";
import { ofJob } from "./job-faults.ts";
import { type JobFiles, processKeys, readConfigYaml, takeApart } from "./job-files.ts";
import { defaultJob, jobSuffix, unknownJob } from "./job-names.ts";
import { strayVariables, variablesOfJobs } from "./job-variables.ts";
import { type Layers, layer, type Overrides, readValue, setValue, type WrittenJob } from "./layers.ts";
import { describeIssues } from "./problems.ts";
import { type Config, configSchema, defaultStatePath, type ParsedConfig } from "./schema.ts";
import { withSecretFiles } from "./secret-files.ts";
import { effectiveSettings, type Setting } from "./settings.ts";
import { trustedFiles } from "./trusted-files.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";

/** The configuration file that is read, if it exists, when no other is named. */
export const defaultConfigFile = "config/azure-lattice-sync.yaml";

const defaultMappingName = "config/default-mapping.yaml";

const defaultMapping = join(packageRoot, defaultMappingName);

/** Generating code for a schema pays off only if it is applied many times. */
const parsedOnce = { jitless: true };

/** The configuration of one job, with what is known about it. */
export interface LoadedConfig {
  /** The job; `default` without `jobs`. */
  readonly job: string;
  /** `true` if the configuration has `jobs`: output and stored data then name the job. */
  readonly named: boolean;
  readonly config: Config;
  /** The configuration file as it was named; `null` if there is only the environment. */
  readonly file: string | null;
  /** The attribute mapping as written, for `parseMapping`; `origin` and `locate` name it and its parts in messages. */
  readonly mappingSource: { readonly origin: string; readonly rules: unknown; readonly locate: Locate };
  /** Gives the place of the value of a key. */
  readonly locate: Locate;
  /** Notes for the user although nothing is wrong, in sentences. */
  readonly notes: readonly string[];
  /** Every key with its effective value and its origin, for `config show`. */
  readonly settings: readonly Setting[];
}

/** The place of a job's state, and its way to log. */
export interface StateConfig extends Pick<LoadedConfig, "job" | "named"> {
  /** Only these are read, and `entra` if the database is signed in to with it; everything else has its default. */
  readonly config: Config;
}

/** How a configuration is found and read. */
export interface LoadOptions {
  /** `--config`. */
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  /** Values by dotted key (`"http.listen"`), as flags of the command line give them. */
  readonly overrides?: Overrides | undefined;
  /** The meaning of file modes. Default: as this machine has it. */
  readonly machine?: Machine | undefined;
  /** `both`: all data is invented, so write access to the files is not checked. */
  readonly sandbox?: "both" | "lattice" | undefined;
  /** Jobs whose names or files are wrong, and variables for jobs that do not exist, are left out: only the state of a job is to be found. */
  readonly lenient?: boolean | undefined;
}

/** A configuration file that was read, and its jobs, which are not read yet. */
export interface Configuration {
  /** As it was named; `null` if there is none. */
  readonly file: string | null;
  /** `true` if it has `jobs`. */
  readonly named: boolean;
  /** The names of the jobs, in their order; `default` without `jobs`. */
  readonly names: readonly string[];
  /** Reads one job. @throws UsageError that names everything that is wrong with it, one thing a line */
  load(job: string): LoadedConfig;
  /** Reads where one job has its state (see `findState`). @throws UsageError if that cannot be said */
  loadState(job: string): StateConfig;
  /** The folder of the state that all jobs share: of `state.path`, unless a job has its own. */
  stateFolder(): string;
}

/**
 * Reads the configuration of one job: the file that `file` names (`--config`), else the one that `ALS_CONFIG` names, else
 * `config/azure-lattice-sync.yaml` if it exists, else none; the environment over it, and `overrides` over both.
 * @param options.job `--job`: needed if the configuration has several jobs
 * @throws UsageError that names everything that is wrong, one thing a line, with file, line and column
 */
export function loadConfig(options: LoadOptions & { readonly job?: string | undefined }): LoadedConfig {
  const configuration = openConfiguration(options);
  return configuration.load(oneJob(configuration, options.job));
}

/** The job that `--job` names, or the only one. @throws UsageError if it is unknown, or none is named and there are several */
export function oneJob({ names }: Pick<Configuration, "names">, asked: string | undefined): string {
  if (asked !== undefined) {
    if (names.includes(asked)) return asked;
    throw unknownJob(asked, names);
  }
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw new UsageError(
    `The configuration has ${names.length} jobs. Name one with --job: ${names.join(", ")}.`,
  );
}

/**
 * Reads the configuration file and finds its jobs.
 * @throws UsageError about the file as a whole, `jobs` itself, or a variable for a job that does not exist
 */
export function openConfiguration(options: LoadOptions): Configuration {
  const { env, cwd, lenient = false } = options;
  const file = readConfigFile(options.file, env, cwd);
  const { shared, jobs } = takeApart(file, cwd, { lenient });
  const names = jobs === null ? [defaultJob] : jobs.map(({ name }) => name);
  if (jobs !== null && !lenient) {
    const stray = strayVariables(env, names);
    if (stray.length > 0) throw new UsageError(joinFaults(stray));
  }
  return {
    file: file?.name ?? null,
    named: jobs !== null,
    names,
    stateFolder: () => {
      const given = readValue(layer({ shared, own: null }, env, cwd, {}).raw, ["state", "path"]);
      const byDefault = env[defaultStateVariable] || defaultStatePath;
      return dirname(
        resolve(cwd, typeof given === "string" && given.trim() !== "" ? given.trim() : byDefault),
      );
    },
    load: (name) =>
      readOne(name, { shared, jobs, names }, (written) => {
        const loaded = loadJob(written, options);
        refuseUnknownSharers(loaded, names);
        return loaded;
      }),
    loadState: (name) =>
      readOne(name, { shared, jobs, names }, (written) => {
        const job = written.own?.name ?? defaultJob;
        return {
          job,
          named: written.own !== null,
          config: findState(written, env, cwd, (data, layers) => complete(data, layers, { env, cwd, job })),
        };
      }),
  };
}

/** @throws UsageError with the job's name, if the job cannot be read or does not exist */
function readOne<T>(
  name: string,
  { shared, jobs, names }: JobFiles & { readonly names: readonly string[] },
  read: (written: WrittenJob) => T,
): T {
  if (jobs === null) return read({ shared, own: null });
  const job = jobs.find((one) => one.name === name);
  if (job === undefined) throw unknownJob(name, names);
  try {
    return read({ shared, own: { name, part: job.read() } });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(ofJob(name, error.message), { cause: error }) : error;
  }
}

/** @throws UsageError if a job shares its company with one that does not exist */
function refuseUnknownSharers({ job, config, locate }: LoadedConfig, names: readonly string[]): void {
  const path = ["lattice", "sharedWith"];
  const unknown = config.lattice.sharedWith.filter((name) => name === job || !names.includes(name));
  if (unknown.length === 0) return;
  throw new UsageError(
    `${locate(path)}: lattice.sharedWith names ${unknown.join(", ")}: it must name other jobs of this configuration, which has ${names.join(", ")}`,
  );
}

function loadJob(written: WrittenJob, options: LoadOptions): LoadedConfig {
  const { env, cwd } = options;
  const { shared, own } = written;
  const misplaced = misplacedKeys(own?.part);
  const layers = layer(written, env, cwd, options.overrides ?? {});
  const latticeUrl = normalizeUrlIn(layers);
  const secrets = withSecretFiles(layers);
  const parsed = configSchema.safeParse(secrets.raw, parsedOnce);
  const problems = [
    ...refusedVariables(env),
    ...misplaced,
    ...layers.problems,
    ...latticeUrl.problems,
    ...secrets.problems,
    ...placesOfState(layers),
    ...describeIssues(parsed.error?.issues ?? [], layers.raw, layers),
  ];
  if (!parsed.success || problems.length > 0) throw new UsageError(joinFaults(problems));

  const job = own?.name ?? defaultJob;
  const config = complete(parsed.data, layers, { env, cwd, job });
  const trusted =
    options.sandbox === "both"
      ? []
      : trustedFiles({
          config,
          parts: [shared, own?.part].filter((part) => part !== null && part !== undefined),
          suffixes: own === null ? [""] : ["", jobSuffix(own.name)],
          secretFiles: secrets.files,
          environment: env,
          currentFolder: cwd,
        });
  const access = judgeAccess(trusted, options.machine ?? thisMachine(env));
  if (access.problems.length > 0) throw new UsageError(joinFaults(access.problems));
  return {
    job,
    named: own !== null,
    config,
    file: shared?.file.name ?? null,
    mappingSource: readMapping(config.mapping, layers),
    locate: layers.ofValue,
    notes: [...latticeUrl.notes, ...access.notes, ...(own === null ? unusedVariables(env) : [])],
    get settings() {
      return effectiveSettings(config, layers);
    },
  };
}

/** Variables for one job, of which a configuration without jobs makes nothing. */
function unusedVariables(env: Environment): readonly string[] {
  return variablesOfJobs(env).map(
    (variable) => `${variable} is not used: it is for one job, and the configuration has no jobs`,
  );
}

/** Faults of keys of the process in the section of a job. */
function misplacedKeys(part: ConfigPart | undefined): readonly string[] {
  const value = part?.value;
  if (part === undefined || value === undefined) return [];
  const shown = (key: string): string => [...part.prefix, key].join(".");
  if (!isJsonObject(value)) {
    return [`${part.locateValue([])}: ${part.prefix.join(".") || "the job"} ${sectionMessage}`];
  }
  return processKeys
    .filter((key) => value[key] !== undefined)
    .map((key) =>
      key === "jobs"
        ? `${part.locateKey([key])}: ${shown(key)}: a job cannot have jobs itself`
        : `${part.locateKey([key])}: ${shown(key)} cannot be set for one job, because all jobs share the process: move ${key} to the top of the configuration file`,
    );
}

function readConfigFile(named: string | undefined, env: Environment, cwd: string): YamlFile | null {
  const chosen = chooseConfigFile(named, env, cwd);
  const file = readConfigYaml(resolve(cwd, chosen.name), chosen.name);
  if (file === null && chosen.namedBy !== null) {
    throw new UsageError(
      `${chosen.namedBy} names ${chosen.name}, but there is no such file; create one with "${commandLine("config init")}"`,
    );
  }
  return file;
}

function chooseConfigFile(
  named: string | undefined,
  env: Environment,
  cwd: string,
): { name: string; namedBy: string | null } {
  if (named !== undefined) return { name: named, namedBy: "the command line" };
  const variable = readVariable(env, configVariable, cwd);
  if (variable.problem !== undefined) throw new UsageError(variable.problem);
  if (variable.value !== undefined) return { name: variable.value, namedBy: variable.variable };
  return { name: defaultConfigFile, namedBy: null };
}

/** Before the schema is applied, so that a bad address is reported together with everything else. */
function normalizeUrlIn(layers: Layers): { notes: readonly string[]; problems: readonly string[] } {
  const path = ["lattice", "url"];
  const given = readValue(layers.raw, path);
  if (typeof given !== "string" || given.trim() === "") return { notes: [], problems: [] };
  try {
    const { url, notes } = normalizeLatticeUrl(given.trim());
    setValue(layers.raw, path, url);
    return { notes, problems: [] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { notes: [], problems: [`${layers.ofValue(path)}: lattice.url: ${error.message}`] };
  }
}

function complete(
  parsed: ParsedConfig,
  layers: Layers,
  { env, cwd, job }: { env: Environment; cwd: string; job: string },
): Config {
  const { entra, mapping, metrics, state } = parsed;
  const absolute = (key: string, path: string): string =>
    resolve(layers.originOf(key).kind === "file" ? layers.folderOf(key.split(".")) : cwd, path);
  const { path: certificatePath, ...certificate } = entra.certificate;
  const byDefault = env[defaultStateVariable] ?? "";
  const path = layers.originOf("state.path").kind === "default" && byDefault !== "" ? byDefault : state.path;
  return {
    ...parsed,
    entra: {
      ...entra,
      certificate:
        certificatePath === undefined
          ? certificate
          : { ...certificate, path: absolute("entra.certificate.path", certificatePath) },
      credential: chooseCredential(entra, env),
    },
    mapping: mapping.kind === "file" ? { kind: "file", path: absolute("mapping", mapping.path) } : mapping,
    metrics:
      metrics.path === undefined
        ? metrics
        : { ...metrics, path: pathOfJob(absolute("metrics.path", metrics.path), job) },
    state: { ...state, path: statePath(resolve(cwd, path), layers, job) },
  };
}

/** A job without a path of its own has NAME.db in the folder of the shared one; the job `default` has the shared one. */
function statePath(path: string, layers: Layers, job: string): string {
  return job === defaultJob || layers.isOwn("state.path") ? path : join(dirname(path), `${job}.db`);
}

/** The path of a shared file, with the name of the job in it: `sync.prom` becomes `sync-emea.prom`. */
function pathOfJob(path: string, job: string): string {
  if (job === defaultJob) return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${job}${ext}`);
}

function chooseCredential(entra: ParsedConfig["entra"], env: Environment): Config["entra"]["credential"] {
  if (entra.credential !== "auto") return entra.credential;
  if (entra.certificate.path !== undefined) return "certificate";
  if (entra.clientSecret !== undefined) return "clientSecret";
  return (env[federatedTokenVariable] ?? "") === "" ? "default" : "workloadIdentity";
}

function readMapping(mapping: Config["mapping"], layers: Layers): LoadedConfig["mappingSource"] {
  const place = layers.ofValue(["mapping"]);
  if (mapping.kind === "inline") {
    const locate: Locate = (path) => layers.ofValue(["mapping", ...path]);
    return { origin: place, rules: mapping.rules, locate };
  }
  if (mapping.kind === "default") {
    const shipped = readYamlFile(defaultMapping, defaultMappingName);
    if (shipped !== null)
      return { origin: defaultMappingName, rules: shipped.value, locate: shipped.locateValue };
    throw new UsageError(`${defaultMappingName} is missing from this installation: reinstall the program`);
  }
  const named = String(readValue(layers.raw, ["mapping"]));
  const fromFile = layers.originOf("mapping").kind === "file" && !isAbsolute(named);
  const name = fromFile ? join(dirname(layers.fileOf(["mapping"]) ?? "."), named) : named;
  const rules = readYamlFile(mapping.path, name);
  if (rules !== null) return { origin: name, rules: rules.value, locate: rules.locateValue };
  throw new UsageError(`${place}: mapping names ${name}, but there is no such file`);
}
