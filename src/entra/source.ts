import { fitsAddress } from "../domain/address.ts";
import { HostUnavailableError, UsageError } from "../domain/errors.ts";
import type { CredentialExpiry } from "../domain/event.ts";
import type { Source, SourceChange } from "../domain/source.ts";
import { type ProbeStep, probeEntra } from "./check.ts";
import { createTokenProvider, rolesOf } from "./credential.ts";
import { changedSince, latestWatermark, type Tracked } from "./delta.ts";
import { readSecretExpiry } from "./expiry.ts";
import { createGraphReader, type GraphReader } from "./graph-client.ts";
import { type GraphCall, isConfirmedAbsence, isExpiredToken } from "./graph-error.ts";
import { readMembership, readNamedMembership } from "./membership.ts";
import { type EntraOptions, parseOrigin } from "./options.ts";
import { readPages } from "./pages.ts";
import { readNamedGroup, readScope } from "./scope.ts";
import { readScopeRemovals, readScopeWatermark } from "./scope-changes.ts";
import { requireSecurityAttributes } from "./security-attributes.ts";
import { parseSelection, type Selection } from "./selection.ts";
import { tenantOfDomain, tenantOfToken } from "./tenant.ts";
import { parseDeltaItem, parseListedUser, parseListedUsers } from "./users.ts";

/** The directory in Entra, which can also test its own connection. */
export interface EntraSource extends Source {
  /** Tries everything that a cycle needs; reports instead of throwing, except for the signal's reason. */
  probe(signal: AbortSignal): Promise<readonly ProbeStep[]>;
  /** How far Graph's clock is ahead of ours, milliseconds; before Graph's first answer, the authority's. */
  clockSkewMs(): number | undefined;
  /** When the client secret in use expires; empty if unknown. @throws ConfigurationError, HostUnavailableError */
  readSecretExpiry(signal: AbortSignal): Promise<readonly CredentialExpiry[]>;
}

const users: GraphCall = { subject: "users", permission: "User.Read.All" };
const tracked: Tracked = { call: users, otherwise: "all users are read again" };

/**
 * Opens the directory that `options` describe; sends nothing yet.
 * @throws UsageError if an origin, the credential or the scope cannot work
 */
export function createEntraSource(options: EntraOptions): EntraSource {
  const { clock, log, scope, timeoutMs = 60_000, userAgent = "azure-lattice-sync" } = options;
  const { namedGroups = { names: [], nested: true }, canaryGroup = null } = options;
  const authority = parseOrigin("entra.authorityHost", options.authorityHost);
  const graphUrl = parseOrigin("entra.graphUrl", options.graphUrl);
  refuseEmpty(options);
  const { tenantId, clientId, credential } = options;
  const tokens = createTokenProvider({
    tenantId,
    clientId,
    credential,
    authority,
    graphUrl,
    clock,
    log,
    timeoutMs,
  });
  const graph = createGraphReader({
    graphUrl,
    tokens,
    clock,
    log,
    timeoutMs,
    userAgent,
    onRequest: options.onRequest,
  });
  const selection = parseSelection(options.select, graphUrl.host);
  return {
    readAll: async function* (signal) {
      await requireSecurityAttributes(selection, tokens, signal);
      return yield* readAll(graph, selection, signal);
    },
    readChanges: (watermark, signal) => readChanges(graph, selection, watermark, signal),
    readUser: async (id, signal) => {
      await requireSecurityAttributes(selection, tokens, signal);
      return readUser(graph, selection, id, signal);
    },
    readScope: (signal) => (scope.mode === "all" ? null : readScope(graph, scope, signal)),
    scopeWatermark: async (parts, signal) =>
      scope.mode === "all" ? null : readScopeWatermark(graph, scope, parts, signal),
    readScopeRemovals: (watermark, signal) => readScopeRemovals(graph, watermark, signal),
    clockSkewMs: () => graph.clockSkewMs() ?? tokens.clockSkewMs(),
    readPermissions: async (signal) => rolesOf((await tokens.get(signal)).token) ?? null,
    readTenant: async (signal) => tenantOfToken((await tokens.get(signal)).token),
    tenantOf: (domain, signal) => tenantOfDomain(authority, domain, { timeoutMs, signal }),
    readSecretExpiry: (signal) => readSecretExpiry(graph, { clientId, credential }, signal),
    probe: (signal) =>
      probeEntra({ tokens, graph, selection, scope, namedGroups, canaryGroup, clock, signal }),
    readNamedGroup: (group, signal, setting) =>
      readNamedGroup(graph, group, { nested: namedGroups.nested, setting }, signal),
    readMembership: async (objectIds, signal) =>
      scope.mode === "all" ? new Map() : readMembership(graph, scope, objectIds, signal),
    readNamedMembership: (groups, objectIds, signal) =>
      readNamedMembership(graph, { names: groups, nested: namedGroups.nested }, objectIds, signal),
  };
}

