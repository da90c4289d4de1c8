import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/logger.ts";
import type { RequestObserver } from "../domain/request.ts";
import type { Secret } from "../domain/secret.ts";

/** How changes of an account are sent: RFC 7644 section 3.5.2 (PATCH) or 3.5.1 (PUT). */
export type UpdateMethod = "patch" | "put";

export interface LatticeOptions {
  /** Base address as `normalizeLatticeUrl` gives it, e.g. `https://api.latticehq.com/scim/v2`. */
  readonly url: string;
  readonly token: Secret;
  readonly updateMethod: "auto" | UpdateMethod;
  readonly maxConcurrency: number;
  readonly maxRequestsPerSecond: number | null;
  /** SCIM paths that the mapping writes, e.g. `userName`, `name.givenName`, `emails[type eq "work"].value`. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly log?: Logger;
  /** Told of each request to Lattice that came to an end. */
  readonly onRequest?: RequestObserver | undefined;
  /** Silence on the connection after which a request counts as lost. Default 30,000. */
  readonly timeoutMs?: number;
  /** Largest answer that is read, unpacked. Default 16 MiB. */
  readonly maxResponseBytes?: number;
  /** Users asked for in one page of the listing; Lattice may send fewer. Default 100. */
  readonly pageSize?: number;
  /** What an earlier run found out, so that `auto` need not ask for the ServiceProviderConfig again. */
  readonly knownUpdateMethod?: UpdateMethod | undefined;
}
