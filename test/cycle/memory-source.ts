import { isDeepStrictEqual } from "node:util";
import { ConfigurationError, HostUnavailableError, WatermarkExpiredError } from "../../src/domain/errors.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { ScopePart, Source, SourceChange } from "../../src/domain/source.ts";

interface Person {
  readonly attributes: JsonObject;
  readonly managerId: string | null;
  readonly presence: "present" | "softDeleted" | "deleted";
}

/** A directory in memory, with a change log whose positions are the watermarks. */
export interface MemorySource extends Source {
  /** Adds a person, `<objectId>@example.com`, enabled, unless the attributes say otherwise. */
  hire(objectId: string, attributes?: JsonObject, managerId?: string | null): void;
  /** Changes attributes; `null` clears one. */
  change(objectId: string, attributes: JsonObject): void;
  setManager(objectId: string, managerId: string | null): void;
  remove(objectId: string, presence: "softDeleted" | "deleted"): void;
  restore(objectId: string): void;
  /** Members of the scope; `null` if everybody is. */
  scope: readonly string[] | null;
  /** The scope by groups, instead of `scope`. */
  groups: Readonly<Record<string, readonly string[]>> | null;
  /** Groups that scoping filters or expressions name, by name. */
  namedGroups: Readonly<Record<string, readonly string[]>>;
  /** Breaks the read of such a group off after its first page. */
  breakNamedGroup: boolean;
  /** People whom the listing leaves out although they exist. */
  readonly hidden: Set<string>;
  /** Breaks the scope read off after its first page. */
  breakScope: boolean;
  /** People who were removed from a group of the scope, in order; `null`: the source cannot tell. */
  removals: string[] | null;
  /** The error of a request for a watermark of the scope. */
  refuseScopeWatermark: Error | null;
  /** Membership cannot be requested for single people. */
  refuseMembership: boolean;
  /** Breaks the listing off after its first page. */
  breakList: boolean;
  /** Breaks a round of changes off after its first page. */
  breakChanges: boolean;
  /** Rounds compare the watermark with now: a change that was undone in between is not shown. */
  netChanges: boolean;
  /** Rounds show no manager for people who have none. */
  hideMissingLinks: boolean;
  /** Older watermarks are no longer accepted. */
  expireWatermarks(): void;
  /** The tenant's id in its tokens. */
  tenant: string | null;
  /** The permissions of its tokens. */
  permissions: readonly string[] | null;
  /** Properties that no answer shows, for any person. */
  unshown: readonly string[];
  /** Its verified domain names. */
  domains: readonly string[];
  /** Members whom listings of the scope leave out, although they are members. */
  readonly unlisted: Set<string>;
  /** The members of the filters' groups when they are requested by person; `null`: as listed. */
  trueNamedGroups: Readonly<Record<string, readonly string[]>> | null;
  /** The error of a request for this person by id. */
  refuseUser: ((objectId: string) => Error | null) | null;
  /** Items that each round of changes adds after its own. */
  repeats: readonly SourceChange[];
  /** The reads, in order: `all`, `changes`, `user <id>`, `scope`. */
  readonly reads: string[];
}

const pageSize = 2;

