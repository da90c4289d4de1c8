import { isUtf8 } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { BlockList, isIP, isIPv4 } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isLocal, type Listen, listenText } from "../../config/listen.ts";
import { UsageError } from "../../domain/errors.ts";
import type { Secret } from "../../domain/secret.ts";
import { printable } from "../../report/words.ts";
import { createOwnNames } from "./own-names.ts";
import { createSessions, type Sessions, sessionLifetimeSeconds } from "./sessions.ts";
import { createSignInCodes } from "./sign-in-codes.ts";

/** The settings that decide who may use the daemon's HTTP. */
export interface AccessSettings {
  readonly token?: Secret | undefined;
  /** Header in which one of `trustedProxies` names the user it has signed in. */
  readonly trustedHeader?: string | undefined;
  readonly trustedProxies: readonly string[];
  /** Origin at which browsers reach the page. */
  readonly publicUrl?: string | undefined;
  /** Further names by which browsers reach the page. */
  readonly hosts: readonly string[];
}

/** How a request was admitted. `open`: on this machine, without a credential. */
export type Identity =
  | { readonly kind: "open" | "bearer" | "session" }
  | { readonly kind: "proxy"; readonly name: string };

export interface Access {
  /** The credential that a client without access is asked for. */
  readonly asks: "nothing" | "token" | "proxy";
  /** The same answer for the whole request, even if the user signs out while it runs. `null`: not admitted. */
  identify(request: FastifyRequest): Identity | null;
  /** The credential that a request brings, right or wrong. */
  credentialOf(request: FastifyRequest): "bearer" | "session" | null;
  /** Opens a session if the token, or the code of a link, is right. */
  signIn(given: { readonly token: string } | { readonly code: string }, reply: FastifyReply): boolean;
  /** A code for a link that signs in once. */
  signInCode(): string;
  signOut(request: FastifyRequest, reply: FastifyReply): void;
  /**
   * Why this request is refused from any sender: it names a host that is not the daemon's, so a page elsewhere may have let its
   * own name resolve to this machine. A request with a right bearer is not refused, because such a page does not know the token.
   */
  misdirected(request: FastifyRequest, identity: Identity | null): string | null;
  /** Why this request is refused from any sender: another site made the browser send it. A right bearer is not refused. */
  foreign(request: FastifyRequest, identity: Identity | null): string | null;
}

/** @throws UsageError if others could connect and no credential would be required of them */
export function refuseUnguarded(listen: Listen, { token, trustedHeader }: AccessSettings): void {
  if (isLocal(listen) || token !== undefined || trustedHeader !== undefined) return;
  throw new UsageError(
    `others can connect to ${"host" in listen ? listen.host : listenText(listen)}, and no sign-in would be required: set http.token (ALS_HTTP_TOKEN), or http.trustedHeader and http.trustedProxies, or listen on 127.0.0.1`,
  );
}

/** Doubts about settings that are allowed, but may admit other people than expected, in sentences for the log. */
export function doubtsAbout(listen: Listen, settings: AccessSettings): readonly string[] {
  const { token, trustedHeader, trustedProxies, publicUrl, hosts } = settings;
  const isProxy = addresses(trustedProxies, listen);
  const doubts = [];
  if (token !== undefined && !isLocal(listen)) {
    doubts.push(
      "plain HTTP: the token travels unencrypted; put a reverse proxy with TLS in front of the daemon",
    );
  }
  if (trustedHeader !== undefined && ["127.0.0.1", "::1"].some(isProxy)) {
    doubts.push(
      "http.trustedProxies contains this machine itself: every local account can claim to be any user; let the proxy connect through a Unix socket (http.listen: unix:…, trustedProxies: [unix])",
    );
  }
  if ("host" in listen && trustedProxies.includes("unix")) {
    doubts.push(
      "http.trustedProxies contains unix, but http.listen is not a Unix socket: the entry has no effect",
    );
  }
  if (trustedHeader !== undefined && publicUrl === undefined && hosts.length === 0) {
    doubts.push(
      "http.publicUrl is not set: if a proxy changes the Host header, the daemon cannot check which name the browser asked for",
    );
  }
  return doubts;
}

