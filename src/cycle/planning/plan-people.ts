import type { Candidate, ConfirmedTarget, Decision, StateStore } from "../../domain/store.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import { type MappedUser, mapUser } from "../../mapping/rules/map-user.ts";
import { markReleased, releasesInUse } from "../guard/fingerprint.ts";
import { idHoldersOf } from "./carried-ids.ts";
import { isInScope } from "./in-scope.ts";
import { createManagerRings, type KnownManagers } from "./manager-ring.ts";
import { type ManagerStanding, managersOf, noManager } from "./managers.ts";
import { findMatch } from "./match.ts";
import { createNamesakes, type Namesakes } from "./namesakes.ts";
import { withRingNotice } from "./notices.ts";
import { namedAtMost, othersOf } from "./others.ts";
import { forgottenOwner, type Owner, ownerOf, ownersIn } from "./owners.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";
import { planPerson } from "./plan-person.ts";
import type { MappedPerson, PlannedPerson } from "./planned-person.ts";
import { withoutRejected } from "./reject.ts";
import { failsForName, findRings, inRing } from "./rename-rings.ts";
import { isSoughtToLeave, nameLeft, renamesOf } from "./sought-names.ts";

/** What people are planned with, next to what is known of each. */
export interface Surroundings {
  readonly store: Pick<
    StateStore,
    "sharing" | "matches" | "nameHolders" | "identitiesOf" | "managerIds" | "candidates"
  >;
  readonly settings: PlanSettings;
  readonly everyoneInScope: boolean;
  readonly environment: Environment;
  /** People who wait for a retry are planned as if they did not. */
  readonly ignoreRetrySchedule: boolean;
  /** People to whom is sent again what their accounts keep otherwise. Default: nobody. */
  readonly triesAgain?: ReadonlySet<string>;
  /** People whose leaving was not confirmed, and why. Default: none. */
  readonly unconfirmed?: ReadonlyMap<string, string>;
  /** The directory was read for these people alone: of others whom the picture does not have nothing is known. */
  readonly partial?: boolean;
  /** Asked only whether these people get an account: nothing is worked out of their managers. */
  readonly expecting?: boolean;
  /** Remembers shared userNames over the pages of one plan. Default: looked up for these people alone. */
  readonly namesakes?: Namesakes | undefined;
  /** Remembers managers over the pages of one plan. Default: looked up for these people alone. */
  readonly knownManagers?: KnownManagers | undefined;
}

