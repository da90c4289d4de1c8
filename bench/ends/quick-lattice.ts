import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

// A SCIM server that costs next to nothing: what is measured against it is the client. It keeps accounts in memory and
// knows as much of RFC 7644 as one client needs that only creates, lists, looks up by userName and patches.

export interface QuickOptions {
  /** Every answer comes after so long. */
  readonly delayMs?: number | undefined;
  /**
   * Requests it takes (a token bucket that holds a tenth of a second's worth, and one at least); others are answered
   * 429. Limits that follow one another begin with the first write; the last one stays.
   */
  readonly limits?: readonly Limit[] | undefined;
  /** Seconds of the Retry-After that comes with a 429; without, Lattice does not say. */
  readonly retryAfter?: number | undefined;
}

export interface Limit {
  readonly perSecond: number;
  /** How long it holds. */
  readonly seconds: number;
}

export interface QuickStats {
  readonly requests: number;
  /** Writes that were taken. */
  readonly writes: number;
  readonly throttled: number;
  readonly accounts: number;
  /** Between the first write that was taken and the last one. */
  readonly writingMs: number;
  /** Writes taken while each of the limits held. */
  readonly writesByLimit: readonly number[];
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
  limits = [],
  retryAfter,
}: QuickOptions = {}): Promise<QuickLattice> {
  const accounts = new Map<string, object>();
  const idsByUserName = new Map<string, string>();
  let counts = { requests: 0, writes: 0, throttled: 0 };
  let firstWriteAt: number | undefined;
  let lastWriteAt = 0;
  let writesByLimit = limits.map(() => 0);
  const limitNow = (): number => {
    let ends = firstWriteAt ?? Number.POSITIVE_INFINITY;
    return limits.findIndex(({ seconds }, index) => {
      ends += seconds * 1_000;
      return performance.now() < ends || index === limits.length - 1;
    });
  };
  const admit =
    limits.length === 0 ? () => true : createBucket(() => limits[limitNow()]?.perSecond ?? Number.NaN);

  const answer = (response: ServerResponse, status: number, body: object, headers = {}): void => {
    const text = JSON.stringify(body);
    response.writeHead(status, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(text),
      ...headers,
    });
    response.end(text);
  };
  const wrote = (): void => {
    lastWriteAt = performance.now();
    firstWriteAt ??= lastWriteAt;
    counts = { ...counts, writes: counts.writes + 1 };
    const limit = limitNow();
    writesByLimit = writesByLimit.map((writes, index) => (index === limit ? writes + 1 : writes));
  };
  const lookUp = (userName: string): object[] => {
    const account = accounts.get(idsByUserName.get(userName) ?? "");
    return account === undefined ? [] : [account];
  };
  const handle = (request: IncomingMessage, text: string, response: ServerResponse): void => {
    const url = request.url ?? "";
    if (request.method === "POST") {
      const id = randomUUID();
      const account = { ...JSON.parse(text), id };
      accounts.set(id, account);
      if (typeof account.userName === "string") idsByUserName.set(account.userName, id);
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
    const userName = /^userName eq "(.*)"$/.exec(query.get("filter") ?? "")?.[1];
    const found = userName === undefined ? [...accounts.values()] : lookUp(userName);
    const start = Number(query.get("startIndex") ?? 1) - 1;
    const page = found.slice(start, start + Number(query.get("count") ?? 100));
    answer(response, 200, {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: found.length,
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
      const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
      answer(response, 429, { status: "429", detail: "too many requests" }, headers);
      return;
    }
    if (request.method !== "GET") wrote();
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
    stats: () => ({
      ...counts,
      accounts: accounts.size,
      writingMs: lastWriteAt - (firstWriteAt ?? lastWriteAt),
      writesByLimit,
    }),
    clear: () => {
      accounts.clear();
      idsByUserName.clear();
      counts = { requests: 0, writes: 0, throttled: 0 };
      firstWriteAt = undefined;
      writesByLimit = limits.map(() => 0);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function createBucket(rate: () => number): () => boolean {
  let last = performance.now();
  let tokens = 1;
  return () => {
    const now = performance.now();
    const perSecond = rate();
    tokens = Math.min(Math.max(1, perSecond / 10), tokens + ((now - last) / 1_000) * perSecond);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
