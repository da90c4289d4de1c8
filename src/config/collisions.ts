import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LoadedConfig } from "./load.ts";

/** Two jobs that must not run with these settings. */
export interface Collision {
  readonly jobs: readonly [string, string];
  /** One sentence without a full stop that names both. */
  readonly fault: string;
}

/**
 * Finds jobs that would disturb each other: they have the same database or the same Lattice company, or one has the credentials of
 * the other. Most are copies of a job in which only the name was changed.
 * @param options.embedded the ends that a sandbox replaces: their settings do not count
 */
export function collisionsOf(
  jobs: readonly LoadedConfig[],
  options: { readonly embedded?: "both" | "lattice" | undefined } = {},
): readonly Collision[] {
  const rules = [
    sameDatabase,
    ...(options.embedded === undefined ? [sameCompany, sameKeyElsewhere] : []),
    ...(options.embedded === "both" ? [] : [sameSecretOfAnotherApp]),
  ];
  // Only jobs that agree in something are compared with each other: there can be hundreds.
  return rules.flatMap((rule) => rule(jobs));
}

type Rule = (jobs: readonly LoadedConfig[]) => readonly Collision[];

const sameDatabase: Rule = (jobs) =>
  pairsWith(jobs, ({ config: { state } }) => (state.url === undefined ? filesOf(state.path) : [])).map(
    ([one, other]) => ({
      jobs: [one.job, other.job],
      fault: `the jobs ${one.job} and ${other.job} have one state database (${other.config.state.path}): give each its own state.path, or leave it out, so that each gets a file with its name`,
    }),
  );

const sameCompany: Rule = (jobs) =>
  pairsWith(jobs, ({ config: { lattice } }) =>
    lattice.token === undefined ? [] : [JSON.stringify([lattice.url, lattice.token.reveal()])],
  ).flatMap(([one, other]): Collision[] => {
    const what = `the jobs ${one.job} and ${other.job} write to the same Lattice company (they have the same lattice.url and API key)`;
    const why = whyNotTogether(one, other);
    return why === null ? [] : [{ jobs: [one.job, other.job], fault: `${what}: ${why}` }];
  });

/** An API key belongs to one company, and must not be sent to another address. */
const sameKeyElsewhere: Rule = (jobs) =>
  pairsWith(jobs, ({ config: { lattice } }) => (lattice.token === undefined ? [] : [lattice.token.reveal()]))
    .filter(([one, other]) => one.config.lattice.url !== other.config.lattice.url)
    .map(([one, other]) => ({
      jobs: [one.job, other.job],
      fault: `the jobs ${one.job} and ${other.job} send the same Lattice API key to two addresses (lattice.url): give each job its own key`,
    }));

/** A client secret belongs to one application. */
const sameSecretOfAnotherApp: Rule = (jobs) =>
  pairsWith(jobs, ({ config: { entra } }) =>
    entra.credential === "clientSecret" && entra.clientSecret !== undefined
      ? [entra.clientSecret.reveal()]
      : [],
  )
    .filter(([one, other]) => one.config.entra.clientId !== other.config.entra.clientId)
    .map(([one, other]) => ({
      jobs: [one.job, other.job],
      fault: `the jobs ${one.job} and ${other.job} have different applications (entra.clientId) and the same client secret, so that one of them would sign in with the secret of the other: give each job its own secret`,
    }));

/** The reason why two jobs must not share a company, as advice; `null` if the settings allow it, and make it safe. */
export function whyNotTogether(one: LoadedConfig, other: LoadedConfig): string | null {
  const names = (job: LoadedConfig): readonly string[] => job.config.lattice.sharedWith;
  if (!names(one).includes(other.job) || !names(other).includes(one.job)) {
    const remedy =
      one.config.lattice.token?.reveal() === other.config.lattice.token?.reveal()
        ? "give each job its own key"
        : "give one of them the key of its own company, or remove one";
    return `${remedy}; if they share the company on purpose, name the other job in lattice.sharedWith of each`;
  }
  if (tenantOf(one) !== tenantOf(other)) return null;
  const [left, right] = [one.config.entra.scope, other.config.entra.scope];
  if (left.mode === "all" || left.mode !== right.mode) {
    return "they read the same tenant too, so entra.scope.mode must be groups in both, or assigned in both, and not all";
  }
  const [common] = overlapOf(one, other);
  if (common !== undefined) {
    return `they read the same tenant too, and both have ${common} in their scope: give each job groups or an application of its own`;
  }
  if (one.config.actions.outOfScope.do !== "ignore" || other.config.actions.outOfScope.do !== "ignore") {
    return "they read the same tenant too, so a person who moves from one scope to the other would be switched off by one job and on by the other, again and again: set actions.outOfScope: ignore in both";
  }
  return null;
}

function tenantOf({ config }: LoadedConfig): string {
  return (config.entra.tenantId ?? "").toLowerCase();
}

/** The names in both scopes: groups or applications, and people who are included by name. */
function overlapOf(one: LoadedConfig, other: LoadedConfig): readonly string[] {
  const namesOf = ({ config: { entra } }: LoadedConfig): readonly string[] => {
    const { mode, groups, include, application = entra.clientId ?? "" } = entra.scope;
    return [...(mode === "groups" ? groups : [application]), ...include].map((name) => name.toLowerCase());
  };
  const others = new Set(namesOf(other));
  return namesOf(one).filter((name) => others.has(name));
}

/** Pairs of jobs that have a value in common: each job with each earlier one. */
function pairsWith(
  jobs: readonly LoadedConfig[],
  valuesOf: (job: LoadedConfig) => readonly string[],
): readonly (readonly [LoadedConfig, LoadedConfig])[] {
  const holders = new Map<string, LoadedConfig[]>();
  const pairs = new Set<readonly [LoadedConfig, LoadedConfig]>();
  for (const job of jobs) {
    const before = new Set<LoadedConfig>();
    for (const value of valuesOf(job)) {
      const known = holders.get(value) ?? [];
      for (const one of known) before.add(one);
      holders.set(value, [...known, job]);
    }
    for (const one of before) pairs.add([one, job]);
  }
  return [...pairs];
}

/** The keys of a file: its path without links, in lower case because some file systems ignore case, and its device and inode. */
function filesOf(path: string): readonly string[] {
  return [realPath(path).toLowerCase(), ...(inode(path) ?? [])];
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A file that does not exist yet: its folder may be a link.
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

function inode(path: string): readonly string[] | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return ino === 0n ? null : [`${dev}:${ino}`];
  } catch {
    return null;
  }
}
