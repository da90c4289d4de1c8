import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv4 } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { UsageError } from "../../domain/errors.ts";
import type { Secret } from "../../domain/secret.ts";
import { createSessions, sessionLifetimeSeconds } from "./sessions.ts";

/** Who may use the daemon's HTTP. */
export interface AccessSettings {
  readonly token?: Secret | undefined;
  /** Header in which one of `trustedProxies` names whom it has signed in. */
  readonly trustedHeader?: string | undefined;
  readonly trustedProxies: readonly string[];
  /** Origin under which browsers reach the page. */
  readonly publicUrl?: string | undefined;
}

/** How a request was let in. `open`: nothing is asked for on this machine. */
export type Identity =
  | { readonly kind: "open" | "bearer" | "session" }
  | { readonly kind: "proxy"; readonly name: string };

export interface Access {
  /** What somebody without leave is asked for. */
  readonly asks: "nothing" | "token" | "proxy";
  identify(request: FastifyRequest): Identity | null;
  /** Opens a session where the token is right. */
  signIn(token: string, reply: FastifyReply): boolean;
  signOut(request: FastifyRequest, reply: FastifyReply): void;
  /** Why this request must not change anything although it was let in: another site may have made the browser send it. */
  foreign(request: FastifyRequest, identity: Identity | null): string | null;
  /** Whether the request is for a name that this machine does not have: a page elsewhere whose name now leads here. */
  rebound(request: FastifyRequest): boolean;
}

/** Whether `host` is this machine and nobody else can connect. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

/** @throws UsageError where others could connect and nothing would be asked of them */
export function refuseUnguarded(host: string, { token, trustedHeader }: AccessSettings): void {
  if (isLoopbackHost(host) || token !== undefined || trustedHeader !== undefined) return;
  throw new UsageError(
    `others can connect to ${host}, and nothing would be asked of them: set http.token (ALS_HTTP_TOKEN), or http.trustedHeader and http.trustedProxies, or listen on 127.0.0.1`,
  );
}

/** @param now milliseconds since the epoch */
export function createAccess(settings: AccessSettings, now: () => number): Access {
  const { token, trustedHeader, publicUrl } = settings;
  const sessions = createSessions(now);
  const proxies = addresses(settings.trustedProxies);
  const secure = publicUrl?.startsWith("https:") === true;
  // The prefix keeps other hosts of the domain, and plain http, from setting it.
  const cookieName = secure ? "__Host-als-session" : "als-session";
  const isToken = comparer(token);
  const header = trustedHeader?.toLowerCase();
  const open = token === undefined && header === undefined;
  const cookie = { path: "/", httpOnly: true, sameSite: "strict", secure } as const;

  const proxyIdentity = (request: FastifyRequest): Identity | null => {
    if (header === undefined || !proxies(request.ip)) return null;
    const name = request.headers[header];
    return typeof name === "string" && name !== "" ? { kind: "proxy", name: name.slice(0, 200) } : null;
  };

  return {
    asks: open ? "nothing" : token === undefined ? "proxy" : "token",
    identify: (request) => {
      if (open) return { kind: "open" };
      const bearer = bearerOf(request);
      // A wrong bearer is an answer of its own: nothing else is tried in its place.
      if (bearer !== null) return isToken(bearer) ? { kind: "bearer" } : null;
      const id = request.cookies[cookieName];
      if (id !== undefined && sessions.has(id)) return { kind: "session" };
      return proxyIdentity(request);
    },
    signIn: (given, reply) => {
      if (!isToken(given)) return false;
      reply.setCookie(cookieName, sessions.open(), { ...cookie, maxAge: sessionLifetimeSeconds });
      return true;
    },
    signOut: (request, reply) => {
      const id = request.cookies[cookieName];
      if (id !== undefined) sessions.close(id);
      reply.clearCookie(cookieName, cookie);
    },
    foreign: (request, identity) => {
      // No browser adds a bearer by itself.
      if (identity?.kind === "bearer") return null;
      const site = request.headers["sec-fetch-site"];
      if (site !== undefined && site !== "same-origin") return "this request came from another site";
      const { origin } = request.headers;
      if (origin !== undefined && !isOwn(origin, request.headers.host, publicUrl)) {
        return "this request came from another site; where a proxy changes the host name, set http.publicUrl";
      }
      // Another site cannot add a header without being asked about it first, and that is never answered.
      if (request.headers["x-requested-by"] === undefined) return "the header X-Requested-By is missing";
      return null;
    },
    rebound: (request) => open && !isLoopbackHost(hostNameOf(request.headers.host)),
  };
}

export function bearerOf(request: FastifyRequest): string | null {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

/** Compares digests under a key of this process, so that neither length nor content can be measured. */
function comparer(token: Secret | undefined): (given: string) => boolean {
  if (token === undefined) return () => false;
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const wanted = digest(token.reveal());
  return (given) => timingSafeEqual(digest(given), wanted);
}

function addresses(list: readonly string[]): (ip: string) => boolean {
  const known = new BlockList();
  for (const entry of list) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (bits === undefined) known.addAddress(address, family);
    else known.addSubnet(address, Number(bits), family);
  }
  return (ip) => {
    const plain = ip.replace(/^::ffff:(?=\d+\.)/i, "");
    return known.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
  };
}

function isOwn(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return from.origin === publicUrl || from.host === host?.toLowerCase();
}

function hostNameOf(host: string | undefined): string {
  const url = `http://${host ?? ""}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
}
