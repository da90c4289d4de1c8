import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { JsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import { createGraphAccess } from "./graph-access.ts";
import { createGraphDelta, type DeltaOptions, type Resync } from "./graph-delta.ts";
import { GraphRefusal, type QueryOptions, readQuery } from "./graph-query.ts";
import { createGraphUsers } from "./graph-users.ts";
import { createGroupDelta } from "./group-delta.ts";
import { bearerToken, jsonReply, type Reply, type ServedRequest } from "./http.ts";
import type { TokenAuthority } from "./token.ts";

/** The embedded Microsoft Graph, v1.0, as far as it is needed to read people and their scope. */
export interface Graph {
  handle(request: ServedRequest): Reply;
  /** Refuses all delta tokens issued so far. */
  forceResync(how: Resync): void;
}

/** The app registration's data about its client secret. */
export interface ClientSecretFacts {
  readonly hint: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: () => number;
}

interface Route {
  readonly path: RegExp;
  /** Any one of these application permissions is enough. */
  readonly roles: readonly string[];
  /** OData casts are advanced queries: they need `ConsistencyLevel: eventual` and `$count=true`. */
  readonly advanced?: boolean;
  answer(request: ServedRequest, query: QueryOptions, key: string): JsonObject;
}

const readsUsers = ["User.Read.All", "User.ReadWrite.All", "Directory.Read.All"];
const readsMembers = ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
const readsApplications = ["Application.Read.All", "Directory.Read.All"];

export function createGraph(
  database: SandboxDatabase,
  identity: {
    readonly origin: () => string;
    readonly tenantId: string;
    readonly clientId: string;
    readonly secret: ClientSecretFacts;
  },
  authority: TokenAuthority,
  clock: Clock,
  options: DeltaOptions,
): Graph {
  const { origin, tenantId, clientId, secret } = identity;
  const users = createGraphUsers(database, origin);
  const delta = createGraphDelta(database, origin, clock, options);
  const groupDelta = createGroupDelta(database, origin, clock, options);
  const access = createGraphAccess(database, origin);
  const organization = (): JsonObject => ({
    "@odata.context": `${origin()}/v1.0/$metadata#organization`,
    value: [
      {
        id: tenantId,
        displayName: "Example Ltd",
        verifiedDomains: [{ name: "example.com", isDefault: true }],
      },
    ],
  });

  const registration = (appId: string): JsonObject => {
    if (appId.toLowerCase() !== clientId.toLowerCase()) {
      throw new GraphRefusal(404, "Request_ResourceNotFound", `Resource '${appId}' does not exist.`);
    }
    const password = {
      customKeyIdentifier: null,
      displayName: "Lattice sync",
      endDateTime: new Date(secret.expiresAt()).toISOString(),
      hint: secret.hint,
      keyId: clientId,
      secretText: null,
      startDateTime: "2026-01-01T00:00:00Z",
    };
    return {
      "@odata.context": `${origin()}/v1.0/$metadata#applications(passwordCredentials)/$entity`,
      passwordCredentials: [password],
    };
  };

  const routes: readonly Route[] = [
    { path: /^users$/, roles: readsUsers, answer: ({ url }, query) => users.list(url, query) },
    {
      path: /^users\/delta(?:\(\))?$/,
      roles: readsUsers,
      answer: ({ headers }, query) =>
        delta.read(query, /\breturn=minimal\b/i.test(String(headers.prefer ?? ""))),
    },
    { path: /^users\/([^/]+)$/, roles: readsUsers, answer: (_, query, key) => users.one(key, query) },
    {
      path: /^users\/([^/]+)\/transitiveMemberOf$/,
      roles: readsUsers,
      answer: ({ url }, query, key) => access.memberOf(key, true, url, query),
    },
    {
      path: /^users\/([^/]+)\/memberOf$/,
      roles: readsUsers,
      answer: ({ url }, query, key) => access.memberOf(key, false, url, query),
    },
    {
      path: /^directory\/deletedItems\/microsoft\.graph\.user$/,
      roles: readsUsers,
      answer: ({ url }, query) => users.deleted(url, query),
    },
    {
      path: /^groups\/delta(?:\(\))?$/,
      roles: readsMembers,
      answer: (_, query) => groupDelta.read(query),
    },
    { path: /^groups$/, roles: readsMembers, answer: (_, query) => access.groups(query) },
    { path: /^groups\/([^/]+)$/, roles: readsMembers, answer: (_request, _query, key) => access.group(key) },
    {
      path: /^groups\/([^/]+)\/transitiveMembers\/microsoft\.graph\.user$/,
      roles: readsMembers,
      advanced: true,
      answer: ({ url }, query, key) => access.members(key, true, url, query),
    },
    {
      path: /^groups\/([^/]+)\/members\/microsoft\.graph\.user$/,
      roles: readsMembers,
      advanced: true,
      answer: ({ url }, query, key) => access.members(key, false, url, query),
    },
    {
      path: /^servicePrincipals$/,
      roles: readsApplications,
      answer: (_, query) => access.servicePrincipals(query),
    },
    {
      path: /^servicePrincipals\/([^/]+)$/,
      roles: readsApplications,
      answer: (_request, _query, key) => access.servicePrincipal(key),
    },
    {
      path: /^servicePrincipals\/([^/]+)\/appRoleAssignedTo$/,
      roles: readsApplications,
      answer: ({ url }, query, key) => access.assignments(key, url, query),
    },
    {
      path: /^applications\(appId='([^']+)'\)$/,
      roles: readsApplications,
      answer: (_request, _query, appId) => registration(appId),
    },
    { path: /^organization$/, roles: [...readsUsers, "Organization.Read.All"], answer: organization },
  ];

  const answer = (request: ServedRequest): JsonObject => {
    const token = bearerToken(request.headers);
    const claims = token === undefined ? undefined : authority.verify(token);
    if (claims === undefined) {
      const reason =
        token === undefined
          ? "Access token is empty."
          : "Access token validation failure. Lifetime or signature is invalid.";
      throw new GraphRefusal(401, "InvalidAuthenticationToken", reason, { "WWW-Authenticate": "Bearer" });
    }
    const path = request.url.pathname.replace(/^\/v1\.0\//, "").replace(/\/$/, "");
    for (const route of routes) {
      const match = route.path.exec(path);
      if (match === null) continue;
      if (request.method !== "GET")
        throw new GraphRefusal(405, "Request_BadRequest", "The sandbox's Graph can only be read.");
      if (!route.roles.some((role) => claims.roles.includes(role))) {
        throw new GraphRefusal(
          403,
          "Authorization_RequestDenied",
          "Insufficient privileges to complete the operation.",
        );
      }
      const query = readQuery(request.url);
      if (route.advanced === true) refuseBasic(request, query);
      return route.answer(request, query, decodeURIComponent(match[1] ?? ""));
    }
    throw new GraphRefusal(
      400,
      "BadRequest",
      `Resource not found for the segment '${path.split("/")[0] ?? ""}'.`,
    );
  };

  return {
    handle: (request) => {
      const requestId = randomUUID();
      const headers = { "request-id": requestId };
      const type =
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
      try {
        return jsonReply(200, answer(request), headers, type);
      } catch (error) {
        if (!(error instanceof GraphRefusal)) throw error;
        const body = errorBody(error, requestId, clock.now());
        return jsonReply(error.status, body, { ...headers, ...error.headers });
      }
    },
    forceResync: (how) => delta.forceResync(how),
  };
}

function refuseBasic(request: ServedRequest, query: QueryOptions): void {
  const level = String(request.headers.consistencylevel ?? "").toLowerCase();
  if (level === "eventual" && query.get("count") === "true") return;
  throw new GraphRefusal(
    400,
    "Request_UnsupportedQuery",
    "OData casts need the header 'ConsistencyLevel: eventual' and $count=true, on each page.",
  );
}

function errorBody(error: GraphRefusal, requestId: string, now: number): JsonObject {
  return {
    error: {
      code: error.code,
      message: error.message,
      innerError: {
        date: new Date(now).toISOString().slice(0, 19),
        "request-id": requestId,
        "client-request-id": requestId,
      },
    },
  };
}