export function createMemorySource(): MemorySource {
  const people = new Map<string, Person>();
  const log: { readonly objectId: string; readonly before: Person | undefined }[] = [];
  let oldest = 0;
  const person = (objectId: string): Person => {
    const found = people.get(objectId);
    if (found === undefined) throw new Error(`no person ${objectId} in the directory`);
    return found;
  };
  const put = (objectId: string, next: Person): void => {
    log.push({ objectId, before: people.get(objectId) });
    people.set(objectId, next);
  };
  const upsert = (objectId: string, complete: boolean): Extract<SourceChange, { kind: "upsert" }> => {
    const { attributes, managerId } = person(objectId);
    if (source.unshown.length === 0) return { kind: "upsert", objectId, attributes, complete, managerId };
    const shown = Object.entries(attributes).filter(([name]) => !source.unshown.includes(name));
    return {
      kind: "upsert",
      objectId,
      attributes: Object.fromEntries(shown),
      complete,
      managerId: source.unshown.includes("manager") ? undefined : managerId,
      ...(complete
        ? {
            unshown: source.unshown.filter((name) => name !== "manager"),
            perhapsNone: source.unshown.filter((name) => name === "manager"),
          }
        : { unshown: source.unshown }),
    };
  };
  const changeOf = (objectId: string): SourceChange => {
    const { presence, managerId } = person(objectId);
    if (presence !== "present") return { kind: "removed", objectId, presence };
    const shown = upsert(objectId, false);
    return source.hideMissingLinks ? { ...shown, managerId: managerId ?? undefined } : shown;
  };

  const source: MemorySource = {
    scope: null,
    groups: null,
    namedGroups: {},
    breakNamedGroup: false,
    hidden: new Set(),
    breakScope: false,
    removals: null,
    refuseScopeWatermark: null,
    refuseMembership: false,
    breakList: false,
    breakChanges: false,
    netChanges: false,
    hideMissingLinks: false,
    tenant: null,
    permissions: null,
    unshown: [],
    domains: [],
    reads: [],
    unlisted: new Set(),
    trueNamedGroups: null,
    refuseUser: null,
    repeats: [],
    hire: (objectId, attributes = {}, managerId = null) => {
      const basics = {
        id: objectId,
        userPrincipalName: `${objectId}@example.com`,
        displayName: objectId,
        accountEnabled: true,
      };
      put(objectId, { attributes: { ...basics, ...attributes }, managerId, presence: "present" });
    },
    change: (objectId, attributes) => {
      const known = person(objectId);
      put(objectId, { ...known, attributes: { ...known.attributes, ...attributes } });
    },
    setManager: (objectId, managerId) => put(objectId, { ...person(objectId), managerId }),
    remove: (objectId, presence) => put(objectId, { ...person(objectId), presence }),
    restore: (objectId) => put(objectId, { ...person(objectId), presence: "present" }),
    expireWatermarks: () => {
      oldest = log.length + 1;
    },

    readTenant: async () => source.tenant,
    readPermissions: async () => source.permissions,
    tenantOf: async (domain) => (source.domains.includes(domain) ? source.tenant : null),
    async *readAll(signal) {
      source.reads.push("all");
      const watermark = String(log.length);
      const listed = [...people.keys()].filter(
        (objectId) => person(objectId).presence === "present" && !source.hidden.has(objectId),
      );
      for (let at = 0; at < listed.length; at += pageSize) {
        signal.throwIfAborted();
        if (at > 0 && source.breakList) throw new HostUnavailableError("the directory went away");
        yield listed.slice(at, at + pageSize).map((objectId) => upsert(objectId, true));
      }
      oldest = Math.min(oldest, log.length);
      return { watermark };
    },
    async *readChanges(watermark, signal) {
      source.reads.push("changes");
      if (Number(watermark) < oldest) throw new WatermarkExpiredError("the delta token is too old");
      const logged = log.slice(Number(watermark));
      const first = new Map(logged.toReversed().map(({ objectId, before }) => [objectId, before]));
      for (const [objectId, before] of first) {
        signal.throwIfAborted();
        if (source.netChanges && isDeepStrictEqual(before, person(objectId))) continue;
        yield [changeOf(objectId)];
        if (source.breakChanges) throw new HostUnavailableError("the directory went away");
      }
      if (source.repeats.length > 0) yield source.repeats;
      return { watermark: String(log.length) };
    },
    readUser: async (wanted) => {
      source.reads.push(`user ${wanted}`);
      const refused = source.refuseUser?.(wanted) ?? null;
      if (refused !== null) throw refused;
      const objectId = [...people.keys()].find(
        (id) =>
          person(id).presence === "present" &&
          (id === wanted || person(id).attributes.userPrincipalName === wanted),
      );
      if (objectId === undefined) return null;
      return upsert(objectId, true);
    },
    scopeWatermark: async () => {
      if (source.refuseScopeWatermark !== null) throw source.refuseScopeWatermark;
      return source.removals === null ? null : String(source.removals.length);
    },
    async *readScopeRemovals(watermark) {
      for (const removed of (source.removals ?? []).slice(Number(watermark))) yield [removed];
    },
    readNamedGroup: (group) => readNamedGroup(source, group),
    readMembership: async (objectIds) => {
      source.reads.push(`membership ${objectIds.join(" ")}`);
      if (source.refuseMembership) throw new ConfigurationError("the permission is missing");
      const refused = objectIds.map((id) => source.refuseUser?.(id) ?? null).find((error) => error !== null);
      if (refused !== undefined) throw refused;
      const groups = source.groups ?? { "the direct assignments": source.scope ?? [] };
      return new Map(
        objectIds.map((objectId) => [
          objectId,
          Object.entries(groups).flatMap(([name, ids]) => (ids.includes(objectId) ? [name] : [])),
        ]),
      );
    },
    readNamedMembership: async (groups, objectIds) => {
      source.reads.push(`groups of ${objectIds.join(" ")}`);
      const members = source.trueNamedGroups ?? source.namedGroups;
      return new Map(
        objectIds.map((objectId) => [
          objectId,
          new Set(groups.filter((group) => members[group]?.includes(objectId) === true)),
        ]),
      );
    },
    readScope: () => (source.scope === null && source.groups === null ? null : readScope(source)),
  };
  return source;
}

async function* readScope(source: MemorySource): AsyncGenerator<readonly string[], readonly ScopePart[]> {
  source.reads.push("scope");
  const groups = Object.entries(source.groups ?? {});
  const listed = (ids: readonly string[]) => ids.filter((id) => !source.unlisted.has(id));
  const members = listed(source.scope ?? groups.flatMap(([, ids]) => ids));
  for (let at = 0; at < members.length; at += pageSize) {
    if (source.breakScope) {
      if (at > 0) throw new HostUnavailableError("the scope read broke off");
    }
    yield members.slice(at, at + pageSize);
  }
  if (source.breakScope) throw new HostUnavailableError("the scope read broke off");
  return source.groups === null
    ? [{ id: "direct", name: "the direct assignments", members: members.length }]
    : groups.map(([id, ids]) => ({ id, name: `the group "${id}"`, members: listed(ids).length }));
}

async function* readNamedGroup(
  source: MemorySource,
  group: string,
): AsyncGenerator<readonly string[], ScopePart> {
  source.reads.push(`group ${group}`);
  const members = source.namedGroups[group];
  if (members === undefined) throw new ConfigurationError(`Entra has no group "${group}"`);
  for (let at = 0; at < members.length; at += pageSize) {
    if (at > 0 && source.breakNamedGroup) throw new HostUnavailableError("the group read broke off");
    yield members.slice(at, at + pageSize);
  }
  return { id: `filters/${group}`, name: `the group "${group}"`, members: members.length, usedBy: "filters" };
}