/** Plans these people. What is told of one person, and what a cycle plans, both come from here. Writes nothing. */
export async function planPeople(
  candidates: readonly Candidate[],
  surroundings: Surroundings,
): Promise<readonly PlannedPerson[]> {
  const {
    store,
    settings,
    everyoneInScope,
    environment,
    ignoreRetrySchedule,
    unconfirmed,
    namesakes,
    triesAgain,
  } = surroundings;
  const map = (candidate: Candidate): MappedUser =>
    mapUser(settings.mapping, candidate.source, {
      member: candidate.member,
      groups: candidate.groups,
      environment,
      manager: settings.mapping.ofManager.length === 0 ? null : (candidate.manager?.source ?? null),
    });
  const people = candidates.map((candidate) => ({ candidate, mapped: map(candidate) }));
  // A lost account may be there again although its person has another by now.
  const sought = people.filter(({ candidate }) => candidate.link === null || candidate.lostLinks.length > 0);
  const now = environment.now();
  const namesakesOf = namesakes ?? createNamesakes(store, settings.mapping.filters, everyoneInScope);
  const [sharing, twins, matches, rings] = await Promise.all([
    namesakesOf(
      "userName",
      [
        ...candidates.map(({ userNameKey, sharesName }) => (sharesName ? userNameKey : null)),
        ...people.map(nameLeft),
      ].filter((key) => key !== null),
      now,
    ),
    namesakesOf(
      "externalId",
      candidates.flatMap(({ externalIdKey, sharesExternalId }) =>
        sharesExternalId ? (externalIdKey ?? []) : [],
      ),
      now,
    ),
    store.matches(
      sought.map(({ candidate, mapped }) => ({
        objectId: candidate.source.objectId,
        userName: mapped.userName,
        externalId: mapped.externalId,
        lost: candidate.lostLinks.map(({ latticeId }) => latticeId),
      })),
    ),
    findRings(renamesOf(people), store.nameHolders),
  ]);
  const around = { ...surroundings, namesakes: namesakesOf };
  const anybody = await namesakesOf(
    "userNameOfAnybody",
    people.flatMap((person) =>
      isSoughtToLeave(person, matches) ? (person.candidate.userNameKey ?? []) : [],
    ),
    now,
  );
  const idHolders = await idHoldersOf(people, matches, {
    store,
    everyoneInScope,
    map,
    inScope: ({ candidate, mapped }) => isInScope(candidate, mapped),
  });
  const owners = await ownersOf(ownersIn(people, matches), around);
  const inputOf = ({ candidate, mapped }: MappedPerson, manager: ManagerStanding): PlanInput => {
    const { objectId } = candidate.source;
    const ring = rings.get(objectId);
    const sharers = (isSoughtToLeave({ candidate, mapped }, matches) ? anybody : sharing).get(
      candidate.userNameKey ?? "",
    );
    const left = nameLeft({ candidate, mapped });
    return {
      candidate:
        ignoreRetrySchedule || (ring !== undefined && failsForName(candidate.retry))
          ? { ...candidate, retry: null }
          : candidate,
      mapped,
      matches: matches.get(objectId) ?? null,
      owners,
      idHolders,
      sharedIdWith: othersOf(
        candidate.externalIdKey === null ? undefined : twins.get(candidate.externalIdKey),
        objectId,
      ),
      nameWanted: left !== null && othersOf(sharing.get(left), objectId).count > 0,
      sharedWith: othersOf(sharers, objectId),
      managers: manager,
      unconfirmed: unconfirmed?.get(objectId) ?? null,
      triesAgain: triesAgain?.has(objectId) === true,
      now,
    };
  };
  /** The account that a person has, or would be linked to. */
  const withAccount = (person: MappedPerson): MappedPerson & { readonly account: ConfirmedTarget | null } => {
    const { candidate, mapped } = person;
    if (candidate.link !== null) return { candidate, mapped, account: candidate.link };
    const match = findMatch(inputOf(person, noManager), settings);
    return { candidate, mapped, account: "decision" in match ? null : match.account };
  };
  const managers =
    surroundings.expecting === true
      ? new Map<string, ManagerStanding>()
      : await managersOf(people.map(withAccount), {
          store,
          settings,
          environment,
          expected: (objectIds) => expectedOf(objectIds, around),
          rings: createManagerRings(
            store,
            everyoneInScope,
            map,
            surroundings.knownManagers ?? { managers: new Map(), rings: new Map() },
          ),
          partial: surroundings.partial === true,
        });
  const planned = people.map((person): PlannedPerson => {
    const { candidate, mapped } = person;
    const { objectId } = candidate.source;
    const ring = rings.get(objectId);
    const manager = managers.get(objectId) ?? noManager;
    const input = inputOf(person, manager);
    const unrejected = withoutRejected(
      (leftOut) =>
        inRing(planPerson(leftOut.length === 0 ? input : { ...input, leftOut }, settings), ring, {
          mode: settings.renameRings,
          alone: surroundings.partial === true,
          now,
          skip: (reason) => skip(input, "renameRing", reason),
        }),
      candidate.rejected,
      (reason) => skip(input, "rejected", reason),
    );
    const noticed = withRingNotice(input, toldAgain(unrejected, now));
    const released = noticed.kind === "operation" ? withReleases(noticed, candidate.released) : noticed;
    // Cleared for now: the person waits until the manager has an account.
    const decision =
      manager.clear && manager.ring.length === 0 && released.kind !== "ignored"
        ? { ...released, referencePending: true }
        : released;
    return { candidate, mapped, decision, matches: input.matches };
  });
  if (surroundings.expecting === true) return planned;
  const claimed = new Map<string, Decision>();
  for (const leaver of planned) {
    const decision = await claimedDecision(leaver, around);
    if (decision !== null) claimed.set(leaver.candidate.source.objectId, decision);
  }
  if (claimed.size === 0) return planned;
  return planned.map((one) => ({
    ...one,
    decision: claimed.get(one.candidate.source.objectId) ?? one.decision,
  }));
}

/**
 * A leaver's account that carries the externalId of a person who takes it over is not switched off in between: that would
 * cost the person what a deactivation takes away in Lattice.
 */
