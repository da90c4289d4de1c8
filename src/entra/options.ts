import type { Clock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import type { Logger } from "../domain/logger.ts";
import { isLoopbackName } from "../domain/loopback.ts";
import type { RequestObserver } from "../domain/request.ts";
import type { Secret } from "../domain/secret.ts";

/** The application's credential for Entra. */
export type EntraCredential =
  | { readonly kind: "clientSecret"; readonly secret: Secret }
  /** `path`: a PEM file with the certificate and its private key. `password` decrypts the key. */
  | { readonly kind: "clientCertificate"; readonly path: string; readonly password?: Secret }
  | { readonly kind: "managedIdentity" }
  | { readonly kind: "workloadIdentity" }
  | { readonly kind: "default" };

/** The people who take part. `nested`: members of groups within groups count too. */
export type EntraScope =
  /** `application`: object id of the enterprise application, its application (client) id, or its display name. */
  | { readonly mode: "assigned"; readonly application: string; readonly nested: boolean }
  /** `groups`: object ids or display names. */
  | { readonly mode: "groups"; readonly groups: readonly string[]; readonly nested: boolean }
  | { readonly mode: "all" };

/** Groups that scoping filters or expressions name, by object id or display name. `nested`: members of groups within them count too. */
export interface NamedGroups {
  readonly names: readonly string[];
  readonly nested: boolean;
}

/** Everything that `createEntraSource` needs. */
export interface EntraOptions {
  /** Tenant (directory) id or one of its domain names. */
  readonly tenantId: string;
  /** Application (client) id; managed identities and the default chain can work without it. */
  readonly clientId: string | undefined;
  readonly credential: EntraCredential;
  /** Origin without a path, such as `https://login.microsoftonline.com`. */
  readonly authorityHost: string;
  /** Origin without a path, such as `https://graph.microsoft.com`. */
  readonly graphUrl: string;
  readonly scope: EntraScope;
  /** Default: none. */
  readonly namedGroups?: NamedGroups;
  /** A group whose members a new configuration is tried on first, by object id or display name. Default: none. */
  readonly canaryGroup?: string | null;
  /** The Graph properties that the mapping needs; `manager` requests the manager's id. */
  readonly select: readonly string[];
  readonly clock: Clock;
  readonly log?: Logger;
  /** Called after each request to Graph. */
  readonly onRequest?: RequestObserver | undefined;
  /** Longest wait for one answer including its body. Default 60,000. */
  readonly timeoutMs?: number;
  /** Value of the `User-Agent` header. */
  readonly userAgent?: string;
}

/**
 * Parses the origin in `value` of the setting `name`.
 * @throws UsageError if it is not a URL, has a path, or is plain http to another machine
 */
export function parseOrigin(name: string, value: string): URL {
  if (!URL.canParse(value)) {
    throw new UsageError(`${name} is not a URL: "${value}". Write it as in https://host.example.com.`);
  }
  const url = new URL(value);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackName(url.hostname))) {
    throw new UsageError(
      `${name} must begin with https:// (http:// is accepted only for this machine): "${url.protocol}//${url.host}".`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      `${name} must not contain a user name or password: remove everything before the "@".`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new UsageError(`${name} must end after the host name: write ${url.origin}.`);
  }
  return url;
}