/** @param now milliseconds since the epoch */
export function createAccess(
  settings: AccessSettings,
  listen: Listen,
  now: () => number,
  sessions: Sessions = createSessions(now),
): Access {
  const { token, trustedHeader, publicUrl, hosts } = settings;
  const names = createOwnNames({ listen, publicUrl, hosts });
  const codes = createSignInCodes(now);
  const proxies = addresses(settings.trustedProxies, listen);
  const secure = publicUrl?.startsWith("https:") === true;
  // The prefix prevents other hosts of the domain, and plain http, from setting the cookie.
  const cookieName = secure ? "__Host-als-session" : "als-session";
  const isToken = comparer(token);
  const header = trustedHeader?.toLowerCase();
  const open = token === undefined && header === undefined;
  const cookie = { path: "/", httpOnly: true, sameSite: "strict", secure } as const;

  const proxyIdentity = (request: FastifyRequest): Identity | null => {
    // The address of the connection, not one from a header.
    if (header === undefined || !proxies(request.socket.remoteAddress)) return null;
    const given = request.raw.headersDistinct[header] ?? [];
    const [name = ""] = given;
    // If there are two, one may come from the client itself.
    return given.length === 1 && name !== "" ? { kind: "proxy", name: inWords(name).slice(0, 200) } : null;
  };

  const identityOf = (request: FastifyRequest): Identity | null => {
    if (open) return { kind: "open" };
    const bearer = bearerOf(request);
    // A wrong bearer is refused at once: no other credential is tried instead.
    if (bearer !== null) return isToken(bearer) ? { kind: "bearer" } : null;
    const id = request.cookies[cookieName];
    if (id !== undefined && sessions.has(id)) return { kind: "session" };
    return proxyIdentity(request);
  };
  const identities = new WeakMap<FastifyRequest, { readonly identity: Identity | null }>();

  return {
    asks: open ? "nothing" : token === undefined ? "proxy" : "token",
    identify: (request) => {
      const known = identities.get(request) ?? { identity: identityOf(request) };
      identities.set(request, known);
      return known.identity;
    },
    credentialOf: (request) => {
      if (bearerOf(request) !== null) return "bearer";
      return request.cookies[cookieName] === undefined ? null : "session";
    },
    signIn: (given, reply) => {
      if (!("code" in given ? codes.use(given.code) : isToken(given.token))) return false;
      reply.setCookie(cookieName, sessions.open(), { ...cookie, maxAge: sessionLifetimeSeconds });
      return true;
    },
    signInCode: codes.make,
    signOut: (request, reply) => {
      const id = request.cookies[cookieName];
      if (id !== undefined) sessions.close(id);
      reply.clearCookie(cookieName, cookie);
    },
    misdirected: (request, identity) => {
      if (identity?.kind === "bearer") return null;
      const { host } = request.headers;
      const stranger = askedNames(request).find((name) => !names.has(name));
      if (stranger !== undefined) {
        return `This daemon does not answer to the name "${printable(stranger.slice(0, 260))}". If the name is the daemon's, set http.publicUrl or add the name to http.hosts.`;
      }
      // Behind a proxy that sends its own name, the browser's name is unknown.
      if (identity?.kind === "proxy" && names.hasPublic && !names.isPublic(host)) {
        return `The reverse proxy did not pass on the Host header of the browser (it sent "${printable(host ?? "")}"). Configure it to pass on the Host, which must be that of http.publicUrl or one of http.hosts.`;
      }
      return null;
    },
    foreign: (request, identity) => {
      // A browser never adds a bearer by itself.
      if (identity?.kind === "bearer") return null;
      const reads = request.method === "GET" || request.method === "HEAD";
      const site = request.headers["sec-fetch-site"];
      // "none": a person typed the address.
      if (site !== undefined && site !== "same-origin" && !(reads && site === "none")) {
        return "This request came from another site.";
      }
      const { origin } = request.headers;
      if (origin !== undefined && !names.owns(origin, request.headers.host)) {
        return "This request came from another site. If a proxy changes the host name, set http.publicUrl.";
      }
      // Another site cannot add a header without a preflight request, which is never granted.
      if (!reads && request.headers["x-requested-by"] === undefined) {
        return "The header X-Requested-By is missing.";
      }
      return null;
    },
  };
}

/** The names in `Host` and, if a proxy recorded the original one, in `X-Forwarded-Host`. */
function askedNames(request: FastifyRequest): string[] {
  const forwarded = String(request.headers["x-forwarded-host"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return [request.headers.host ?? "", ...forwarded];
}

/** Node decodes header bytes as Latin-1; proxies write names in UTF-8. */
function inWords(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : value;
}

function bearerOf(request: FastifyRequest): string | null {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

/** Compares digests under a key of this process, so that neither length nor content can be measured by time. */
function comparer(token: Secret | undefined): (given: string) => boolean {
  if (token === undefined) return () => false;
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const wanted = digest(token.reveal());
  return (given) => timingSafeEqual(digest(given), wanted);
}

/**
 * Makes a function that returns `true` for an address on the list. A client of a Unix socket has no address; nor has a network client
 * that has disconnected before its address is read.
 */
export function addresses(list: readonly string[], listen: Listen): (address: string | undefined) => boolean {
  const known = new BlockList();
  const sockets = "path" in listen && list.includes("unix");
  for (const entry of list.filter((address) => address !== "unix")) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (bits === undefined) known.addAddress(address, family);
    else known.addSubnet(address, Number(bits), family);
  }
  return (ip) => {
    if (ip === undefined) return sockets;
    const plain = ip.replace(/^::ffff:(?=\d+\.)/i, "");
    return isIP(plain) !== 0 && known.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
  };
}