async function claimedDecision(leaver: PlannedPerson, surroundings: Surroundings): Promise<Decision | null> {
  const { candidate, decision } = leaver;
  const { link, source } = candidate;
  if (decision.kind !== "operation" || decision.operation.action !== "deactivate") return null;
  if (link === null || link.externalId === null || link.externalId === source.objectId) return null;
  const { store, everyoneInScope } = surroundings;
  const sharing = await store.sharing([link.externalId], everyoneInScope, "externalId");
  const named = [link.externalId, ...(sharing.get(link.externalId) ?? []).slice(0, namedAtMost)];
  const only = named.filter((objectId) => objectId !== source.objectId);
  const candidates = await store.candidates({
    select: { only },
    everyoneInScope,
    after: "",
    limit: only.length,
  });
  const claimants = await planPeople(candidates, { ...surroundings, expecting: true });
  const taking = claimants.find((one) =>
    takes(one.decision, { ownerId: source.objectId, latticeId: link.latticeId }),
  );
  if (taking === undefined) return null;
  const { userName, objectId } = decision.operation;
  const name = taking.candidate.source.attributes.userPrincipalName;
  const reason = `the Lattice account ${link.latticeId} has the externalId of ${String(name ?? taking.candidate.source.objectId)} and is handed over to them: it is not deactivated`;
  return {
    kind: "skipped",
    skipped: { objectId, userName, code: "formerOwner", reason },
    referencePending: false,
    alsoLookAt: [taking.candidate.source.objectId],
  };
}

/** Whether the decision is to take this account over, now or when what is due for its owner is done. */
function takes(
  decision: Decision,
  { ownerId, latticeId }: { readonly ownerId: string; readonly latticeId: string },
): boolean {
  if (decision.kind === "skipped") {
    return decision.skipped.code === "formerOwner" && decision.alsoLookAt?.includes(ownerId) === true;
  }
  return (
    decision.kind === "operation" && decision.operation.adopts && decision.operation.latticeId === latticeId
  );
}

/** Where the rest of what was rejected is sent, the rejection is told once that is done. */
function toldAgain(decision: Decision, now: number): Decision {
  if (decision.kind !== "operation" || (decision.rejected ?? []).length === 0) return decision;
  return { ...decision, lookAgainAt: Math.min(decision.lookAgainAt ?? now, now) };
}

function withReleases(
  decision: Extract<Decision, { kind: "operation" }>,
  released: ReadonlyMap<string, string>,
): Decision {
  if (released.size === 0) return decision;
  const operation = markReleased(decision.operation, released);
  return { ...decision, operation, releasesInUse: releasesInUse(operation) };
}

/** Which of these people have an account, or get one with the next plan, whatever keeps it back for now. */
async function expectedOf(
  objectIds: readonly string[],
  surroundings: Surroundings,
): Promise<ReadonlySet<string>> {
  if (objectIds.length === 0) return new Set();
  const { store, everyoneInScope } = surroundings;
  const limit = objectIds.length;
  const candidates = await store.candidates({
    select: { only: objectIds },
    everyoneInScope,
    after: "",
    limit,
  });
  const planned = await planPeople(candidates, {
    ...surroundings,
    ignoreRetrySchedule: true,
    expecting: true,
  });
  const expected = planned.filter(
    ({ candidate, decision }) =>
      candidate.link !== null ||
      candidate.unconfirmed ||
      (decision.kind === "operation" &&
        (decision.operation.action === "create" || decision.operation.adopts)),
  );
  const known = new Set(candidates.map(({ source }) => source.objectId));
  const unknown = surroundings.partial === true ? objectIds.filter((objectId) => !known.has(objectId)) : [];
  return new Set([...unknown, ...expected.map(({ candidate }) => candidate.source.objectId)]);
}

/** What is to be known of people who have an account that another one matches. They are linked: this goes no deeper. */
async function ownersOf(
  objectIds: readonly string[],
  surroundings: Surroundings,
): Promise<ReadonlyMap<string, Owner>> {
  if (objectIds.length === 0) return new Map();
  const { store, everyoneInScope } = surroundings;
  const candidates = await store.candidates({
    select: { only: objectIds },
    everyoneInScope,
    after: "",
    limit: objectIds.length,
  });
  const found = (await planPeople(candidates, surroundings)).map(ownerOf);
  const owners = new Map(objectIds.map((objectId) => [objectId, forgottenOwner(objectId)]));
  for (const owner of found) owners.set(owner.objectId, owner);
  return owners;
}
