import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../domain/clock.ts";
import { errorText } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import type { RequestRecord, SandboxHost } from "./request-log.ts";

/** A request as the handlers see it. */
export interface ServedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The fault of one request: an answer in place of the real one; `drop`: the connection ends before
 * anything is done; `dropAfter`: it ends after the request was carried out; `truncate`: carried out, half of the
 * body is sent, then the connection ends; `delayMs`: carried out and answered after this time.
 */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: Json }
  | "drop"
  | "dropAfter"
  | { readonly truncate: true }
  | { readonly delayMs: number };

/** Sees each request before it is handled and may make it fail. `body` is the text as received. */
export type Interceptor = (request: {
  readonly host: SandboxHost;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
}) => Fault | undefined | Promise<Fault | undefined>;

export interface ServerOptions {
  readonly hostOf: (path: string) => SandboxHost;
  readonly handle: (host: SandboxHost, request: ServedRequest) => Reply;
  readonly interceptor: () => Interceptor | undefined;
  readonly record: (record: RequestRecord) => void;
  readonly clock: Clock;
  /** Delay before each answer. */
  readonly latencyMs: number;
}

export interface RunningServer {
  readonly port: number;
  /** Also closes open connections. */
  close(): Promise<void>;
}

const longestBody = 1_048_576;

/** Serves on loopback: on the preferred port if it is free, otherwise on any. */
export async function startServer(preferredPort: number, options: ServerOptions): Promise<RunningServer> {
  const server = createServer((request, response) => {
    serve(request, response, options).catch((error: unknown) => {
      failServing(response, error);
    });
  });
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, preferredPort);
  return {
    port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      }),
  };
}

/** A JSON answer; `type` if it is not plain JSON. */
export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  type = "application/json; charset=utf-8",
): Reply {
  return { status, headers: { "Content-Type": type, ...headers }, body: JSON.stringify(body) };
}

/** The credential of `Authorization: Bearer …` (RFC 6750 section 2.1). */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const method = request.method ?? "GET";
  const path = request.url ?? "/";
  const host = options.hostOf(path);
  const body = await readBody(request);
  const interceptor = options.interceptor();
  const fault =
    interceptor === undefined ? undefined : await interceptor({ host, method, path, body: body ?? "" });
  const waitMs = options.latencyMs + (typeof fault === "object" && "delayMs" in fault ? fault.delayMs : 0);
  if (waitMs > 0) await delay(waitMs);
  const record = (status: number) => options.record({ host, method, path, status });

  if (fault === "drop" || response.destroyed) {
    record(0);
    request.socket.destroy();
    return;
  }
  const reply =
    typeof fault === "object" && "status" in fault
      ? faultReply(fault)
      : body === undefined
        ? jsonReply(413, { detail: "The request is too large." })
        : options.handle(host, {
            method,
            url: new URL(path, "http://127.0.0.1"),
            headers: request.headers,
            body,
          });
  if (fault === "dropAfter") {
    record(0);
    request.socket.destroy();
    return;
  }
  record(reply.status);
  const content = Buffer.from(reply.body, "utf8");
  const ends = typeof fault === "object" && "truncate" in fault;
  response.writeHead(reply.status, {
    Date: dateHeader(options.clock.now()),
    ...(reply.status === 204 ? {} : { "Content-Length": content.length }),
    ...reply.headers,
  });
  if (ends) response.write(content.subarray(0, content.length >> 1), () => request.socket.destroy());
  else response.end(content);
}

/** `undefined` if it is longer than is accepted. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (request.method === "GET" || request.method === "HEAD") {
    request.resume();
    return "";
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length <= longestBody) chunks.push(chunk);
  }
  return length > longestBody ? undefined : Buffer.concat(chunks).toString("utf8");
}

function faultReply(fault: Extract<Fault, { status: number }>): Reply {
  const text = typeof fault.body === "string";
  const body = fault.body === undefined ? "" : text ? String(fault.body) : JSON.stringify(fault.body);
  return {
    status: fault.status,
    headers: { "Content-Type": text ? "text/plain" : "application/json", ...fault.headers },
    body,
  };
}

/** A client that disconnected is not our fault; any other error is shown to the client, who is the developer. */
function failServing(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const message = errorText(error);
  response.writeHead(500, { "Content-Type": "application/json" });
  response.end(
    JSON.stringify({ error: { code: "sandboxFailure", message: `The sandbox itself failed: ${message}` } }),
  );
}

let shownSecond = Number.NaN;
let shownDate = "";

function dateHeader(now: number): string {
  const second = Math.floor(now / 1_000);
  if (second !== shownSecond) {
    shownSecond = second;
    shownDate = new Date(now).toUTCString();
  }
  return shownDate;
}

async function listen(server: Server, preferredPort: number): Promise<number> {
  try {
    return await listenOn(server, preferredPort);
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!taken || preferredPort === 0) throw error;
    return listenOn(server, 0);
  }
}

function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("The sandbox's server has no port."));
    });
  });
}
