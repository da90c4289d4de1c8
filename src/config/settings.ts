import { isJsonObject } from "../domain/json.ts";
import { Secret } from "../domain/secret.ts";
import { formatDuration } from "./duration.ts";
import { knownKeys } from "./keys.ts";
import { type Layers, type Origin, readValue } from "./layers.ts";
import type { Config } from "./schema.ts";

/** One key with its effective value, as written in a file. */
export interface Setting {
  readonly key: string;
  /** A `Secret` for a credential; `undefined` if the key has no value. */
  readonly value: unknown;
  readonly origin: Origin;
  /** The key on which the default depends: `of entra.cloud`. */
  readonly because: string | null;
}

interface Implied {
  readonly value: unknown;
  readonly because: string;
  /** It also replaces a given value. */
  readonly always?: boolean;
}

/** Every key that holds a value, in the order of the schema. */
export function effectiveSettings(config: Config, layers: Layers): readonly Setting[] {
  const implied = impliedValues(config, layers);
  const normalized = normalizedValues(config);
  const known = knownKeys();
  const secretKeys = new Set(known.filter((one) => one.secret).map((one) => one.key));
  return known.flatMap(({ key, section, secret, defaultValue }): Setting[] => {
    if (section || key.includes("[]")) return [];
    const given = readValue(layers.raw, key.split("."));
    const origin = layers.originOf(key);
    const fallback = implied.get(key);
    if ((given === undefined || given === "auto" || fallback?.always === true) && fallback !== undefined) {
      return [{ key, value: fallback.value, origin, because: fallback.because }];
    }
    const value = normalized.get(key) ?? (given === undefined ? defaultValue : given);
    return [
      {
        key,
        value: secret && value !== undefined ? new Secret(String(value)) : masked(value, key, secretKeys),
        origin,
        because: null,
      },
    ];
  });
}

/** A value with the credentials in it masked. If no credential can be below `key`, it stays as written. */
function masked(value: unknown, key: string, secretKeys: ReadonlySet<string>): unknown {
  // With an anchor, a list in YAML can contain itself. No known key is that long, so this recursion ends.
  if (![...secretKeys].some((secret) => secret.startsWith(key))) return value;
  if (Array.isArray(value)) return value.map((element) => masked(element, `${key}[]`, secretKeys));
  if (value === undefined) return undefined;
  if (secretKeys.has(key)) return String(new Secret(""));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, below]) => [name, masked(below, `${key}.${name}`, secretKeys)]),
  );
}

/** Values of keys that were not given (or given as `auto`) and that follow from other keys. */
function impliedValues(
  { entra, schedule, mapping, metrics, state }: Config,
  layers: Layers,
): ReadonlyMap<string, Implied> {
  const implied = new Map<string, Implied>([
    ["entra.credential", { value: entra.credential, because: "chosen by auto" }],
    ["entra.authorityHost", { value: entra.authorityHost, because: "of entra.cloud" }],
    ["entra.graphUrl", { value: entra.graphUrl, because: "of entra.cloud" }],
    ["entra.scope.guests", { value: entra.scope.guests, because: "of entra.scope.mode" }],
  ]);
  if (entra.scope.mode === "assigned" && entra.clientId !== undefined) {
    implied.set("entra.scope.application", { value: entra.clientId, because: "of entra.clientId" });
  }
  if (schedule.kind === "every") {
    implied.set("schedule.every", {
      value: formatDuration(schedule.everyMs),
      because: "unless cron is given",
    });
  }
  if (state.url === undefined && !layers.isOwn("state.path")) {
    implied.set("state.path", { value: state.path, because: "by the name of the job", always: true });
  }
  if (metrics.path !== undefined && !layers.isOwn("metrics.path")) {
    implied.set("metrics.path", { value: metrics.path, because: "by the name of the job", always: true });
  }
  if (mapping.kind === "default") {
    implied.set("mapping", { value: undefined, because: "the mapping that Lattice documents for Azure" });
  }
  return implied;
}

/** Values that are used in a slightly different form. */
function normalizedValues({ entra, lattice, mapping, metrics, state }: Config): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ["entra.certificate.path", entra.certificate.path],
    ["entra.authorityHost", entra.authorityHost],
    ["entra.graphUrl", entra.graphUrl],
    ["lattice.url", lattice.url],
    ["mapping", mapping.kind === "file" ? mapping.path : undefined],
    ["metrics.path", metrics.path],
    ["state.path", state.url === undefined ? state.path : undefined],
  ]);
}
