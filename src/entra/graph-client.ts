import {
  Client,
  type Context,
  HTTPMessageHandler,
  type Middleware,
  type MiddlewareOptions,
  ResponseType,
} from "@microsoft/microsoft-graph-client";
import type { Clock } from "../domain/clock.ts";
import { ConfigurationError, HostUnavailableError } from "../domain/errors.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Logger } from "../domain/logger.ts";
import { parseJson } from "../domain/parse-json.ts";
import { redactor } from "../domain/redact.ts";
import type { RequestObserver } from "../domain/request.ts";
import { classifyConnectionError, describeConnectionFault } from "./connection.ts";
import type { TokenProvider } from "./credential.ts";
import { errorOfAnswer, type GraphCall, malformed } from "./graph-error.ts";
import { PassingFault, withRetries } from "./retry.ts";

/** Reads from the configured Graph host. */
export interface GraphReader {
  /** Origin of every request. */
  readonly origin: string;
  /**
   * The JSON object at `url`; transient errors are retried. The URL is sent exactly as it is.
   * @throws GraphRefusalError, ConfigurationError, HostUnavailableError, the signal's reason
   */
  get(url: URL, call: GraphCall, signal: AbortSignal): Promise<JsonObject>;
  /** How far Graph's clock is ahead of ours according to its last answer; `undefined` before the first. */
  clockSkewMs(): number | undefined;
}

/** The input of a reader; `graphUrl` has been checked. */
export interface GraphReaderOptions {
  readonly graphUrl: URL;
  readonly tokens: TokenProvider;
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Called after each request. */
  readonly onRequest?: RequestObserver | undefined;
  /** Longest accepted body, in bytes. Default 64 MiB; a page of 999 users has about one. */
  readonly maximumBytes?: number;
}

/** A larger difference of the clocks gives a warning: Entra accepts tokens within five minutes. */
const worrisomeSkewMs = 300_000;

/** Makes a reader on Microsoft's client, with a middleware chain that keeps the token on one origin. */
export function createGraphReader(options: GraphReaderOptions): GraphReader {
  const { clock, graphUrl, log, onRequest, maximumBytes = 64 * 1024 * 1024 } = options;
  const client = Client.initWithMiddleware({
    baseUrl: graphUrl.origin,
    defaultVersion: "v1.0",
    middleware: middlewareChain(options),
  });
  let skewMs: number | undefined;

  async function attempt(url: URL, call: GraphCall, signal: AbortSignal): Promise<JsonObject> {
    const exchange = new Exchange(url, call, signal);
    const sentAt = clock.now();
    const observe = (status: number | null): void =>
      onRequest?.({ end: "entra", method: "GET", status, durationMs: clock.now() - sentAt });
    try {
      const response = await send(client, exchange).catch((error: unknown) => {
        observe(null);
        throw error;
      });
      skewMs = skewOf(response, clock.now()) ?? skewMs;
      const redact = redactor(exchange.token);
      const text = redact(await readText(response, maximumBytes, graphUrl.host));
      const body = parseJson(text);
      observe(response.status);
      log?.debug({ url: url.pathname, status: response.status, bytes: text.length }, "Graph answered.");
      if (!response.ok) {
        throw errorOfAnswer(
          graphUrl.host,
          call,
          { status: response.status, headers: redactedHeaders(response, redact), body },
          skewHint(skewMs),
        );
      }
      if (isJsonObject(body)) return body;
      const verdict = malformed(graphUrl.host, `the answer for ${call.subject} is incomplete or not JSON`);
      throw new PassingFault({ kind: "malformed" }, verdict);
    } catch (error) {
      signal.throwIfAborted();
      throw connectionError(error, graphUrl.host, call) ?? error;
    }
  }

  return {
    origin: graphUrl.origin,
    async get(url, call, signal) {
      refuseForeign(url, graphUrl);
      return withRetries(() => attempt(url, call, signal), {
        clock,
        signal,
        log,
        what: `Reading ${call.subject}`,
      });
    },
    clockSkewMs: () => skewMs,
  };
}

/** The warning about the clocks; empty if they agree well enough. */
export function skewHint(skewMs: number | undefined): string {
  if (skewMs === undefined || Math.abs(skewMs) < worrisomeSkewMs) return "";
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `This machine's clock is ${minutes} minutes ${skewMs > 0 ? "behind" : "ahead of"} Graph's: correct it (NTP).`;
}

/** One attempt as the middleware sees it, passed through the client as a middleware option. */
class Exchange implements MiddlewareOptions {
  readonly url: URL;
  readonly call: GraphCall;
  readonly signal: AbortSignal;
  /** The client wraps errors of its middleware and loses the cause; this keeps it. */
  thrown: { readonly error: unknown } | undefined;
  /** The last bearer token sent; an answer may repeat it. */
  token = "";

  constructor(url: URL, call: GraphCall, signal: AbortSignal) {
    this.url = url;
    this.call = call;
    this.signal = signal;
  }
}

async function send(client: Client, exchange: Exchange): Promise<Response> {
  const request = client
    .api(exchange.url.pathname)
    .middlewareOptions([exchange])
    .responseType(ResponseType.RAW);
  try {
    const response: unknown = await request.get();
    if (response instanceof Response) return response;
  } catch (error) {
    throw exchange.thrown === undefined ? error : exchange.thrown.error;
  }
  throw new Error("The Graph client returned no response.");
}

