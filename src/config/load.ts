import { dirname, isAbsolute, join, resolve } from "node:path";
import { UsageError } from "../domain/errors.ts";
import { joinFaults, type Locate } from "../domain/faults.ts";
import { normalizeLatticeUrl } from "../lattice/tenant-url.ts";
import { commandLine } from "../process/command-name.ts";
import { packageRoot } from "../process/package-root.ts";
import {
  configVariable,
  defaultStateVariable,
  type Environment,
  federatedTokenVariable,
  readVariable,
  refusedVariables,
} from "./environment.ts";
import { judgeAccess, type Machine, thisMachine } from "./file-access.ts";
import { type Layers, layer, type Overrides, readValue, setValue } from "./layers.ts";
import { describeIssues } from "./problems.ts";
import { type Config, configSchema, type ParsedConfig } from "./schema.ts";
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

/** A configuration with what is known about it. */
export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, as it was named; `null` if the environment alone was. */
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

/**
 * Reads the configuration: the file that `file` names (`--config`), else the one that `ALS_CONFIG` names, else
 * `config/azure-lattice-sync.yaml` if it exists, else none; the environment over it, and `overrides` over both.
 * @param options.overrides values by dotted key (`"http.listen"`), as flags of the command line give them
 * @param options.machine what file modes mean; by default as this machine is
 * @throws UsageError that names everything that is wrong, one thing a line, with file, line and column
 */
export function loadConfig(options: {
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  readonly overrides?: Overrides | undefined;
  readonly machine?: Machine | undefined;
  /** `both`: all data is invented, so write access to the files is not checked. */
  readonly sandbox?: "both" | "lattice" | undefined;
}): LoadedConfig {
  const { env, cwd } = options;
  const file = readConfigFile(options.file, env, cwd);
  const layers = layer(file, env, cwd, options.overrides ?? {});
  const latticeUrl = normalizeUrlIn(layers);
  const fileFolder = file === null ? cwd : dirname(resolve(cwd, file.name));
  const secrets = withSecretFiles(layers, fileFolder);
  const parsed = configSchema.safeParse(secrets.raw, parsedOnce);
  const problems = [
    ...refusedVariables(env),
    ...layers.problems,
    ...latticeUrl.problems,
    ...secrets.problems,
    ...placesOfState(layers),
    ...describeIssues(parsed.error?.issues ?? [], layers.raw, layers),
  ];
  if (!parsed.success || problems.length > 0) throw new UsageError(joinFaults(problems));

  const config = complete(parsed.data, layers, { env, cwd, fileFolder });
  const trusted =
    options.sandbox === "both"
      ? []
      : trustedFiles({
          config,
          file: file === null ? null : { path: resolve(cwd, file.name), name: file.name, value: file.value },
          secretFiles: secrets.files,
          environment: env,
          currentFolder: cwd,
        });
  const access = judgeAccess(trusted, options.machine ?? thisMachine(env));
  if (access.problems.length > 0) throw new UsageError(joinFaults(access.problems));
  return {
    config,
    file: file?.name ?? null,
    mappingSource: readMapping(config.mapping, layers, file),
    locate: layers.ofValue,
    notes: [...latticeUrl.notes, ...access.notes],
    get settings() {
      return effectiveSettings(config, layers);
    },
  };
}

function readConfigFile(named: string | undefined, env: Environment, cwd: string): YamlFile | null {
  const chosen = chooseConfigFile(named, env, cwd);
  const file = readYamlFile(resolve(cwd, chosen.name), chosen.name, { emptyIsAbsentExceptIn: ["mapping"] });
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
  if (named !== undefined) return { name: named, namedBy: "--config" };
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

/** A file and a database that are both named at the same level; the environment takes precedence over the file. */
function placesOfState(layers: Layers): readonly string[] {
  if (readValue(layers.raw, ["state", "url"]) === undefined) return [];
  if (readValue(layers.raw, ["state", "path"]) === undefined) return [];
  const [url, path] = [layers.originOf("state.url").kind, layers.originOf("state.path").kind];
  if (url === "environment" && path === "file") return [];
  return [`${layers.ofValue(["state", "url"])}: state.url and state.path are both set; keep only one`];
}

function complete(
  parsed: ParsedConfig,
  layers: Layers,
  folders: { env: Environment; cwd: string; fileFolder: string },
): Config {
  const { env, cwd, fileFolder } = folders;
  const { entra, mapping, metrics, state } = parsed;
  const absolute = (key: string, path: string): string =>
    resolve(layers.originOf(key).kind === "file" ? fileFolder : cwd, path);
  const { path: certificatePath, ...certificate } = entra.certificate;
  const byDefault = env[defaultStateVariable] ?? "";
  const statePath =
    layers.originOf("state.path").kind === "default" && byDefault !== "" ? byDefault : state.path;
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
      metrics.path === undefined ? metrics : { ...metrics, path: absolute("metrics.path", metrics.path) },
    state: { ...state, path: resolve(cwd, statePath) },
  };
}

function chooseCredential(entra: ParsedConfig["entra"], env: Environment): Config["entra"]["credential"] {
  if (entra.credential !== "auto") return entra.credential;
  if (entra.certificate.path !== undefined) return "certificate";
  if (entra.clientSecret !== undefined) return "clientSecret";
  return (env[federatedTokenVariable] ?? "") === "" ? "default" : "workloadIdentity";
}

function readMapping(
  mapping: Config["mapping"],
  layers: Layers,
  file: YamlFile | null,
): LoadedConfig["mappingSource"] {
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
  const name = fromFile ? join(dirname(file?.name ?? "."), named) : named;
  const rules = readYamlFile(mapping.path, name);
  if (rules !== null) return { origin: name, rules: rules.value, locate: rules.locateValue };
  throw new UsageError(`${place}: mapping names ${name}, but there is no such file`);
}
