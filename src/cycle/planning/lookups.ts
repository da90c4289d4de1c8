import type { Candidate, MatchAnswer } from "../../domain/state/planning.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import { isTemporaryName } from "../operations/temporary-name.ts";
import { type IdHolder, idHoldersOf } from "./carried-ids.ts";
import { isInScope } from "./in-scope.ts";
import { linkingDecision } from "./link-decision.ts";
import type { Namesakes } from "./namesakes.ts";
import { othersOf } from "./others.ts";
import { neededByLeavers } from "./passed-need.ts";
import type { PlanInput } from "./plan-input.ts";
import type { MappedPerson, PlannedPerson } from "./planned-person.ts";
import { failsForName, findRings, type RingMember } from "./rename-rings.ts";
import { isSoughtToLeave, nameLeft, renamesOf } from "./sought-names.ts";
import type { Surroundings } from "./surroundings.ts";

type People = ReadonlyMap<string, ReadonlySet<string>>;

/** The result of looking up other people and accounts for a page of people. */
export interface Lookups {
  /** People by the userName that they share, in lower case. */
  readonly sharing: People;
  /** The same, including people who are disabled and have no account. */
  readonly sharingOfAnybody: People;
  /** People by the externalId that they share. */
  readonly twins: People;
  /** Accounts that could be a person's, by object id. */
  readonly matches: ReadonlyMap<string, MatchAnswer>;
  /** Rings of renames, by object id of a member. */
  readonly rings: ReadonlyMap<string, readonly RingMember[]>;
  readonly idHolders: ReadonlyMap<string, IdHolder>;
  /** UserNames of leavers' accounts, in lower case, that other leavers need. */
  readonly neededByLeavers: ReadonlySet<string>;
  /** The time of the look-up, milliseconds since the epoch. All people of the page are planned as of this time. */
  readonly now: number;
}

/** Looks up who shares a userName or an externalId with these people, and which accounts could be theirs. */
export async function lookUpOthers(
  people: readonly MappedPerson[],
  {
    store,
    settings,
    everyoneInScope,
    environment,
    namesakes,
    namesGiven = new Set(),
    asIfNeeded: assumed = false,
  }: Surroundings & { readonly namesakes: Namesakes },
  {
    map,
    asIfNeeded,
  }: {
    readonly map: (candidate: Candidate) => MappedUser;
    /** Plans leavers as if the userNames of their accounts were needed. */
    readonly asIfNeeded: (candidates: readonly Candidate[]) => Promise<readonly PlannedPerson[]>;
  },
): Promise<Lookups> {
  // A lost account may be there again even if its person is linked to another one now.
  const sought = people.filter(({ candidate }) => candidate.link === null || candidate.lostLinks.length > 0);
  const now = environment.now();
  const names = people.flatMap((person) => {
    const { userNameKey, sharesName } = person.candidate;
    return [sharesName ? userNameKey : null, nameLeft(person)].filter((key) => key !== null);
  });
  const ids = people.flatMap(({ candidate: { externalIdKey, sharesExternalId } }) =>
    sharesExternalId ? (externalIdKey ?? []) : [],
  );
  const [sharing, twins, matches, rings] = await Promise.all([
    namesakes("userName", names, now),
    namesakes("externalId", ids, now),
    store.matches(
      sought.map(({ candidate, mapped }) => ({
        objectId: candidate.source.objectId,
        userName: mapped.userName,
        externalId: mapped.externalId,
        lost: [
          ...candidate.lostLinks.map(({ latticeId }) => latticeId),
          ...[linkingDecision(candidate.source.objectId, settings)].flatMap((one) => one?.latticeId ?? []),
        ],
      })),
    ),
    findRings(renamesOf(people), store.nameHolders),
  ]);
  const leaving = people.flatMap((person) =>
    isSoughtToLeave(person, matches) ? (person.candidate.userNameKey ?? []) : [],
  );
  const sharingOfAnybody = await namesakes("userNameOfAnybody", leaving, now);
  const neededNames = assumed
    ? new Set<string>()
    : await neededByLeavers(
        people.flatMap((person) => nameLeft(person) ?? []),
        { store, everyoneInScope, namesakes, given: namesGiven, now, asIfNeeded },
      );
  const idHolders = await idHoldersOf(people, matches, {
    store,
    everyoneInScope,
    map,
    inScope: ({ candidate, mapped }) => isInScope(candidate, mapped),
  });
  return { sharing, sharingOfAnybody, twins, matches, rings, idHolders, neededByLeavers: neededNames, now };
}

/** Puts together everything that is known of a person. */
export function inputOf(
  { candidate, mapped }: MappedPerson,
  { lookups, owners, managers }: Pick<PlanInput, "owners" | "managers"> & { readonly lookups: Lookups },
  { ignoreRetrySchedule, unconfirmed, triesAgain, asIfNeeded = false }: Surroundings,
): PlanInput {
  const { sharing, sharingOfAnybody, twins, matches, rings, idHolders, now } = lookups;
  const { objectId } = candidate.source;
  // Within a ring of renames, a person does not wait because the name is taken: the plan resolves the ring.
  const triesNow = ignoreRetrySchedule || (rings.has(objectId) && failsForName(candidate.retry));
  const seeks = isSoughtToLeave({ candidate, mapped }, matches);
  const left = nameLeft({ candidate, mapped });
  return {
    candidate: triesNow ? { ...candidate, retry: null } : candidate,
    mapped,
    matches: matches.get(objectId) ?? null,
    owners,
    idHolders,
    sharedIdWith: othersOf(
      candidate.externalIdKey === null ? undefined : twins.get(candidate.externalIdKey),
      objectId,
    ),
    nameWanted:
      left !== null &&
      (asIfNeeded ||
        isTemporaryName(left) ||
        othersOf(sharing.get(left), objectId).count > 0 ||
        lookups.neededByLeavers.has(left)),
    sharedWith: othersOf((seeks ? sharingOfAnybody : sharing).get(candidate.userNameKey ?? ""), objectId),
    managers,
    unconfirmed: unconfirmed?.get(objectId) ?? null,
    triesAgain: triesAgain?.has(objectId) === true,
    now,
  };
}
