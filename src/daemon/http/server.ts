import type { AddressInfo } from "node:net";
import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { z } from "zod";
import { StateError, UsageError } from "../../domain/errors.ts";
import { type Access, type AccessSettings, bearerOf, createAccess, refuseUnguarded } from "./access.ts";
import { serveAssets } from "./assets.ts";
import type { DaemonView } from "./daemon-view.ts";
import { parse } from "./parse.ts";
import { stateRoutes } from "./routes-state.ts";
import { workRoutes } from "./routes-work.ts";
import { metricsText, readiness } from "./situation.ts";

export interface HttpServer {
  readonly url: string;
  /** Ends at once; answers under way are cut off. */
  close(): Promise<void>;
}

export interface Listen {
  readonly host: string;
  readonly port: number;
}

const signInAttempts = { max: 10, timeWindow: "15 minutes" };
const wrongBearers = { max: 60, timeWindow: "1 minute" };
const longestBody = 1024 * 1024;
/** Of a person in an address; a user principal name has up to 113 characters, and each may be written as nine. */
const longestName = 1_100;

const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * Serves health, metrics, the API and the dashboard.
 * @throws UsageError where the address cannot be taken, or would be open to others
 */
export async function startHttp(
  listen: Listen,
  settings: AccessSettings,
  view: DaemonView,
): Promise<HttpServer> {
  refuseUnguarded(listen.host, settings);
  const access = createAccess(settings, listen.host, view.now);
  const app = fastify({
    bodyLimit: longestBody,
    forceCloseConnections: true,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: longestName },
    // What is refused before any route is found passes no hook: the headers are set here.
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders);
      sayError(error, request, reply, view);
    },
  });
  // A form of another site can send text and nothing else without being asked.
  app.removeContentTypeParser("text/plain");
  const https = settings.publicUrl?.startsWith("https:") === true;
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
    if (https) reply.header("strict-transport-security", "max-age=31536000");
  });
  app.setErrorHandler((error, request, reply) => sayError(error, request, reply, view));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "there is nothing here" }));
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  healthRoutes(app, view);
  await app.register(async (page) => {
    page.addHook("onRequest", async (request, reply) => {
      const misdirected = access.misdirected(request, access.identify(request));
      if (misdirected !== null) return reply.code(403).send({ error: misdirected });
    });
    serveAssets(page);
    sessionRoutes(page, access, view);
  });
  await app.register((scope) => guardedRoutes(scope, access, view));
  return open(app, listen);
}

function healthRoutes(app: FastifyInstance, view: DaemonView): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  const ready = readiness(view);
  app.get("/readyz", async (_request, reply) => {
    const isReady = await ready();
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ok" : "not ready" });
  });
}

/** Signing in and out on the page. */
function sessionRoutes(app: FastifyInstance, access: Access, view: DaemonView): void {
  app.get("/api/session", async (request, reply) => {
    const identity = access.identify(request);
    const foreign = access.foreign(request, identity);
    if (foreign !== null) return reply.code(403).send({ error: foreign });
    return {
      asks: access.asks,
      signedIn: identity !== null,
      by: identity?.kind ?? null,
      name: identity?.kind === "proxy" ? identity.name : null,
    };
  });
  app.post("/api/session", { config: { rateLimit: signInAttempts } }, async (request, reply) => {
    const foreign = access.foreign(request, null);
    if (foreign !== null) return reply.code(403).send({ error: foreign });
    const { token } = parse(z.strictObject({ token: z.string().max(10_000) }), request.body);
    if (access.signIn(token, reply)) return { signedIn: true };
    view.log.warn({ from: request.ip }, "a sign-in on the dashboard was refused");
    return reply.code(401).send({ error: "this is not the token" });
  });
  app.delete("/api/session", async (request, reply) => {
    const foreign = access.foreign(request, null);
    if (foreign !== null) return reply.code(403).send({ error: foreign });
    access.signOut(request, reply);
    return { signedIn: false };
  });
}

/** Everything that needs leave. */
async function guardedRoutes(app: FastifyInstance, access: Access, view: DaemonView): Promise<void> {
  const wrongTokens = app.createRateLimit(wrongBearers);
  const tooManyWrong = async (request: FastifyRequest, increment: boolean): Promise<boolean> => {
    const count = await wrongTokens(request, { increment });
    return !count.isAllowed && count.isExceeded;
  };
  app.addHook("onRequest", async (request, reply) => {
    const bearer = bearerOf(request) !== null;
    // Asked before the token is looked at: after too many wrong ones a right one tells nothing either.
    if (bearer && (await tooManyWrong(request, false))) {
      return reply.code(429).send({ error: "too many wrong tokens: wait a minute" });
    }
    const identity = access.identify(request);
    if (identity === null) {
      if (bearer) await tooManyWrong(request, true);
      return reply
        .code(401)
        .header("www-authenticate", "Bearer")
        .send({ error: access.asks === "proxy" ? "the reverse proxy has named nobody" : "sign in first" });
    }
    const refused = access.misdirected(request, identity) ?? access.foreign(request, identity);
    if (refused !== null) return reply.code(403).send({ error: refused });
    if (request.method === "GET" || request.method === "HEAD") return;
    view.log.info(
      { by: identity.kind, method: request.method, route: request.routeOptions.url },
      "asked for over HTTP",
    );
  });
  const metrics = metricsText(view);
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", view.metrics.contentType).send(await metrics()),
  );
  await app.register(
    async (api) => {
      stateRoutes(api, view);
      workRoutes(api, view);
    },
    { prefix: "/api" },
  );
}

function sayError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  view: DaemonView,
): FastifyReply {
  if (error instanceof UsageError) return reply.code(400).send({ error: error.message });
  if (error instanceof StateError) {
    view.log.error({ error: error.message }, "a request could not be answered");
    return reply.code(503).send({ error: "the state database cannot be read just now; the log says why" });
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status === 429) return reply.code(429).send({ error: "too many attempts: try again later" });
  if (status >= 400 && status < 500) {
    return reply.code(status).send({ error: "the request cannot be understood" });
  }
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  view.log.error({ route: request.routeOptions.url, error: said }, "a request met an error of this program");
  return reply.code(500).send({ error: "this did not work; the log says why" });
}

async function open(app: FastifyInstance, listen: Listen): Promise<HttpServer> {
  try {
    await app.listen({ host: listen.host, port: listen.port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UsageError(
      `cannot listen on ${listen.host}:${listen.port} (${code}): choose another http.listen or --listen`,
      { cause: error },
    );
  }
  const { address, port } = app.server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${port}`,
    close: () => app.close(),
  };
}
