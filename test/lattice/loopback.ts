import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { Secret } from "../../src/domain/secret.ts";
import type { LatticeOptions } from "../../src/lattice/options.ts";
import { createLatticeTarget, type LatticeTarget } from "../../src/lattice/target.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

export const apiKey = "test-key-3f9c";
export const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const latticeUrn = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";

/** Paths of the documented mapping, as far as the tests use them. */
export const knownPaths = [
  "userName",
  "externalId",
  "active",
  "displayName",
  "title",
  'emails[type eq "work"].value',
  "name.givenName",
  "name.familyName",
  'phoneNumbers[type eq "work"].value',
  `${enterpriseUrn}:department`,
  `${enterpriseUrn}:manager`,
];

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly ifMatch?: string | undefined;
  readonly body: string;
}

export interface Loopback {
  readonly url: string;
  readonly requests: SeenRequest[];
}

/** A server on loopback until the test is over. `handle` sees each request after it was read and recorded. */
export async function serve(
  handle: (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => void,
): Promise<Loopback> {
  const requests: SeenRequest[] = [];
  const url = await listen(async (raw, response) => {
    raw.setEncoding("utf8");
    let body = "";
    for await (const chunk of raw) body += chunk;
    const seen: SeenRequest = {
      method: raw.method ?? "",
      url: raw.url ?? "",
      authorization: raw.headers.authorization,
      contentType: raw.headers["content-type"],
      ifMatch: raw.headers["if-match"],
      body,
    };
    requests.push(seen);
    handle(seen, response, raw);
  });
  return { url, requests };
}

/** @returns the base address of `listener` on an ephemeral port, closed when the test is over */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/scim/v2`;
}

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { "Content-Type": "application/scim+json", ...headers });
  response.end(JSON.stringify(body));
}

export function scimError(
  response: ServerResponse,
  status: number,
  detail: string,
  extra: { scimType?: string; headers?: Record<string, string> } = {},
): void {
  const { scimType, headers = {} } = extra;
  const schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
  json(response, status, { schemas, status: String(status), scimType, detail }, headers);
}

export function listOf(resources: readonly object[], totalResults = resources.length): object {
  return {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults,
    Resources: resources,
  };
}

export function optionsFor(
  url: string,
  overrides: Partial<LatticeOptions> = {},
): LatticeOptions & { clock: VirtualClock } {
  return {
    url,
    token: new Secret(apiKey),
    updateMethod: "patch",
    maxConcurrency: 4,
    maxRequestsPerSecond: null,
    paths: knownPaths,
    timeoutMs: 2000,
    ...overrides,
    clock: createVirtualClock(),
  };
}

/** A target that talks to `url`, closed when the test is over, with its clock. */
export function connect(
  url: string,
  overrides: Partial<LatticeOptions> = {},
): { target: LatticeTarget; clock: VirtualClock } {
  const options = optionsFor(url, overrides);
  const target = createLatticeTarget(options);
  onTestFinished(() => target.close());
  return { target, clock: options.clock };
}

export async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

/** The error that `promise` rejects with; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("expected a rejection with an Error");
}

/** A signal that never aborts. */
export const quiet = new AbortController().signal;