async function* readAll(
  graph: GraphReader,
  selection: Selection,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceChange[], { readonly watermark: string }> {
  const watermark = await currentWatermark(graph, selection, signal);
  const url = new URL(`/v1.0/users?$top=999&${listQuery(selection)}`, graph.origin);
  const pages = readPages(graph, url, users, signal);
  try {
    for await (const items of pages) yield parseListedUsers(items, selection);
  } catch (error) {
    if (!isExpiredToken(error)) throw error;
    throw new HostUnavailableError(
      `Graph at ${selection.host} no longer has the next page of the list of users. Try again.`,
      { cause: error },
    );
  }
  return { watermark };
}

async function* readChanges(
  graph: GraphReader,
  selection: Selection,
  watermark: string,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceChange[], { readonly watermark: string }> {
  const pages = changedSince(graph, watermark, tracked, signal);
  try {
    for (;;) {
      const page = await pages.next();
      if (page.done === true) return page.value;
      yield page.value.map((item) => parseDeltaItem(item, selection));
    }
  } finally {
    await pages.return({ watermark: "" });
  }
}

async function readUser(
  graph: GraphReader,
  selection: Selection,
  idOrUserPrincipalName: string,
  signal: AbortSignal,
): Promise<SourceChange | null> {
  const path = userPath(idOrUserPrincipalName);
  if (path === undefined) return null;
  const call: GraphCall = { ...users, subject: "the user", ofOnePerson: true };
  try {
    const url = new URL(`${path}?${listQuery(selection)}`, graph.origin);
    return parseListedUser(await graph.get(url, call, signal), selection);
  } catch (error) {
    if (isConfirmedAbsence(error)) return null;
    throw error;
  }
}

/**
 * Path of one user; `undefined` for text that cannot name a user and would lead to another resource. A name that begins
 * with "$" is only accepted in parentheses (Graph: "Get a user").
 */
export function userPath(idOrUserPrincipalName: string): string | undefined {
  const name = idOrUserPrincipalName.trim();
  if (!fitsAddress(name)) return undefined;
  if (name.startsWith("$")) return `/v1.0/users('${encodeName(name.replaceAll("'", "''"))}')`;
  return `/v1.0/users/${encodeName(name)}`;
}

function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll("'", "%27");
}

function currentWatermark(graph: GraphReader, selection: Selection, signal: AbortSignal): Promise<string> {
  const properties = selection.manager ? [...selection.tracked, "manager"] : selection.tracked;
  const url = new URL(`/v1.0/users/delta?$deltatoken=latest&$select=${encodeList(properties)}`, graph.origin);
  return latestWatermark(graph, url, tracked, signal);
}

function listQuery({ properties, manager }: Selection): string {
  const select = `$select=${encodeList(properties)}`;
  return manager ? `${select}&$expand=manager($select=id)` : select;
}

function encodeList(names: readonly string[]): string {
  return names.map(encodeURIComponent).join(",");
}

function refuseEmpty({ tenantId, scope }: EntraOptions): void {
  if (tenantId.trim() === "")
    throw new UsageError("entra.tenantId is missing: set it to the directory (tenant) ID.");
  if (scope.mode === "assigned" && scope.application.trim() === "") {
    throw new UsageError(
      "entra.scope.application is missing: set it to the enterprise application whose assigned users are in scope.",
    );
  }
  if (
    scope.mode === "groups" &&
    (scope.groups.length === 0 || scope.groups.some((name) => name.trim() === ""))
  ) {
    throw new UsageError("entra.scope.groups must have at least one group, and no empty entry.");
  }
}
