import { isDeepStrictEqual } from "node:util";
import { isJsonObject } from "../domain/json.ts";
import { changedKeys, needsRestart } from "./changed-keys.ts";
import { knownKeys } from "./keys.ts";
import type { LoadedConfig } from "./load.ts";

/** A key whose value differs. */
export interface ChangedSetting {
  readonly key: string;
  /** The value is, or holds, a credential: neither side is shown. */
  readonly secret: boolean;
  /** As written in a file; `null` if the key has no value, or it is secret. */
  readonly before: unknown;
  readonly after: unknown;
  /** A running daemon keeps the previous value until it is started again. */
  readonly needsRestart: boolean;
}

/** A key of an attribute mapping that differs; `null` on the side where it is not given. */
export interface ChangedRuleKey {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** An attribute mapping that differs. */
export interface ChangedRule {
  /** The target attribute as written. */
  readonly target: string;
  readonly change: "added" | "removed" | "changed";
  readonly keys: readonly ChangedRuleKey[];
}

/** The differences between two configurations of a job. */
export interface ConfigDifference {
  /** In the order of the schema, without the mapping. */
  readonly settings: readonly ChangedSetting[];
  readonly mapping: readonly ChangedRule[];
  /** The same attribute mappings stand in another order. */
  readonly mappingReordered: boolean;
  /** `entra.tenantId` or the cloud differs. */
  readonly anotherTenant: boolean;
  /** `lattice.url` differs. */
  readonly anotherLattice: boolean;
}

/** Compares two configurations of one job. @param before the one in force @param after the new one */
export function configDifference(before: LoadedConfig, after: LoadedConfig): ConfigDifference {
  const values = (loaded: LoadedConfig): ReadonlyMap<string, unknown> =>
    new Map(loaded.settings.map(({ key, value }) => [key, value]));
  const [old, next] = [values(before), values(after)];
  const secretKeys = knownKeys().flatMap(({ key, secret }) => (secret ? [key] : []));
  const settings = changedKeys(before, after)
    // The attribute mappings are compared below. The path of their file usually differs only because it is another checkout.
    .filter((key) => key !== "mapping")
    .map((key): ChangedSetting => {
      const secret = secretKeys.some((one) => one === key || one.startsWith(`${key}[`));
      const side = (of: ReadonlyMap<string, unknown>): unknown => (secret ? null : (of.get(key) ?? null));
      return { key, secret, before: side(old), after: side(next), needsRestart: needsRestart(key) };
    });
  const [oldRules, newRules] = [rulesOf(before), rulesOf(after)];
  const mapping = changedRules(oldRules, newRules);
  return {
    settings,
    mapping,
    mappingReordered: mapping.length === 0 && !isDeepStrictEqual([...oldRules.keys()], [...newRules.keys()]),
    anotherTenant: tenantOf(before) !== tenantOf(after),
    anotherLattice: before.config.lattice.url !== after.config.lattice.url,
  };
}

/** `true` if the two configurations are the same. */
export function isSame({ settings, mapping, mappingReordered }: ConfigDifference): boolean {
  return settings.length === 0 && mapping.length === 0 && !mappingReordered;
}

function tenantOf({ config: { entra } }: LoadedConfig): string {
  return JSON.stringify([entra.tenantId?.toLowerCase(), entra.graphUrl, entra.authorityHost]);
}

/** The attribute mappings as written, by target. */
export type Rules = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** The attribute mappings as written, by target, which is unique in a valid mapping. */
function rulesOf({ mappingSource: { rules } }: LoadedConfig): Rules {
  const list: readonly unknown[] = Array.isArray(rules) ? rules : [];
  return new Map(list.flatMap((rule) => (isJsonObject(rule) ? [[String(rule.target), rule]] : [])));
}

/** The attribute mappings that differ. */
export function changedRules(before: Rules, after: Rules): readonly ChangedRule[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((target): ChangedRule[] => {
    const [old, next] = [before.get(target), after.get(target)];
    const names = new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})]);
    names.delete("target");
    const keys = [...names]
      .map((key) => ({ key, before: old?.[key] ?? null, after: next?.[key] ?? null }))
      .filter((one) => !isDeepStrictEqual(one.before, one.after));
    if (old === undefined) return [{ target, change: "added", keys }];
    if (next === undefined) return [{ target, change: "removed", keys }];
    return keys.length === 0 ? [] : [{ target, change: "changed", keys }];
  });
}
