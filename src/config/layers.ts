import type { ConfigPart } from "./config-part.ts";
import { type Environment, environmentVariables, readVariable } from "./environment.ts";
import { jobSuffix } from "./job-names.ts";
import { overlay, removeAlternatives, sectionKeys } from "./overlay.ts";
import type { Places } from "./problems.ts";
import { isSection } from "./section.ts";
import type { KeyPath } from "./yaml-file.ts";

/** The origin of a value. */
export type Origin =
  | { readonly kind: "default" }
  /** `place`: `config/x.yaml:12:3` */
  | { readonly kind: "file"; readonly place: string }
  /** `variable`: `NAME` or `NAME_FILE`; a job's own ones have its name in them */
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "commandLine" };

/** All given values, the stronger layer over the weaker (see `layer`). */
export interface Layers extends Places {
  readonly raw: unknown;
  /** The origin of the value of a dotted key. */
  readonly originOf: (key: string) => Origin;
  /** The folder to which a path is relative if a file gives it for this key. */
  readonly folderOf: (path: KeyPath) => string;
  /** The file that gives the value of this key, as messages name it; `null` if there is none. */
  readonly fileOf: (path: KeyPath) => string | null;
  /** `true` if the job itself gives the value, `false` if it is shared by all jobs or a default. Always `true` without `jobs`. */
  readonly isOwn: (key: string) => boolean;
  /** Faults of the environment itself. */
  readonly problems: readonly string[];
}

/** Values by dotted key that beat every other layer: flags of the command line. */
export type Overrides = Readonly<Record<string, unknown>>;

/** The configuration of one job as written. */
export interface WrittenJob {
  /** The configuration file without `jobs`; `null` if there is none. */
  readonly shared: ConfigPart | null;
  /** The job below `jobs`; `null` for the job of a configuration without `jobs`. */
  readonly own: { readonly name: string; readonly part: ConfigPart } | null;
}

/**
 * Lays the layers over each other, the weakest first: the file, the environment, then of a job below `jobs` its section and
 * its own environment variables (`LATTICE_API_KEY__EMEA`), then the command line.
 */
export function layer(
  { shared, own }: WrittenJob,
  environment: Environment,
  currentFolder: string,
  overrides: Overrides,
): Layers {
  const raw: unknown = structuredClone(shared?.value ?? {});
  const origins = new Map<string, Origin>();
  const problems: string[] = [];
  const owned = new Set<string>();
  const sections = own === null ? new Set<string>() : sectionKeys();
  const applyVariables = (suffix: string): readonly string[] => {
    const given: string[] = [];
    for (const { name, key } of environmentVariables) {
      const result = readVariable(environment, `${name}${suffix}`, currentFolder);
      if (result.problem !== undefined) problems.push(result.problem);
      else if (result.value !== undefined) {
        // Other programs that share LOG_LEVEL often spell it INFO.
        const value = key === "log.level" ? result.value.toLowerCase() : result.value;
        if (!setValue(raw, key.split("."), value)) continue;
        origins.set(key, { kind: "environment", variable: result.variable });
        given.push(key);
      }
    }
    return given;
  };
  const replaceShared = (keys: readonly string[]): void => {
    for (const key of keys) {
      owned.add(key);
      for (const known of origins.keys())
        if (known === key || known.startsWith(`${key}.`)) origins.delete(known);
    }
  };
  applyVariables("");
  if (own !== null) {
    replaceShared(overlay(raw, own.part.value, sections));
    const given = applyVariables(jobSuffix(own.name));
    for (const key of given) owned.add(key);
    replaceShared(removeAlternatives(raw, given, owned));
  }
  for (const [key, value] of Object.entries(overrides)) {
    if (value !== undefined && setValue(raw, key.split("."), value))
      origins.set(key, { kind: "commandLine" });
  }

  const partOf = (path: KeyPath): ConfigPart | null =>
    own !== null && isOfJob(path, own.part.value, shared?.value, sections) ? own.part : shared;
  const originOf = (key: string): Origin => {
    const outer = origins.get(key);
    if (outer !== undefined) return outer;
    const path = key.split(".");
    const part = partOf(path);
    if (part === null || readValue(part.value, path) === undefined) return { kind: "default" };
    return { kind: "file", place: part.locateValue(path) };
  };
  const place = (path: KeyPath, inFile: "locateValue" | "locateKey"): string => {
    const outer = outerOrigin(path, origins);
    if (outer?.kind === "environment") return outer.variable;
    if (outer?.kind === "commandLine") return "command line";
    return partOf(path)?.[inFile](path) ?? "configuration";
  };
  return {
    raw,
    problems,
    originOf,
    folderOf: (path) => partOf(path)?.folder ?? currentFolder,
    fileOf: (path) => partOf(path)?.file.name ?? null,
    isOwn: (key) => own === null || owned.has(key) || origins.get(key)?.kind === "commandLine",
    ofValue: (path) => place(path, "locateValue"),
    ofKey: (path) => place(path, "locateKey"),
    above: (path) => (outerOrigin(path, origins) === undefined ? (partOf(path)?.prefix ?? []) : []),
  };
}

/** `true` if the value at this path is in the job's section, or would be added there. */
function isOfJob(path: KeyPath, own: unknown, shared: unknown, sections: ReadonlySet<string>): boolean {
  for (let length = 1; length <= path.length; length += 1) {
    const above = path.slice(0, length);
    const value = readValue(own, above);
    if (value === undefined) return readValue(shared, above) === undefined;
    if (!isSection(value) || !sections.has(above.join("."))) return true;
  }
  return true;
}

/** The origin of the key itself or of one that holds it, if that is not the file. */
function outerOrigin(path: KeyPath, origins: ReadonlyMap<string, Origin>): Origin | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = origins.get(path.slice(0, length).join("."));
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** Sets a value in `raw`; `false` if something that is not a section stands in the way (the schema reports that). */
export function setValue(raw: unknown, path: readonly string[], value: unknown): boolean {
  const [name, ...below] = path;
  if (name === undefined || !isSection(raw)) return false;
  if (below.length > 0) {
    raw[name] ??= {};
    return setValue(raw[name], below, value);
  }
  raw[name] = value;
  return true;
}

/** The value at a path of keys, `undefined` if there is none. */
export function readValue(raw: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      isSection(value) ? value[String(part)] : Array.isArray(value) ? value[Number(part)] : undefined,
    raw,
  );
}
