import type { SkipCode } from "../../domain/plan.ts";
import type { PersonRow } from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";

// The one list of reasons why somebody is planned again. Each function says what has happened; a store applies what it gives.

type Keys = Pick<PersonRow, "userNameKey" | "externalIdKey">;

/** The directory has other values of the person, or another standing: what failed with the old ones is tried at once. */
export function personChanged(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId, retry: true }];
}

/** What is read of the person is derived otherwise, by a list of the configuration. */
export function configuredOtherwise(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId }];
}

/** The person came or went, or something that is mapped from a manager changed: the reports map to something else. */
export function managerChanged(objectId: string): readonly Mark[] {
  return [{ who: "reports", objectId }];
}

/**
 * People with these keys came, went, or changed their standing: two who share a key wait for each other. A leaver whose
 * account has the userName gives it up only where another person needs it, so that person is looked at too.
 */
export function keysTouched(keys: Iterable<Keys>): readonly Mark[] {
  const names = new Set<string>();
  const ids = new Set<string>();
  for (const { userNameKey, externalIdKey } of keys) {
    if (userNameKey !== null) names.add(userNameKey);
    if (externalIdKey !== null) ids.add(externalIdKey);
  }
  return [
    ...[...names].flatMap((key): Mark[] => [
      { who: "sharers", of: "userName", key },
      { who: "bearer", userName: key },
    ]),
    ...[...ids].map((key): Mark => ({ who: "sharers", of: "externalId", key })),
  ];
}

/** People entered or left the scope, or a group that scoping filters name. */
export function moved(objectIds: Iterable<string>): readonly Mark[] {
  return [...new Set(objectIds)].flatMap((objectId): Mark[] => [
    { who: "person", objectId, retry: true },
    { who: "sharersWith", objectId },
    { who: "bearerOfNameOf", objectId },
  ]);
}

/** Time alone changes what is decided: a date in a filter, a delayed deactivation. A failure keeps its own time. */
export function timeHasCome(objectIds: readonly string[]): readonly Mark[] {
  return objectIds.flatMap((objectId): Mark[] => [
    { who: "person", objectId },
    { who: "sharersWith", objectId },
  ]);
}

/**
 * Reasons that pass without a change of the person: time, the owner of the account taking another name, what is nobody's
 * fault.
 */
const passing: ReadonlySet<SkipCode> = new Set([
  "waitingForRetry",
  "linkedToAnother",
  "externalIdOfAnother",
  "renameRing",
  "managerRing",
  "formerOwner",
  "accountMissing",
  "leavingUnconfirmed",
  "clockInDoubt",
  "putBack",
]);

/** Whether the person is in the next plan too: until a write is confirmed, and while a reason to skip passes by itself. */
export function stayMarked(plan: PersonPlan): boolean {
  if (plan.kind === "operation") return true;
  return plan.kind === "skipped" && passing.has(plan.skipped.code);
}

/** The managers whom these people waited for have accounts by now. */
export function managersFound(objectIds: readonly string[]): readonly Mark[] {
  return objectIds.map((objectId) => ({ who: "person", objectId }));
}

/** What the guard holds of these people was released, or a rejection of it was taken back. */
export function heldDecided(objectIds: readonly string[]): readonly Mark[] {
  return [...new Set(objectIds)].map((objectId) => ({ who: "person", objectId }));
}

/** The plan of other people rests on what is planned for these. */
export function lookedAtNext(objectIds: Iterable<string>): readonly Mark[] {
  return [...objectIds].map((objectId) => ({ who: "person", objectId }));
}

/** An account was read that is not as it was known, or is there again. */
export function accountChanged(objectId: string, { returned = false } = {}): readonly Mark[] {
  return [{ who: "person", objectId, ...(returned ? { retry: true } : {}) }];
}

/** An account is known that was not: people who lost it, or one with its externalId, are matched again. */
export function accountAppeared(latticeId: string, externalId: string | null): readonly Mark[] {
  return [{ who: "lostOwners", latticeId, externalId }];
}

/** No account has the userName (in lower case) any more: people who wait for it are tried at once. */
export function nameFreed(userName: string): readonly Mark[] {
  return [{ who: "sharers", of: "userName", key: userName, retry: true }];
}

/** An account carries another externalId: people whose id it was or is, and people with its userName, may match it now. */
export function externalIdChanged(
  before: string | null,
  account: { readonly externalId: string | null; readonly userName: string },
): readonly Mark[] {
  const ids = [before, account.externalId].filter((id) => id !== null);
  return [
    ...ids.flatMap((id): Mark[] => [
      { who: "person", objectId: id },
      { who: "sharers", of: "externalId", key: id },
    ]),
    { who: "sharers", of: "userName", key: account.userName.toLowerCase() },
  ];
}

/**
 * A person has an account no more. A disabled person counts for people with the same keys only while there is an account.
 */
function accountLost(objectId: string): readonly Mark[] {
  return [
    { who: "person", objectId },
    { who: "sharersWith", objectId },
  ];
}

/** The account is gone from Lattice: what failed there is tried at once with whatever is matched now. */
export function accountGone(objectId: string): readonly Mark[] {
  return [
    ...accountLost(objectId),
    { who: "person", objectId, retry: true },
    ...managersAccountChanged(objectId),
  ];
}

/** The account went over to another person: reports that point to it wait for the account that their manager gets. */
export function accountTakenOver(formerOwner: string): readonly Mark[] {
  return [...accountLost(formerOwner), { who: "reports", objectId: formerOwner, await: true }];
}

/** The person is linked to another account than before: reports may point to the old one, and may have failed for it. */
export function managersAccountChanged(objectId: string): readonly Mark[] {
  return [{ who: "reports", objectId, retry: true }];
}

/** What became of a write in doubt is known. */
export function writeLookedUp(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId }];
}
