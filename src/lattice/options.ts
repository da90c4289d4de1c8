import type { Clock } from "../domain/clock.ts";
import type { Logger } from "../domain/logger.ts";
import type { RequestObserver } from "../domain/request.ts";
import type { Secret } from "../domain/secret.ts";
import type { SendingRight } from "../domain/sending-right.ts";

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
  /** Called after each request to Lattice. */
  readonly onRequest?: RequestObserver | undefined;
  /** A request counts as lost after this much silence on the connection. Default 30,000. */
  readonly timeoutMs?: number;
  /** Largest accepted answer, unpacked. Default 16 MiB. */
  readonly maxResponseBytes?: number;
  /** Users requested in one page of the listing; Lattice may send fewer. Default 100. */
  readonly pageSize?: number;
  /** The method that an earlier run found, so that `auto` need not request the ServiceProviderConfig again. */
  readonly knownUpdateMethod?: UpdateMethod | undefined;
  /** Asked before each request, which may take as long as the timeout. Default: nothing is asked. */
  readonly right?: SendingRight | undefined;
}
