import { hostname } from "node:os";
import { isLoopbackHost, type Listen } from "../../config/listen.ts";

/** The names by which the daemon may be reached. */
export interface NameSettings {
  readonly listen: Listen;
  /** Origin at which browsers reach the page. */
  readonly publicUrl?: string | undefined;
  /** Further host names. */
  readonly hosts: readonly string[];
}

/**
 * The names that the daemon answers to. A page elsewhere can let its own name resolve to this machine (DNS rebinding). The
 * browser then treats both as one site, and only the name in `Host` shows the difference.
 */
export interface OwnNames {
  /** `true` if any name other than the machine's own is configured. */
  readonly hasPublic: boolean;
  /** `true` if the value of a header `Host` names this daemon. */
  has(host: string | undefined): boolean;
  /** `true` if it is one of the names that are configured for browsers: `http.publicUrl` or `http.hosts`. */
  isPublic(host: string | undefined): boolean;
  /** `true` if a page of `origin` is the daemon's own, in a request for `host`, which is known to be its name. */
  owns(origin: string, host: string | undefined): boolean;
}

export function createOwnNames({ listen, publicUrl, hosts }: NameSettings): OwnNames {
  const published = new Set(hosts.map(plainName));
  if (publicUrl !== undefined) published.add(nameOf(new URL(publicUrl).host) ?? "");
  const own = new Set([plainName("host" in listen ? listen.host : ""), plainName(hostname()), ...published]);
  // An address such as 0.0.0.0 is one to listen on, not a name.
  for (const nowhere of ["", "0.0.0.0", "::"]) own.delete(nowhere);
  const isPublic = (host: string | undefined): boolean => published.has(nameOf(host) ?? "");
  return {
    hasPublic: published.size > 0,
    isPublic,
    has: (host) => {
      const name = nameOf(host);
      return name !== null && (isLoopbackHost(name) || own.has(name));
    },
    owns: (origin, host) => {
      if (!URL.canParse(origin)) return false;
      const from = new URL(origin);
      return from.origin === publicUrl || from.host === hostAndPort(host, from.protocol);
    },
  };
}

/** The name in `host`, without port and final dot, as a browser writes it; `null` if it is not a name. */
function nameOf(host: string | undefined): string | null {
  if (host === undefined || !/^(?:[^\s/?#@\\:[\]]+|\[[0-9a-f:.]+\])(?::\d*)?$/i.test(host)) return null;
  const url = `http://${host}`;
  return URL.canParse(url) ? plainName(new URL(url).hostname) : null;
}

/** Without the port that `protocol` implies, as in an origin. */
function hostAndPort(host: string | undefined, protocol: string): string {
  const url = `${protocol}//${host ?? ""}`;
  return URL.canParse(url) ? new URL(url).host : "";
}

function plainName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}
