import { ConfigurationError } from "../domain/errors.ts";
import type { ScopePart, Source, SourceChange, SourceUser } from "../domain/source.ts";
import type { StateStore } from "../domain/state/store.ts";

const pageSize = 500;

/** The id of a cycle later than all others: a list of the rows that it has not read has all rows. */
export const afterEveryCycle = 2_147_483_647;

/** The parts of the scope and the named groups as last read. */
export interface ReadParts {
  scope: readonly ScopePart[];
  readonly groups: Map<string, ScopePart>;
}

/** The directory as a store knows it. */
export interface KnownDirectory {
  /** The people, the members of the scope and the groups as last read. */
  readonly pictures: StateStore;
  /** The store of the plan that reads: it has the plan's own scope once that was read. */
  readonly own: StateStore;
  /** `everybody`: everyone is in scope. `known`: the known members are. Otherwise this reads another scope. */
  readonly scope: "everybody" | "known" | Pick<Source, "readScope">;
  /** Reads the groups that are not among the known ones. */
  readonly otherGroups: Pick<Source, "readNamedGroup"> | null;
  /** The groups whose members are known. */
  readonly knownGroups: readonly string[];
  readonly parts: ReadParts;
}

/** A directory that answers from a store. Only data that the store does not have is requested. */
export function knownSource(known: KnownDirectory): Source {
  const { pictures, own, scope, otherGroups, knownGroups, parts } = known;
  const everyone = async function* (): AsyncGenerator<
    readonly SourceChange[],
    { readonly watermark: string }
  > {
    for await (const ids of peopleIn(pictures)) {
      const rows = await pictures.personRows(ids);
      yield [...rows.values()].map(({ source }) => asRead(source));
    }
    return { watermark: (await pictures.meta()).watermark ?? "known" };
  };
  const members = async function* (): AsyncGenerator<readonly string[], readonly ScopePart[]> {
    for await (const ids of peopleIn(pictures)) yield [...(await pictures.membersAmong(ids))];
    return parts.scope;
  };
  const membersOfGroup = async function* (group: string): AsyncGenerator<readonly string[], ScopePart> {
    let found = 0;
    for (let after = ""; ; ) {
      const page = await pictures.candidates({
        select: "everybody",
        everyoneInScope: false,
        after,
        limit: pageSize,
      });
      const last = page.at(-1);
      if (last === undefined) break;
      const ids = page.filter(({ groups }) => groups.has(group)).map(({ source }) => source.objectId);
      found += ids.length;
      if (ids.length > 0) yield ids;
      after = last.source.objectId;
    }
    return parts.groups.get(group) ?? { id: group, name: group, members: found, usedBy: "filters" };
  };
  return {
    readTenant: async () => null,
    tenantOf: async () => null,
    readAll: everyone,
    readChanges: everyone,
    readPermissions: async () => null,
    // Entra answers 404 for a deleted person.
    readUser: async (wanted) => {
      const found = await pictures.findSource(wanted);
      return found === null || found.presence !== "present" ? null : asRead(found);
    },
    readScope: (signal) => {
      if (scope === "everybody") return null;
      return scope === "known" ? members() : scope.readScope(signal);
    },
    scopeWatermark: async () => null,
    readScopeRemovals: async function* () {},
    readNamedGroup: (group, signal, setting) => {
      if (knownGroups.includes(group)) return membersOfGroup(group);
      // Only the group of a canary can be unknown here: a plan whose mapping names another unknown group is refused.
      if (otherGroups === null)
        throw new ConfigurationError(
          `the members of the group "${group}" are not among the last known data: leave --offline out, so that they are read`,
        );
      return otherGroups.readNamedGroup(group, signal, setting);
    },
    readMembership: async (ids) => {
      const found = await own.membersAmong(ids);
      return new Map(ids.map((id) => [id, found.has(id) ? ["the scope as last read"] : []]));
    },
    readNamedMembership: async (groups, ids) => {
      const people = await own.candidates({
        select: { only: ids },
        everyoneInScope: scope === "everybody",
        after: "",
        limit: ids.length,
      });
      return new Map(
        people.map((one) => [one.source.objectId, new Set(groups.filter((group) => one.groups.has(group)))]),
      );
    },
  };
}

/** A person as in a list of everyone. */
function asRead({ objectId, attributes, managerId, presence, unshown }: SourceUser): SourceChange {
  if (presence !== "present") return { kind: "removed", objectId, presence };
  return {
    kind: "upsert",
    objectId,
    attributes,
    complete: true,
    managerId,
    ...(unshown === undefined ? {} : { unshown }),
  };
}

async function* peopleIn(store: StateStore): AsyncGenerator<readonly string[]> {
  for (let after = ""; ; ) {
    const page = await store.unreadPeople(afterEveryCycle, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(({ objectId }) => objectId);
    after = last.objectId;
  }
}

/** The same source; it also notes the parts of the scope and of the named groups that it reads. */
export function notingParts<Read extends Source>(source: Read, parts: ReadParts): Read {
  return {
    ...source,
    readScope: (signal) => {
      const pages = source.readScope(signal);
      return pages === null
        ? null
        : noting(pages, (read) => {
            parts.scope = read;
          });
    },
    readNamedGroup: (group, signal, setting) =>
      noting(source.readNamedGroup(group, signal, setting), (read) => {
        parts.groups.set(group, read);
      }),
  };
}

async function* noting<Page, End>(
  pages: AsyncGenerator<Page, End>,
  note: (end: End) => void,
): AsyncGenerator<Page, End> {
  const end = yield* pages;
  note(end);
  return end;
}
