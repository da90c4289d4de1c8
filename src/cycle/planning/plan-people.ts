import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { Candidate, PersonPlan } from "../../domain/state/planning.ts";
import { type MappedUser, mapUser } from "../../mapping/rules/map-user.ts";
import { markReleased, releasesInUse } from "../operations/fingerprint.ts";
import { leftForNextCycle } from "../pictures/marks.ts";
import { withDecisions } from "./decisions.ts";
import { inputOf, lookUpOthers } from "./lookups.ts";
import { createManagerRings } from "./manager-ring.ts";
import { type ManagerStanding, managersOf, noManager } from "./managers.ts";
import { findMatch } from "./match.ts";
import { createNamesakes, sharersOf } from "./namesakes.ts";
import { withRingNotice } from "./notices.ts";
import { namedAtMost } from "./others.ts";
import { forgottenOwner, type Owner, ownerOf, ownersIn } from "./owners.ts";
import { skip } from "./plan-input.ts";
import { planPerson } from "./plan-person.ts";
import type { MappedPerson, PlannedPerson } from "./planned-person.ts";
import { withoutRejected } from "./reject.ts";
import { inRing } from "./rename-rings.ts";
import type { Surroundings } from "./surroundings.ts";

/** Plans these people, for a cycle and for the explanation of one person. It writes nothing. */
export async function planPeople(
  candidates: readonly Candidate[],
  surroundings: Surroundings,
): Promise<readonly PlannedPerson[]> {
  const { store, everyoneInScope, environment, expecting = false } = surroundings;
  const settings =
    surroundings.settings.protections === undefined
      ? await withDecisions(surroundings.settings, store)
      : surroundings.settings;
  const namesakes =
    surroundings.namesakes ?? createNamesakes(store, settings.mapping.filters, everyoneInScope);
  const around = { ...surroundings, settings, namesakes };
  const map = (candidate: Candidate): MappedUser =>
    mapUser(settings.mapping, candidate.source, {
      member: candidate.member,
      groups: candidate.groups,
      environment,
      manager: settings.mapping.ofManager.length === 0 ? null : (candidate.manager?.source ?? null),
    });
  const people = candidates.map((candidate) => ({ candidate, mapped: map(candidate) }));
  const lookups = await lookUpOthers(people, around, {
    map,
    asIfNeeded: (leavers) =>
      planPeople(leavers, { ...around, ignoreRetrySchedule: true, expecting: true, asIfNeeded: true }),
  });
  const owners = await ownersOf(ownersIn(people, lookups.matches), around);
  const managers = expecting
    ? new Map<string, ManagerStanding>()
    : await managersOf(
        people.map((person) => withAccount(person, { lookups, owners }, around)),
        {
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
        },
      );
  const planned = people.map((person) => {
    const manager = managers.get(person.candidate.source.objectId) ?? noManager;
    return planOne(person, { lookups, owners, managers: manager }, around);
  });
  return expecting ? planned : withoutClaimed(planned, around);
}

type Known = Parameters<typeof inputOf>[1];

/** Adds the account that a person has or would be linked to; `null` if there is none, or if matching does not decide. */
function withAccount(
  { candidate, mapped }: MappedPerson,
  known: Omit<Known, "managers">,
  surroundings: Surroundings,
): MappedPerson & { readonly account: ConfirmedTarget | null } {
  if (candidate.link !== null) return { candidate, mapped, account: candidate.link };
  const input = inputOf({ candidate, mapped }, { ...known, managers: noManager }, surroundings);
  const match = findMatch(input, surroundings.settings);
  return { candidate, mapped, account: "plan" in match ? null : match.account };
}

/** Plans one person. Rejected changes are left out, and released ones are marked. */
function planOne(person: MappedPerson, known: Known, surroundings: Surroundings): PlannedPerson {
  const { candidate, mapped } = person;
  const { settings, partial = false } = surroundings;
  const { now, rings } = known.lookups;
  const input = inputOf(person, known, surroundings);
  const unrejected = withoutRejected(
    (leftOut) =>
      inRing(
        planPerson(leftOut.length === 0 ? input : { ...input, leftOut }, settings),
        rings.get(candidate.source.objectId),
        {
          mode: settings.renameRings,
          alone: partial,
          now,
          skip: (reason) => skip(input, "renameRing", reason),
        },
      ),
    candidate.rejected,
    (reason) => skip(input, "rejected", reason),
  );
  const noticed = withRingNotice(input, toldAgain(unrejected, now));
  const released = noticed.kind === "operation" ? withReleases(noticed, candidate.released) : noticed;
  return { candidate, mapped, plan: withWaiting(released, known.managers), matches: input.matches };
}

