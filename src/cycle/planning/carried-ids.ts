import type { Candidate, MatchAnswer } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import type { MappedPerson } from "./planned-person.ts";

/** Somebody in scope whose externalId an account carries that is another person's so far. */
export interface IdHolder {
  readonly objectId: string;
  /** User principal name, as last read; else the object id. */
  readonly name: string;
  /** Shall have an active account; else the account would only be switched off. */
  readonly active: boolean;
}

/** The account's externalId where it is not the person's own; `null` where it is, shows none, or none is mapped. */
export function foreignId(
  account: { readonly externalId: string | null } | null,
  { externalId }: Pick<MappedUser, "externalId">,
): string | null {
  const carried = account?.externalId ?? null;
  return carried === null || externalId === null || carried === externalId ? null : carried;
}

/**
 * Whose externalIds these people's accounts carry, those linked and those matched by userName, where it is not their own.
 * Whoever has an account that carries the id is left out: the other one was given it by mistake.
 * @param map what the mapping makes of a person
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
    for (const account of matches.get(candidate.source.objectId)?.byUserName ?? []) {
      const id = foreignId(account, mapped);
      if (id !== null) carried.add(id);
    }
  }
  if (carried.size === 0) return new Map();
  // The mapped externalId is the object id, or one that is kept with the person.
  const keyed = await store.sharing([...carried], everyoneInScope, "externalId");
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
  // If people share the externalId, one who shall have an account counts, whoever else is disabled.
  return new Map(holders.toSorted(([, one], [, other]) => Number(one.active) - Number(other.active)));
}

/** People with one externalId of whom more would say nothing else. */
const lookedAt = 3;
