import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Account, Accounts } from "./accounts.ts";
import { renderAccount } from "./accounts.ts";
import { bearerToken, jsonReply, type Reply, type ServedRequest } from "./http.ts";
import type { AccountWriter } from "./lifecycle.ts";
import {
  type AccountDocument,
  checkDocument,
  type ReadingRules,
  readDocument,
  ScimRefusal,
} from "./scim-document.ts";
import { readFilter } from "./scim-filter.ts";
import { applyPatch } from "./scim-patch.ts";
import { schemaResources, serviceProviderConfig, userResourceType } from "./scim-schema.ts";

/** The behaviour of the embedded Lattice. */
export interface ScimLimits {
  /** Whether PATCH is offered. */
  readonly patch: boolean;
  /** 200 answers a PATCH with the account, 204 with nothing (RFC 7644 section 3.5.2 allows both). */
  readonly patchStatus: 200 | 204;
  /** The most accounts on one page, whatever `count` asks for. */
  readonly maxPageSize: number;
  /** Requests beyond this rate get 429 with Retry-After; `undefined`: no limit. */
  readonly rateLimit: { readonly requestsPerSecond: number; readonly burst: number } | undefined;
}

export interface ScimService {
  handle(request: ServedRequest): Reply;
}

export interface ScimServiceParts {
  readonly accounts: Accounts;
  readonly writer: AccountWriter;
  readonly rules: ReadingRules;
  readonly limits: ScimLimits;
  readonly token: string;
  readonly baseUrl: () => string;
  /** The name of a custom attribute when it is read. */
  readonly extensionName: (name: string) => string;
  readonly clock: Clock;
}

const base = "/scim/v2";
const listURN = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const errorURN = "urn:ietf:params:scim:api:messages:2.0:Error";
const contentType = "application/scim+json; charset=utf-8";

