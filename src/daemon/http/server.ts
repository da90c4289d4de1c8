import type { AddressInfo } from "node:net";
import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { type Listen, listenText } from "../../config/listen.ts";
import { type Actor, actorText } from "../../domain/actor.ts";
import { DomainError, StateError, UsageError } from "../../domain/errors.ts";
import { sentences } from "../../domain/sentence.ts";
import { jsonText } from "../../domain/visible.ts";
import {
  type Access,
  type AccessSettings,
  addresses,
  createAccess,
  doubtsAbout,
  refuseUnguarded,
} from "./access.ts";
import { actorOf } from "./actor.ts";
import { createAdmission } from "./admission.ts";
import { serveAssets } from "./assets.ts";
import type { DaemonView } from "./daemon-view.ts";
import { type FleetNow, fleetReader, orAlone } from "./fleet-view.ts";
import { createGuesses } from "./guesses.ts";
import { accountRoutes } from "./routes-accounts.ts";
import { fleetRoutes } from "./routes-fleet.ts";
import { JobRefusal, jobByDefault, jobInAddress, jobListRoutes, type ViewOf } from "./routes-jobs.ts";
import { pauseRoutes } from "./routes-pause.ts";
import { sessionRoutes } from "./routes-session.ts";
import { stateRoutes } from "./routes-state.ts";
import { workRoutes } from "./routes-work.ts";
import { metricsText, readiness } from "./situation.ts";
import { takeTurns } from "./turns.ts";
import { clearSocket, guardSocket } from "./unix-socket.ts";

export interface HttpServer {
  readonly url: string;
  /** Settings that are allowed and yet admit more people than expected, in sentences. */
  readonly doubts: readonly string[];
  /** A link that signs in once, within 15 minutes; `null` if the page requires no token. */
  signInLink(): string | null;
  /** Ends at once; unfinished answers are cut off. */
  close(): Promise<void>;
}

const longestBody = 1024 * 1024;
/** For a person in an address; a user principal name has up to 113 characters, and each may be encoded as nine. */
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
 * @throws UsageError if the address cannot be used, or would be open to others
 */
export async function startHttp(
  listen: Listen,
  settings: AccessSettings,
  view: DaemonView,
): Promise<HttpServer> {
  refuseUnguarded(listen, settings);
  if ("path" in listen) await clearSocket(listen.path);
  const access = createAccess(settings, listen, view.now, view.sessions);
  const app = fastify({
    bodyLimit: longestBody,
    forceCloseConnections: true,
    requestTimeout: 30_000,
    trustProxy: settings.trustedProxies.length === 0 ? false : addresses(settings.trustedProxies, listen),
    routerOptions: { maxParamLength: longestName },
    // A request that is refused before routing passes no hook: the headers are set here.
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders);
      sayError(error, request, reply, view);
    },
  });
  app.setReplySerializer((answer) => jsonText(answer));
  // A form of another site can only send text without a preflight request.
  app.removeContentTypeParser("text/plain");
  const https = settings.publicUrl?.startsWith("https:") === true;
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
    if (https) reply.header("strict-transport-security", "max-age=31536000");
  });
  app.setErrorHandler((error, request, reply) => sayError(error, request, reply, view));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: "There is nothing at this address." }),
  );
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  healthRoutes(app, view);
  const guesses = createGuesses(app, view);
  const admit = createAdmission(access, guesses, view);
  await app.register(async (page) => {
    // Pages elsewhere may link to the page, which holds no data itself.
    page.addHook("onRequest", admit({ signedIn: false, ownSite: false }));
    serveAssets(page);
  });
  await app.register(async (session) => {
    session.addHook("onRequest", admit({ signedIn: false, ownSite: true }));
    sessionRoutes(session, access, guesses, view.jobs);
  });
  await app.register(async (guarded) => {
    guarded.addHook("onRequest", admit({ signedIn: true, ownSite: true }));
    await guardedRoutes(guarded, access, view);
  });
  const { url, close } = await open(app, listen);
  const signInLink = (): string => `${url}/#/sign-in/${access.signInCode()}`;
  return {
    url,
    close,
    doubts: doubtsAbout(listen, settings),
    signInLink: () => (access.asks === "token" && "host" in listen ? signInLink() : null),
  };
}

