import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import { isInScope } from "./in-scope.ts";
import { namedAtMost, othersList } from "./others.ts";

/** At most about this many people are remembered; then all are forgotten and read again when they are needed. */
const mostRemembered = 100_000;

/** Finds rings of managers. Example: the manager of a is b, the manager of b is c, and the manager of c is a. */
export interface ManagerRings {
  /** The members of the ring, the person first, by object id of each person who is in one. */
  of(objectIds: readonly string[]): Promise<ReadonlyMap<string, readonly Member[]>>;
}

/** The managers and rings that were found in earlier pages of the plan. */
export interface KnownManagers {
  /** Object id of each person's manager, `null` for none. */
  readonly managers: Map<string, string | null>;
  readonly rings: Map<string, readonly Member[]>;
}

export interface Member {
  readonly objectId: string;
  /** User principal name, as last read; else the object id. */
  readonly name: string;
}

/**
 * Creates the search for one plan; it reads each person once. A ring counts only if Lattice would have to hold all of it:
 * each member is in scope, and has an account or may get one.
 */
export function createManagerRings(
  store: Pick<StateStore, "managerIds" | "candidates">,
  everyoneInScope: boolean,
  map: (candidate: Candidate) => MappedUser,
  { managers, rings }: KnownManagers,
): ManagerRings {
  /** Reads the managers of these people, then the managers' managers, up to the top. */
  const readUp = async (objectIds: readonly string[]): Promise<void> => {
    if (managers.size > mostRemembered) managers.clear();
    let unknown = [...new Set(objectIds)].filter((objectId) => !managers.has(objectId));
    while (unknown.length > 0) {
      const found = await store.managerIds(unknown);
      for (const objectId of unknown) managers.set(objectId, found.get(objectId) ?? null);
      unknown = [...new Set(found.values())].filter((objectId) => !managers.has(objectId));
    }
  };

  const membersOf = async (ring: readonly string[]): Promise<readonly Member[] | null> => {
    const candidates = await store.candidates({
      select: { only: ring },
      everyoneInScope,
      after: "",
      limit: ring.length,
    });
    const byId = new Map(candidates.map((candidate) => [candidate.source.objectId, candidate]));
    const members: Member[] = [];
    for (const objectId of ring) {
      const candidate = byId.get(objectId);
      if (candidate === undefined || !mayHaveAccount(candidate, map(candidate))) return null;
      const name = candidate.source.attributes.userPrincipalName;
      members.push({ objectId, name: typeof name === "string" ? name : objectId });
    }
    return members;
  };

  return {
    of: async (objectIds) => {
      await readUp(objectIds);
      for (const ring of ringsAbove(objectIds, managers)) {
        const [first] = ring;
        if (first === undefined || rings.has(first)) continue;
        const members = await membersOf(ring);
        ring.forEach((objectId, at) => {
          rings.set(objectId, members === null ? [] : [...members.slice(at), ...members.slice(0, at)]);
        });
      }
      return new Map(
        objectIds.flatMap((objectId): [string, readonly Member[]][] => {
          const ring = rings.get(objectId) ?? [];
          return ring.length === 0 ? [] : [[objectId, ring]];
        }),
      );
    },
  };
}

/** Why the manager of a person in a ring is not sent, in words. */
export function ringReason(ring: readonly Member[]): string {
  const named = { count: ring.length, names: ring.slice(0, namedAtMost).map(({ name }) => name) };
  return `${othersList(named)} are each other's managers in a ring, so their managers are not sent; correct one of them in Entra, or set manager.rings: send`;
}

/** A disabled person without an account does not get one, so no manager can be sent for that person. */
function mayHaveAccount(candidate: Candidate, mapped: MappedUser): boolean {
  if (!isInScope(candidate, mapped)) return false;
  return (
    candidate.link !== null ||
    (mapped.active !== false && candidate.source.attributes.accountEnabled !== false)
  );
}

/**
 * The rings that these people's lines of managers lead into, each once. A person who is their own manager is not a ring.
 * @param managers object id of each person's manager, `null` for none
 */
export function ringsAbove(
  objectIds: readonly string[],
  managers: ReadonlyMap<string, string | null>,
): readonly (readonly string[])[] {
  const rings: string[][] = [];
  const walked = new Set<string>();
  for (const start of objectIds) {
    const path: string[] = [];
    const places = new Map<string, number>();
    let at: string | null = start;
    while (at !== null && !walked.has(at)) {
      walked.add(at);
      places.set(at, path.length);
      path.push(at);
      at = managers.get(at) ?? null;
    }
    const from = at === null ? undefined : places.get(at);
    if (from !== undefined && path.length - from > 1) rings.push(path.slice(from));
  }
  return rings;
}