function middlewareChain(options: GraphReaderOptions): Middleware[] {
  return [authentication(options), transport(options), new HTTPMessageHandler()];
}

/** Adds the bearer token only to requests to Graph's own origin; renews it once after a 401. */
function authentication({ graphUrl, tokens }: GraphReaderOptions): Middleware {
  let next: Middleware | undefined;

  async function run(context: Context, exchange: Exchange): Promise<void> {
    const { url, signal } = exchange;
    refuseForeign(url, graphUrl);
    exchange.token = (await tokens.get(signal)).token;
    await pass(next, withBearer(context, exchange.token));
    if (context.response?.status !== 401) return;
    const claims = claimsChallenge(context.response.headers.get("www-authenticate"));
    await context.response.body?.cancel();
    exchange.token = (await tokens.renew(signal, claims)).token;
    await pass(next, withBearer(context, exchange.token));
  }

  return {
    setNext: (middleware) => {
      next = middleware;
    },
    execute: async (context) => {
      const exchange = exchangeOf(context);
      try {
        await run(context, exchange);
      } catch (error) {
        exchange.thrown = { error };
        throw error;
      }
    },
  };
}

/** Fixes how a request is sent: to the exact URL, with a time limit, without following redirects. */
function transport({ timeoutMs, userAgent }: GraphReaderOptions): Middleware {
  let next: Middleware | undefined;
  return {
    setNext: (middleware) => {
      next = middleware;
    },
    execute: async (context) => {
      const { url, call, signal } = exchangeOf(context);
      // The client parses links and reorders their query; a delta link must be sent back unchanged.
      context.request = url.href;
      context.options = {
        ...context.options,
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      };
      setHeaders(context, {
        ...call.headers,
        Accept: "application/json",
        "User-Agent": userAgent,
        "client-request-id": crypto.randomUUID(),
      });
      await pass(next, context);
    },
  };
}

async function pass(next: Middleware | undefined, context: Context): Promise<void> {
  if (next === undefined) throw new Error("The middleware chain ends too early.");
  await next.execute(context);
}

function withBearer(context: Context, token: string): Context {
  setHeaders(context, { Authorization: `Bearer ${token}` });
  return context;
}

/** Sets headers regardless of case, so that a second attempt replaces those of the first. */
function setHeaders(context: Context, added: Readonly<Record<string, string>>): void {
  const headers = new Headers(context.options?.headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  context.options = { ...context.options, headers: Object.fromEntries(headers) };
}

function exchangeOf(context: Context): Exchange {
  const exchange = context.middlewareControl?.getMiddlewareOptions(Exchange);
  if (!(exchange instanceof Exchange)) throw new Error("The request carries no exchange.");
  return exchange;
}

/** @throws ConfigurationError if `url` is not on the configured Graph origin */
export function refuseForeign(url: URL, graphUrl: URL): void {
  if (isWithin(url, graphUrl)) return;
  throw new ConfigurationError(
    `A link of Graph at ${graphUrl.host} points to another host (${url.origin}) and was not followed. Check entra.graphUrl and any proxy in between.`,
  );
}

/** Whether `url` is on the configured Graph origin and can be sent: fetch does not accept a user name in it. */
export function isWithin(url: URL, graphUrl: URL): boolean {
  // Comparing only the origin would accept blob: addresses.
  const sameHost = url.protocol === graphUrl.protocol && url.host === graphUrl.host;
  return sameHost && url.username === "" && url.password === "";
}

/** The claims of a continuous access evaluation challenge (`claims="<base64>"`), decoded. */
function claimsChallenge(header: string | null): string | undefined {
  const encoded = /claims="([A-Za-z0-9+/=_-]+)"/.exec(header ?? "")?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}

function connectionError(error: unknown, host: string, call: GraphCall): Error | undefined {
  // A final verdict must not be taken for a connection error because of its cause.
  if (error instanceof PassingFault || error instanceof ConfigurationError) return undefined;
  if (error instanceof HostUnavailableError) return undefined;
  const fault = classifyConnectionError(error);
  if (fault === undefined) return undefined;
  const happened = `Graph at ${host} ${describeConnectionFault(fault)} when reading ${call.subject}`;
  if (fault.kind === "untrusted") {
    return new ConfigurationError(
      `${happened}. Check entra.graphUrl. For a private certificate authority, put the path of its certificate into NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  const verdict = new HostUnavailableError(`${happened}. Check the network, the proxy and entra.graphUrl.`, {
    cause: error,
  });
  return new PassingFault({ kind: fault.kind }, verdict);
}

async function readText(response: Response, maximumBytes: number, host: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maximumBytes) {
      throw new ConfigurationError(
        `Graph at ${host} sent an answer of more than ${maximumBytes} bytes, which was not read to the end. Check entra.graphUrl.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function redactedHeaders(
  { headers }: Response,
  redact: (text: string) => string,
): { get(name: string): string | null } {
  return {
    get: (name) => {
      const value = headers.get(name);
      return value === null ? null : redact(value);
    },
  };
}

/** Graph's clock minus ours, from the `Date` header (whole seconds). */
function skewOf(response: Response, now: number): number | undefined {
  const at = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(at) ? undefined : at - now;
}