function healthRoutes(app: FastifyInstance, view: DaemonView): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  const ready = readiness(view);
  app.get("/readyz", async (_request, reply) => {
    const { jobs, notReady } = await ready();
    const status = notReady === 0 ? "ok" : "not ready";
    return reply
      .code(notReady === 0 ? 200 : 503)
      .send(view.jobs.named ? { status, jobs, notReady } : { status });
  });
}

/** All routes that require sign-in. */
async function guardedRoutes(app: FastifyInstance, access: Access, view: DaemonView): Promise<void> {
  app.addHook("onRequest", async (request) => {
    if (request.method === "GET" || request.method === "HEAD") return;
    const identity = access.identify(request);
    view.log.info(
      {
        by: identity?.kind,
        actor: actorText(actorOf(identity)),
        method: request.method,
        route: request.routeOptions.url,
        ...jobOf(request.params),
      },
      "requested over HTTP",
    );
  });
  const readFleet = fleetReader(view);
  const fleet = (): Promise<FleetNow> => orAlone(readFleet());
  const metrics = metricsText(view, fleet);
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", view.metrics.contentType).send(await metrics()),
  );
  const actor = (request: FastifyRequest): Actor => actorOf(access.identify(request));
  const { jobs, version } = view;
  const jobRoutes = async (prefix: string, viewOf: ViewOf): Promise<void> => {
    await app.register(
      async (api) => {
        takeTurns(api, `${prefix}/works`);
        stateRoutes(api, version, viewOf, fleet);
        workRoutes(api, viewOf, actor);
        pauseRoutes(api, viewOf, actor);
        accountRoutes(api, viewOf, actor);
      },
      { prefix },
    );
  };
  await app.register(
    async (api) => {
      takeTurns(api, null);
      jobListRoutes(api, view, fleet);
      fleetRoutes(api, view, readFleet);
    },
    { prefix: "/api" },
  );
  await jobRoutes("/api", jobByDefault(jobs));
  await jobRoutes("/api/jobs/:job", jobInAddress(jobs));
}

/** The job in an address, for the log. */
function jobOf(parameters: unknown): { readonly job?: string } {
  const job =
    typeof parameters === "object" && parameters !== null && "job" in parameters ? parameters.job : undefined;
  return typeof job === "string" ? { job } : {};
}

function sayError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  view: DaemonView,
): FastifyReply {
  if (error instanceof JobRefusal) return reply.code(error.statusCode).send({ error: error.message });
  if (error instanceof UsageError) return reply.code(400).send({ error: sentences(error.message) });
  if (error instanceof StateError) {
    view.log.error({ error: error.message }, "a request could not be answered");
    return reply
      .code(503)
      .send({ error: "The state database cannot be read at the moment. The log says why." });
  }
  // Entra or Lattice did not do what the request needs.
  if (error instanceof DomainError) return reply.code(502).send({ error: sentences(error.message) });
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) {
    return reply.code(status).send({
      error: status === 413 ? "The request is too large." : "The request is not valid.",
    });
  }
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  view.log.error(
    { route: request.routeOptions.url, error: said },
    "a request failed because of a fault of this program",
  );
  return reply.code(500).send({ error: "The request failed. The log says why." });
}

async function open(app: FastifyInstance, listen: Listen): Promise<Pick<HttpServer, "url" | "close">> {
  try {
    await app.listen({ ...listen });
    if ("path" in listen) guardSocket(listen.path);
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UsageError(
      `cannot listen on ${listenText(listen)} (${code}): choose another http.listen or --listen`,
      { cause: error },
    );
  }
  if ("path" in listen) return { url: listenText(listen), close: () => app.close() };
  const { address, port } = app.server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${port}`,
    close: () => app.close(),
  };
}