/** Has the person planned again when the manager has an account, or turns out to have another one than is presumed. */
function withWaiting(plan: PersonPlan, { same, clear, ring }: ManagerStanding): PersonPlan {
  if (plan.kind === "ignored") return plan;
  // The manager is cleared for now.
  if (clear && ring.length === 0) return { ...plan, referencePending: true };
  return same ? { ...plan, presumesManager: true } : plan;
}

/** Skips leavers whose account another person takes over. */
async function withoutClaimed(
  planned: readonly PlannedPerson[],
  surroundings: Surroundings,
): Promise<readonly PlannedPerson[]> {
  const claimed = new Map<string, PersonPlan>();
  for (const leaver of planned) {
    const plan = await planOfClaimed(leaver, surroundings);
    if (plan !== null) claimed.set(leaver.candidate.source.objectId, plan);
  }
  if (claimed.size === 0) return planned;
  return planned.map((one) => ({
    ...one,
    plan: claimed.get(one.candidate.source.objectId) ?? one.plan,
  }));
}

/**
 * Skips a leaver whose account is about to go over to another person, who has its externalId. Switching it off in between
 * would take away from that person what Lattice removes with a deactivation.
 * @returns `null` if no such person takes the account over
 */
async function planOfClaimed(leaver: PlannedPerson, surroundings: Surroundings): Promise<PersonPlan | null> {
  const { candidate, plan } = leaver;
  const { link, source } = candidate;
  if (plan.kind !== "operation" || plan.operation.action !== "deactivate") return null;
  if (link === null || link.externalId === null || link.externalId === source.objectId) return null;
  const { store, everyoneInScope } = surroundings;
  const sharing = await sharersOf(store, [link.externalId], everyoneInScope, "externalId");
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
    takes(one.plan, { ownerId: source.objectId, latticeId: link.latticeId }),
  );
  if (taking === undefined) return null;
  const { userName, objectId } = plan.operation;
  const name = taking.candidate.source.attributes.userPrincipalName;
  const reason = `the Lattice account ${link.latticeId} has the externalId of ${String(name ?? taking.candidate.source.objectId)} and is handed over to them: it is not deactivated`;
  return {
    kind: "skipped",
    skipped: { objectId, userName, code: "formerOwner", reason },
    referencePending: false,
    alsoLookAt: [taking.candidate.source.objectId],
  };
}

/** `true` if the plan takes this account over, now or after the changes that are due for its owner. */
function takes(
  plan: PersonPlan,
  { ownerId, latticeId }: { readonly ownerId: string; readonly latticeId: string },
): boolean {
  if (plan.kind === "skipped") {
    return plan.skipped.code === "formerOwner" && plan.alsoLookAt?.includes(ownerId) === true;
  }
  return plan.kind === "operation" && plan.operation.adopts && plan.operation.latticeId === latticeId;
}

/** If only the rest of a rejected operation is sent, the next cycle looks again, and then reports the rejection. */
function toldAgain(plan: PersonPlan, now: number): PersonPlan {
  if (plan.kind !== "operation" || (plan.rejected ?? []).length === 0) return plan;
  return { ...plan, ...leftForNextCycle(plan, now) };
}

function withReleases(
  plan: Extract<PersonPlan, { kind: "operation" }>,
  released: ReadonlyMap<string, string>,
): PersonPlan {
  if (released.size === 0) return plan;
  const operation = markReleased(plan.operation, released);
  return { ...plan, operation, releasesInUse: releasesInUse(operation) };
}

/** Those of these people who have an account, or get one with the next plan even if it is held back for now. */
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
    ({ candidate, plan }) =>
      candidate.link !== null ||
      candidate.unconfirmed ||
      (plan.kind === "operation" && (plan.operation.action === "create" || plan.operation.adopts)),
  );
  const known = new Set(candidates.map(({ source }) => source.objectId));
  const unknown = surroundings.partial === true ? objectIds.filter((objectId) => !known.has(objectId)) : [];
  return new Set([...unknown, ...expected.map(({ candidate }) => candidate.source.objectId)]);
}

/** The owners of accounts that other people match, by object id. Owners are linked, so the recursion ends here. */
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
