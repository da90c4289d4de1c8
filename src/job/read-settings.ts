import { ofJob } from "../config/job-faults.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import { UsageError } from "../domain/errors.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import type { ScopingFilters } from "../mapping/rules/scoping-filter.ts";
import { leaseMsOf } from "./lease.ts";

/** The parts of a configuration. A part with a fault is `null`, and `faults` names the fault. */
export interface Readings {
  readonly mapping: Mapping | null;
  readonly entra: EntraSettings | null;
  readonly lattice: LatticeSettings | null;
  /** Messages, of one or more lines each. */
  readonly faults: readonly string[];
}

/** The ends that a sandbox replaces. They need no settings. */
type Embedded = "both" | "lattice" | undefined;

/** Reads the mapping, the filters and the settings of each end. All faults are reported together. */
export async function readSettings(loaded: LoadedConfig, embedded?: Embedded): Promise<Readings> {
  const [{ refuseForeignLoopback }, { nothingGiven, requireEntra, requireLattice }] = await Promise.all([
    import("../config/plain-http.ts"),
    import("../config/require.ts"),
  ]);
  const { config } = loaded;
  const faults: string[] = [];
  const attempt = createAttempt(faults);
  await refuseForeignLoopback(config).catch((error: unknown) =>
    attempt(() => {
      throw error;
    }),
  );
  const mapping = await tryMapping(loaded, faults);
  attempt(() => leaseMsOf(config));
  const nothing = embedded === undefined ? nothingGiven(config, loaded.file) : null;
  if (nothing !== null) return { mapping, entra: null, lattice: null, faults: [...faults, nothing] };
  return {
    mapping,
    entra: embedded === "both" ? null : attempt(() => requireEntra(config)),
    lattice: embedded === undefined ? attempt(() => requireLattice(config)) : null,
    faults,
  };
}

/** The faults of a job's settings as one error. */
export function readingFault({ job, named }: LoadedConfig, faults: readonly string[]): UsageError {
  const text = faults.join("\n");
  return new UsageError(named ? ofJob(job, text) : text);
}

/** The configured mapping and scoping filters. @throws UsageError that names all faults of both */
export async function readMapping(loaded: LoadedConfig): Promise<Mapping> {
  const faults: string[] = [];
  const mapping = await tryMapping(loaded, faults);
  if (mapping === null) throw readingFault(loaded, faults);
  return mapping;
}

async function tryMapping(loaded: LoadedConfig, faults: string[]): Promise<Mapping | null> {
  const [{ parseMapping }, { parseScopingFilters }] = await Promise.all([
    import("../mapping/rules/mapping.ts"),
    import("../mapping/rules/scoping-filter.ts"),
  ]);
  const { config, locate, mappingSource } = loaded;
  const { entra, onNull, actions, matching, manager, drift } = config;
  const attempt = createAttempt(faults);
  const filtersOf = (written: unknown): ScopingFilters =>
    parseScopingFilters(written, {
      ...entra.scope,
      timeZone: entra.scope.timezone,
      locate: (path) => locate(["entra", "scope", "filters", ...path]),
    });
  const filters = attempt(() => filtersOf(entra.scope.filters));
  const mapping = attempt(() =>
    parseMapping(mappingSource.rules, {
      origin: mappingSource.origin,
      locate: mappingSource.locate,
      onNull,
      filters: filters ?? filtersOf([]),
      // `manager.rings` is left out: members of a ring of managers are planned in each cycle anyway.
      digestOf: [entra.scope, actions, matching, drift, { missing: manager.missing }],
    }),
  );
  if (
    mapping !== null &&
    matching.renameRings === "temporaryName" &&
    !mapping.matching.includes("externalId")
  ) {
    faults.push(
      `${locate(["matching", "renameRings"])}: matching.renameRings: temporaryName needs externalId among the matching attributes. Without it, a person who has a temporary userName could not be matched after the state database is lost. Give externalId a matchingPrecedence, or set matching.renameRings: report.`,
    );
  }
  return faults.length === 0 ? mapping : null;
}

function createAttempt(faults: string[]): <Result>(action: () => Result) => Result | null {
  return (action) => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(error.message);
      return null;
    }
  };
}
