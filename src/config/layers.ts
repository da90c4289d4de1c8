import { isJsonObject } from "../domain/json.ts";
import { type Environment, environmentVariables, readVariable } from "./environment.ts";
import type { Places } from "./problems.ts";
import type { KeyPath, YamlFile } from "./yaml-file.ts";

/** The origin of a value. */
export type Origin =
  | { readonly kind: "default" }
  /** `place`: `config/x.yaml:12:3` */
  | { readonly kind: "file"; readonly place: string }
  /** `variable`: `NAME` or `NAME_FILE` */
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "commandLine" };

/** All given values, the stronger layer over the weaker: command line, environment, file. */
export interface Layers extends Places {
  readonly raw: unknown;
  /** The origin of the value of a dotted key. */
  readonly originOf: (key: string) => Origin;
  /** Faults of the environment itself. */
  readonly problems: readonly string[];
}

/** Values by dotted key that beat every other layer: flags of the command line. */
export type Overrides = Readonly<Record<string, unknown>>;

/** Applies the environment and the command line over the file. */
export function layer(
  file: YamlFile | null,
  environment: Environment,
  currentFolder: string,
  overrides: Overrides,
): Layers {
  const raw: unknown = file?.value === undefined || file.value === null ? {} : structuredClone(file.value);
  const origins = new Map<string, Origin>();
  const problems: string[] = [];
  for (const { name, key } of environmentVariables) {
    const result = readVariable(environment, name, currentFolder);
    if (result.problem !== undefined) problems.push(result.problem);
    else if (result.value !== undefined) {
      // Other programs that share LOG_LEVEL often spell it INFO.
      const value = key === "log.level" ? result.value.toLowerCase() : result.value;
      if (setValue(raw, key.split("."), value))
        origins.set(key, { kind: "environment", variable: result.variable });
    }
  }
  for (const [key, value] of Object.entries(overrides)) {
    if (value !== undefined && setValue(raw, key.split("."), value))
      origins.set(key, { kind: "commandLine" });
  }
  const originOf = (key: string): Origin => {
    const outer = origins.get(key);
    if (outer !== undefined) return outer;
    const path = key.split(".");
    if (file === null || readValue(file.value, path) === undefined) return { kind: "default" };
    return { kind: "file", place: file.locateValue(path) };
  };
  const place = (path: KeyPath, inFile: ((path: KeyPath) => string) | undefined): string => {
    const outer = outerOrigin(path, origins);
    if (outer?.kind === "environment") return outer.variable;
    if (outer?.kind === "commandLine") return "command line";
    return inFile?.(path) ?? "configuration";
  };
  return {
    raw,
    problems,
    originOf,
    ofValue: (path) => place(path, file?.locateValue),
    ofKey: (path) => place(path, file?.locateKey),
  };
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
export function readValue(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, part) => (isSection(value) ? value[part] : undefined), raw);
}

function isSection(value: unknown): value is Record<string, unknown> {
  return isJsonObject(value);
}