/** The embedded Lattice SCIM API (RFC 7643, RFC 7644, within Lattice's limits). */
export function createScimService(parts: ScimServiceParts): ScimService {
  const { accounts, writer, rules, limits, token, baseUrl, extensionName, clock } = parts;
  const bucket = limits.rateLimit === undefined ? undefined : createBucket(limits.rateLimit, clock);

  const render = (account: Account): JsonObject => renderAccount(account, baseUrl(), extensionName);
  const answer = (status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}): Reply =>
    jsonReply(status, body, headers, contentType);
  const listing = (resources: readonly JsonObject[], total = resources.length, startIndex = 1): Reply =>
    answer(200, {
      schemas: [listURN],
      totalResults: total,
      startIndex,
      itemsPerPage: resources.length,
      Resources: resources,
    });
  const needed = (id: string): Account => {
    const account = accounts.get(id);
    if (account === undefined) throw new ScimRefusal(404, undefined, `User ${id} not found.`);
    return account;
  };

  const list = (url: URL): Reply => {
    const filter = url.searchParams.get("filter");
    if (filter !== null) {
      const account = accounts.find(readFilter(filter));
      return listing(account === undefined ? [] : [render(account)]);
    }
    const startIndex = Math.max(1, readInteger(url, "startIndex", 1));
    const count = Math.min(limits.maxPageSize, Math.max(0, readInteger(url, "count", limits.maxPageSize)));
    return listing(accounts.page(startIndex, count).map(render), accounts.count(), startIndex);
  };
  const create = (body: unknown): Reply => {
    const document = readDocument(body, rules);
    checkDocument(document, accounts.exists);
    const account = writer.create(document);
    return answer(201, render(account), { Location: `${baseUrl()}/Users/${account.id}` });
  };
  const save = (account: Account, document: AccountDocument): Account => {
    const held = account.document.externalId;
    if (held !== undefined && document.externalId !== held) {
      throw new ScimRefusal(
        400,
        "mutability",
        "External IDs do not match: externalId is set once and cannot be changed.",
      );
    }
    checkDocument(document, accounts.exists);
    return writer.change(account, document);
  };
  const replace = (id: string, body: unknown): Reply => {
    const account = needed(id);
    const { externalId, active } = account.document;
    // Missing attributes are cleared; the identifier and the account's state cannot be empty.
    const kept = {
      ...(externalId === undefined ? {} : { externalId }),
      ...(active === undefined ? {} : { active }),
    };
    return answer(200, render(save(account, { ...kept, ...readDocument(body, rules) })));
  };
  const patch = (id: string, body: unknown): Reply => {
    if (!limits.patch) throw new ScimRefusal(501, undefined, "PATCH is not supported: use PUT.");
    const account = needed(id);
    const saved = save(account, applyPatch(account.document, body, rules));
    return limits.patchStatus === 204 ? { status: 204, headers: {}, body: "" } : answer(200, render(saved));
  };

  const users = (request: ServedRequest, id: string | undefined): Reply => {
    const { method, url } = request;
    if (id === undefined) {
      if (method === "GET") return list(url);
      if (method === "POST") return create(readBody(request));
      throw new ScimRefusal(405, undefined, `${method} is not possible on /Users.`);
    }
    if (method === "GET") return answer(200, render(needed(id)));
    if (method === "PUT") return replace(id, readBody(request));
    if (method === "PATCH") return patch(id, readBody(request));
    throw new ScimRefusal(501, undefined, `${method} of a user is not supported: set active to false.`);
  };
  const discovery = (name: string, key: string | undefined): Reply | undefined => {
    if (name === "ServiceProviderConfig")
      return answer(200, serviceProviderConfig(baseUrl(), limits.patch, limits.maxPageSize));
    const resources = /^schemas$/i.test(name)
      ? schemaResources(rules.schemas, baseUrl())
      : name === "ResourceTypes"
        ? [userResourceType(baseUrl())]
        : undefined;
    if (resources === undefined || key === undefined)
      return resources === undefined ? undefined : listing(resources);
    const one = resources.find(({ id }) => id === key);
    if (one === undefined) throw new ScimRefusal(404, undefined, `${key} not found.`);
    return answer(200, one);
  };

  const route = (request: ServedRequest): Reply => {
    const { url, method, headers } = request;
    if (/aadOptscim/i.test(request.url.search)) {
      throw new ScimRefusal(
        400,
        "invalidSyntax",
        "aadOptscim062020 is a flag for Azure's own client and must not be sent.",
      );
    }
    if (bearerToken(headers) !== token)
      throw new ScimRefusal(401, undefined, "The API key is missing or not valid.");
    const wait = bucket?.take() ?? 0;
    if (wait > 0) {
      const retryAfter = String(Math.max(1, Math.ceil(wait / 1_000)));
      return answer(429, errorBody(new ScimRefusal(429, undefined, "Too many requests.")), {
        "Retry-After": retryAfter,
      });
    }
    const [name = "", key, ...more] = url.pathname
      .slice(base.length + 1)
      .split("/")
      .map(decodeURIComponent);
    if (!url.pathname.startsWith(`${base}/`) || more.length > 0)
      throw new ScimRefusal(404, undefined, "There is no such endpoint.");
    if (name === "Users") return users(request, key === "" ? undefined : key);
    if (name === "Bulk" || name === "Groups")
      throw new ScimRefusal(501, undefined, `${name} are not supported.`);
    const found = method === "GET" ? discovery(name, key) : undefined;
    if (found === undefined) throw new ScimRefusal(404, undefined, "There is no such endpoint.");
    return found;
  };

  return {
    handle: (request) => {
      const requestId = { "x-request-id": randomUUID() };
      try {
        const reply = route(request);
        return { ...reply, headers: { ...reply.headers, ...requestId } };
      } catch (error) {
        if (!(error instanceof ScimRefusal)) throw error;
        const challenge = error.status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
        return answer(error.status, errorBody(error), { ...challenge, ...requestId });
      }
    },
  };
}

function readBody({ headers, body }: ServedRequest): unknown {
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/scim+json" && type !== "application/json") {
    throw new ScimRefusal(415, undefined, "The body must be application/scim+json.");
  }
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ScimRefusal(400, "invalidSyntax", "The body is not valid JSON.");
    throw error;
  }
}

function readInteger(url: URL, name: string, missing: number): number {
  const raw = url.searchParams.get(name);
  if (raw === null) return missing;
  if (!/^-?\d+$/.test(raw)) throw new ScimRefusal(400, "invalidValue", `${name} must be an integer.`);
  return Number(raw);
}

function errorBody(error: ScimRefusal): JsonObject {
  return {
    schemas: [errorURN],
    status: String(error.status),
    ...(error.scimType === undefined ? {} : { scimType: error.scimType }),
    detail: error.message,
  };
}

/** A token bucket; `take` returns 0, or how many milliseconds to wait. */
function createBucket(rate: { requestsPerSecond: number; burst: number }, clock: Clock): { take(): number } {
  let tokens = rate.burst;
  let filledAt = clock.now();
  return {
    take: () => {
      const now = clock.now();
      tokens = Math.min(rate.burst, tokens + ((now - filledAt) / 1_000) * rate.requestsPerSecond);
      filledAt = now;
      if (tokens < 1) return ((1 - tokens) / rate.requestsPerSecond) * 1_000;
      tokens -= 1;
      return 0;
    },
  };
}
