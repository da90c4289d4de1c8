import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import { Secret } from "../domain/secret.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

// The sandbox is a job with its own ends and its own state database, next to those of the configured job.

/** The embedded ends: both, or Lattice alone. */
export type EmbeddedEnds = "both" | "lattice";

/** The state database of the job, or of its rehearsal, which never uses that of the job. @param configured `state.path` */
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

/** The scope of the embedded company. */
export const sandboxScope = { mode: "assigned", application: "Lattice SCIM", nested: true } as const;

/** The settings for the embedded Entra. */
export function sandboxEntra(sandbox: Sandbox, config: Config): EntraSettings {
  return {
    tenantId: sandbox.tenantId,
    clientId: sandbox.clientId,
    credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
    authorityHost: sandbox.authorityHost,
    graphUrl: sandbox.graphUrl,
    scope: sandboxScope,
    nestedGroups: config.entra.scope.nested,
  };
}

/** The settings for the embedded Lattice. It is on this machine, so there is no limit but its own. */
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
