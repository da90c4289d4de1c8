import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { EntraOptions } from "../../src/entra/options.ts";
import { createEntraSource, type EntraSource } from "../../src/entra/source.ts";

/** One request as it arrived. */
export interface Arrived {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

/** One prepared answer; a function may write what HTTP alone cannot say. */
export type Answer =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
      readonly text?: string;
    }
  | ((response: ServerResponse) => void);

/** A hand-written server: a token endpoint, and a Graph whose answers `reply` gives. */
export interface GraphDouble extends AsyncDisposable {
  readonly origin: string;
  /** Requests to Graph, in order; those for tokens are counted apart. */
  readonly requests: Arrived[];
  readonly tokenRequests: URLSearchParams[];
}

export const tenantId = "11111111-2222-4333-8444-555555555555";
export const rightSecret = "the-right-secret";

/** Starts a double on a free port of this machine. Each token is new: `token-1`, `token-2`, … */
export async function startGraph(
  reply: (request: Arrived, count: number) => Answer,
  token: (form: URLSearchParams, count: number) => Answer = (_form, count) => ({
    json: { access_token: `token-${count}`, token_type: "Bearer", expires_in: 3600 },
  }),
): Promise<GraphDouble> {
  const requests: Arrived[] = [];
  const tokenRequests: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const url = request.url ?? "";
    if (url === `/${tenantId}/oauth2/v2.0/token`) {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
      tokenRequests.push(form);
      return answer(response, token(form, tokenRequests.length));
    }
    const arrived = {
      method: request.method ?? "",
      url,
      authorization: request.headers.authorization,
      headers: request.headers,
    };
    requests.push(arrived);
    answer(response, reply(arrived, requests.length));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    tokenRequests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, prepared: Answer): void {
  if (typeof prepared === "function") {
    prepared(response);
    return;
  }
  const { status = 200, headers = {}, json, text } = prepared;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(text ?? JSON.stringify(json ?? {}));
}

/** A Graph error answer. */
export function graphError(status: number, code: string, message = "Something was wrong."): Answer {
  return { status, json: { error: { code, message } } };
}

/** A clock that never waits: sleeping moves it on and is written down. */
export interface FakeClock extends Clock {
  readonly sleeps: number[];
}

export function fakeClock(start = Date.now()): FakeClock {
  const sleeps: number[] = [];
  let now = start;
  return {
    sleeps,
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      sleeps.push(milliseconds);
      now += milliseconds;
    },
  };
}

/** A source against `double`, with what a test changes. */
export function sourceFor(double: { origin: string }, changes: Partial<EntraOptions> = {}): EntraSource {
  return createEntraSource({
    tenantId,
    clientId: "app-id",
    credential: { kind: "clientSecret", secret: new Secret(rightSecret) },
    authorityHost: double.origin,
    graphUrl: double.origin,
    scope: { mode: "all" },
    select: ["id", "userPrincipalName", "accountEnabled", "displayName", "manager"],
    clock: fakeClock(),
    ...changes,
  });
}

/** Everything a generator yields, flattened, and what it returns. */
export async function drain<T, R>(
  pages: AsyncGenerator<readonly T[], R>,
): Promise<{ items: T[]; result: R }> {
  const items: T[] = [];
  for (;;) {
    const page = await pages.next();
    if (page.done === true) return { items, result: page.value };
    for (const item of page.value) items.push(item);
  }
}

export const never = new AbortController().signal;
