import type { Candidate, MatchAnswer } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import { sharersOf } from "./namesakes.ts";
import type { MappedPerson } from "./planned-person.ts";

/** A person in scope whose externalId is carried by an account that is, so far, another person's. */
export interface IdHolder {
  readonly objectId: string;
  /** User principal name, as last read; else the object id. */
  readonly name: string;
  /** `true` if the person is to be active. If not, the account would only be switched off for this person. */
  readonly active: boolean;
}

/** The account's externalId if it is not the person's own; `null` if it is, or if one of the two has none. */
export function foreignId(
  account: { readonly externalId: string | null } | null,
  { externalId }: Pick<MappedUser, "externalId">,
): string | null {
  const carried = account?.externalId ?? null;
  return carried === null || externalId === null || carried === externalId ? null : carried;
}

/**
 * Finds other people whose externalIds are carried by the accounts of these people (linked, or matched by userName). A person
 * whose own account carries the id is left out: then the other account was given it by mistake.
 * @param map what the mapping makes of a person
 * @returns by that externalId
 */
export async function idHoldersOf(
  people: readonly MappedPerson[],
  matches: ReadonlyMap<string, MatchAnswer>,
  {
    store,
    everyoneInScope,
    map,
    inScope,
  }: {
    readonly store: Pick<StateStore, "sharing" | "candidates">;
    readonly everyoneInScope: boolean;
    readonly map: (candidate: Candidate) => MappedUser;
    readonly inScope: (person: MappedPerson) => boolean;
  },
): Promise<ReadonlyMap<string, IdHolder>> {
  const carried = new Set<string>();
  for (const { candidate, mapped } of people) {
    const own = foreignId(candidate.link, mapped);
    if (own !== null) carried.add(own);
    if (candidate.link !== null) continue;
    const { byUserName = [], byLostLink = [] } = matches.get(candidate.source.objectId) ?? {};
    for (const account of [...byUserName, ...byLostLink]) {
      const id = foreignId(account, mapped);
      if (id !== null) carried.add(id);
    }
  }
  if (carried.size === 0) return new Map();
  // The mapped externalId is the object id, or one that is kept with the person.
  const keyed = await sharersOf(store, [...carried], everyoneInScope, "externalId");
  const only = [...carried, ...[...keyed.values()].flatMap((ids) => ids.slice(0, lookedAt))];
  const known = await store.candidates({ select: { only }, everyoneInScope, after: "", limit: only.length });
  const holders = known.flatMap((candidate): [string, IdHolder][] => {
    const mapped = map(candidate);
    const { externalId, active } = mapped;
    const { link, source } = candidate;
    if (externalId === null || !carried.has(externalId)) return [];
    if (link?.externalId === externalId || !inScope({ candidate, mapped })) return [];
    const name = source.attributes.userPrincipalName;
    const holder = {
      objectId: source.objectId,
      name: typeof name === "string" ? name : source.objectId,
      active: active !== false,
    };
    return [[externalId, holder]];
  });
  // The last entry of a key wins: if people share the externalId, one who is to be active counts.
  return new Map(holders.toSorted(([, one], [, other]) => Number(one.active) - Number(other.active)));
}

/** Of the people who share one externalId, this many are looked at. More would not change the answer. */
const lookedAt = 3;
