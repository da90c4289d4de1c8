import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

// A SCIM server that costs next to nothing: what is measured against it is the client. It keeps accounts in memory and
// knows as much of RFC 7644 as one client needs that only creates, lists and patches.

export interface QuickOptions {
  /** Every answer comes after so long. */
  readonly delayMs?: number;
  /** Requests a second it takes (a token bucket that holds a tenth of a second's worth); others are answered 429. */
  readonly requestsPerSecond?: (elapsedMs: number) => number;
}

export interface QuickStats {
  readonly requests: number;
  readonly writes: number;
  readonly throttled: number;
}

export interface QuickLattice {
  readonly port: number;
  stats(): QuickStats;
  /** Forgets every account and every count. */
  clear(): void;
  close(): void;
}

const contentType = "application/scim+json";

export async function startQuickLattice({
  delayMs = 0,
  requestsPerSecond,
}: QuickOptions = {}): Promise<QuickLattice> {
  const accounts = new Map<string, object>();
  let counts = { requests: 0, writes: 0, throttled: 0 };
  const admit = requestsPerSecond === undefined ? () => true : createBucket(requestsPerSecond);

  const answer = (response: ServerResponse, status: number, body: object): void => {
    const text = JSON.stringify(body);
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(text) });
    response.end(text);
  };
  const handle = (request: IncomingMessage, text: string, response: ServerResponse): void => {
    const url = request.url ?? "";
    if (request.method === "POST") {
      const id = randomUUID();
      const account = { ...JSON.parse(text), id };
      accounts.set(id, account);
      answer(response, 201, account);
      return;
    }
    const id = /\/Users\/([^/?]+)/.exec(url)?.[1];
    if (request.method === "PATCH" && id !== undefined) {
      const account: { [key: string]: unknown } = { ...accounts.get(id) };
      for (const { path, value } of JSON.parse(text).Operations) account[path] = value;
      accounts.set(id, account);
      answer(response, 200, account);
      return;
    }
    if (id !== undefined) {
      const account = accounts.get(id);
      answer(response, account === undefined ? 404 : 200, account ?? { status: "404" });
      return;
    }
    if (url.includes("/ServiceProviderConfig")) {
      answer(response, 200, { patch: { supported: true }, bulk: { supported: false } });
      return;
    }
    const query = new URL(url, "http://localhost").searchParams;
    const start = Number(query.get("startIndex") ?? 1) - 1;
    const page = [...accounts.values()].slice(start, start + Number(query.get("count") ?? 100));
    answer(response, 200, {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: accounts.size,
      startIndex: start + 1,
      itemsPerPage: page.length,
      Resources: page,
    });
  };

  const server = createServer((request, response) => {
    counts = { ...counts, requests: counts.requests + 1 };
    if (!admit()) {
      counts = { ...counts, throttled: counts.throttled + 1 };
      request.resume();
      answer(response, 429, { status: "429", detail: "too many requests" });
      return;
    }
    if (request.method !== "GET") counts = { ...counts, writes: counts.writes + 1 };
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      if (delayMs === 0) handle(request, text, response);
      else setTimeout(() => handle(request, text, response), delayMs);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    stats: () => counts,
    clear: () => {
      accounts.clear();
      counts = { requests: 0, writes: 0, throttled: 0 };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function createBucket(rate: (elapsedMs: number) => number): () => boolean {
  const beganAt = performance.now();
  let last = beganAt;
  let tokens = 1;
  return () => {
    const now = performance.now();
    const perSecond = rate(now - beganAt);
    tokens = Math.min(Math.max(1, perSecond / 10), tokens + ((now - last) / 1_000) * perSecond);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
