import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import { filterGroupsOf } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import { Secret } from "../domain/secret.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

// The sandbox is a job with its own ends and its own state database, beside those of the configured job.

/** Which ends are embedded: both, or Lattice alone. */
export type EmbeddedEnds = "both" | "lattice";

/** The state database of the job, or of its rehearsal: a rehearsal never meets real links. @param configured `state.path` */
export function stateFile(configured: string, embedded: EmbeddedEnds | undefined): string {
  return embedded === undefined ? configured : `${withoutEnding(configured)}.sandbox-${embedded}.db`;
}

/** The database of the embedded company, or of the embedded Lattice alone. @param configured `state.path` */
export function sandboxFile(configured: string, embedded: EmbeddedEnds): string {
  return `${withoutEnding(configured)}.sandbox-${embedded}-servers.db`;
}

function withoutEnding(path: string): string {
  return path.replace(/\.db$/, "");
}

/** Who takes part of the embedded company. */
export const sandboxScope = { mode: "assigned", application: "Lattice SCIM", nested: true } as const;

/** How the embedded Entra is reached. */
export function sandboxEntra(sandbox: Sandbox, config: Config): EntraSettings {
  return {
    tenantId: sandbox.tenantId,
    clientId: sandbox.clientId,
    credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
    authorityHost: sandbox.authorityHost,
    graphUrl: sandbox.graphUrl,
    scope: sandboxScope,
    filterGroups: filterGroupsOf(config.entra.scope),
  };
}

/** How the embedded Lattice is reached: it is on this machine, so it has no limit but its own. */
export function sandboxLattice(sandbox: Sandbox, config: Config): LatticeSettings {
  return {
    url: sandbox.latticeUrl,
    token: new Secret(sandbox.latticeToken),
    updateMethod: config.lattice.updateMethod,
    maxConcurrency: config.lattice.maxConcurrency,
    maxRequestsPerSecond: null,
    timeoutMs: config.lattice.timeoutMs,
  };
}
