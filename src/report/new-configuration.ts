import { type ConfigDifference, isSame } from "../config/config-difference.ts";
import { type KeptConfig, keptDifference } from "../config/kept-config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Meta } from "../domain/state/meta.ts";
import { differenceLines } from "./config-difference.ts";

/** The notes of the last cycle about its configuration. */
export type ConfigurationNotes = Partial<Pick<Meta, "configuration" | "mappingDigest">>;

/** The changes of a configuration since the last cycle. */
export interface NewConfiguration {
  /** Credentials are not compared. Empty if the configuration of the last cycle is not known. */
  readonly difference: ConfigDifference;
  /** The next cycle reads everything and plans everybody. */
  readonly plansEverybodyAgain: boolean;
}

const unknownDifference: ConfigDifference = {
  settings: [],
  mapping: [],
  mappingReordered: false,
  anotherTenant: false,
  anotherLattice: false,
};

/**
 * The changes of a configuration since the last cycle of everybody; `null` if there are none, or no cycle has run.
 * @param digest of the mapping
 */
export function newConfiguration(
  loaded: LoadedConfig,
  digest: string,
  { configuration = "", mappingDigest }: ConfigurationNotes,
): NewConfiguration | null {
  if (mappingDigest === undefined) return null;
  // Only this program writes it.
  const kept = configuration === "" ? null : (JSON.parse(configuration) as KeptConfig);
  const difference = kept === null ? unknownDifference : keptDifference(kept, loaded);
  const plansEverybodyAgain = mappingDigest !== digest;
  return !plansEverybodyAgain && isSame(difference) ? null : { difference, plansEverybodyAgain };
}

/** A new configuration in lines for people, with its effects. */
export function newConfigurationLines(changes: NewConfiguration): readonly string[] {
  return differenceLines({ kind: "compared", ...changes }).filter((line) => line !== "");
}

/** A new configuration for programs (`status --format json`, `GET /api/now`). */
export function newConfigurationDocument(changes: NewConfiguration | null) {
  if (changes === null) return null;
  const { difference, plansEverybodyAgain } = changes;
  return {
    plansEverybodyAgain,
    settings: difference.settings.map(({ key, before, after }) => ({ key, before, after })),
    mapping: difference.mapping,
    mappingReordered: difference.mappingReordered,
    text: newConfigurationLines(changes).join("\n"),
  };
}
