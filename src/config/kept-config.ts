import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { Secret } from "../domain/secret.ts";
import { type ConfigDifference, changedRules, type Rules } from "./config-difference.ts";
import { knownKeys } from "./keys.ts";
import type { LoadedConfig } from "./load.ts";

/** A configuration as it is remembered in the state database: without any credential. */
export interface KeptConfig {
  /** The value of each key, as written in a file; `null` for none. Keys that are, or hold, credentials, and those of the process, are left out. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The attribute mappings as written. */
  readonly rules: readonly JsonObject[];
}

/** Keys that say where and how a process runs, not what a cycle does: daemons that share a database may differ in them. */
const ofProcess = /^(?:state|http|log|metrics|workers|mapping$)\b|File$|\.certificate\.path$/;

/** The part of a configuration that is remembered after a cycle with it. */
export function keptConfig({ settings, mappingSource: { rules } }: LoadedConfig): KeptConfig {
  const secretKeys = knownKeys().flatMap(({ key, secret }) => (secret ? [key] : []));
  const holdsSecret = (key: string): boolean =>
    secretKeys.some((one) => one === key || one.startsWith(`${key}[`) || one.startsWith(`${key}.`));
  const shown = settings.filter(
    ({ key, value }) => !ofProcess.test(key) && !holdsSecret(key) && !(value instanceof Secret),
  );
  const list: readonly unknown[] = Array.isArray(rules) ? rules : [];
  return asJson({
    settings: Object.fromEntries(shown.map(({ key, value }) => [key, value ?? null])),
    rules: list.filter(isJsonObject),
  });
}

/** The changes of a configuration with respect to one that is remembered. Credentials are not compared. */
export function keptDifference(before: KeptConfig, loaded: LoadedConfig): ConfigDifference {
  const after = keptConfig(loaded);
  const asDefault = new Set(loaded.settings.filter(isDefault).map(({ key }) => key));
  const changed = Object.keys(after.settings).filter((key) => {
    // An older version did not know the key: its default changes nothing.
    if (!Object.hasOwn(before.settings, key)) return !asDefault.has(key);
    return !isDeepStrictEqual(before.settings[key], after.settings[key]);
  });
  const [oldRules, newRules] = [byTarget(before), byTarget(after)];
  const mapping = changedRules(oldRules, newRules);
  return {
    settings: changed.map((key) => ({
      key,
      secret: false,
      before: before.settings[key] ?? null,
      after: after.settings[key] ?? null,
      // The process that compares has read them at its start.
      needsRestart: false,
    })),
    mapping,
    mappingReordered: mapping.length === 0 && !isDeepStrictEqual([...oldRules.keys()], [...newRules.keys()]),
    anotherTenant: changed.includes("entra.tenantId"),
    anotherLattice: changed.includes("lattice.url"),
  };
}

function isDefault({ origin }: LoadedConfig["settings"][number]): boolean {
  return origin.kind === "default";
}

function byTarget({ rules }: KeptConfig): Rules {
  return new Map(rules.map((rule) => [String(rule.target), rule]));
}

/** The value as it comes back from the state database. */
function asJson(kept: KeptConfig): KeptConfig {
  return JSON.parse(JSON.stringify(kept)) as KeptConfig;
}
