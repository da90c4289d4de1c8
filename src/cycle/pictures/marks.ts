import type { OperationOutcome } from "../../domain/operation.ts";
import type { Operation, SkipCode } from "../../domain/plan.ts";
import type { AccountRow, PersonRow, StateChange } from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { isReverted } from "./fold-reverted.ts";

// The only list of reasons why a person is planned again. Each function is named after what has happened; the store applies
// the marks that it returns.

type Keys = Pick<PersonRow, "userNameKey" | "externalIdKey">;

/** The person is newly known. */
export function personAppeared(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId }];
}

/** The person has other values in Entra, or came or went. If the old values failed, the new ones are tried at once. */
export function personChanged(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId, retry: true }];
}

/** A list of the configuration (`entra.scope.include`) names the person now, or no longer does. */
export function configuredOtherwise(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId }];
}

/** The person came or went, or a value that reports map from their manager changed. */
export function managerChanged(objectId: string): readonly Mark[] {
  return [{ who: "reports", objectId }];
}

/**
 * People with these keys came, went, or changed. Others with the same key may now be unique, or no longer be. A leaver gives
 * up a userName only if another person needs it, so the leaver whose account has the name is planned again too.
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

/** People entered or left the scope, or a group that scoping filters or expressions name. */
export function moved(objectIds: Iterable<string>): readonly Mark[] {
  return [...new Set(objectIds)].flatMap((objectId): Mark[] => [
    { who: "person", objectId, retry: true },
    { who: "sharersWith", objectId },
    { who: "bearerOfNameOf", objectId },
  ]);
}

/** Time alone changes the plan: a date in a filter, or a delayed deactivation, is reached. A retry keeps its own time. */
export function timeHasCome(objectIds: readonly string[]): readonly Mark[] {
  return objectIds.flatMap((objectId): Mark[] => [
    { who: "person", objectId },
    { who: "sharersWith", objectId },
    { who: "bearerOfNameOf", objectId },
  ]);
}

/** Reasons to skip that can pass without a change of the person: time passes, or another person or account changes. */
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

/** `true` if the person is in the next plan too: until a write is confirmed, and while a reason to skip passes by itself. */
export function stayMarked(plan: PersonPlan): boolean {
  if (plan.kind === "operation") return true;
  return plan.kind === "skipped" && passing.has(plan.skipped.code);
}

/**
 * `true` if the person is in the next plan although a write was carried out: the guard holds another part, a part was refused, the
 * account was not as the plan knew it, or it was another person's and still has that person's manager. After a revert too,
 * because a revert is not what the directory wants: the next plan says what is rejected.
 * @param held the guard holds another part of what the cycle planned for the person
 */
export function stayMarkedAfterWrite(
  { action, formerOwner, changes }: Pick<Operation, "action" | "formerOwner" | "changes">,
  { retry, again }: Pick<OperationOutcome, "retry" | "again">,
  held: boolean,
): boolean {
  const partHeld = held && action !== "create";
  return (
    partHeld || retry !== undefined || again === true || formerOwner !== undefined || changes.some(isReverted)
  );
}

/** `true` if the person stays marked after the manager was taken out of their operation: the rest of it is still planned. */
export function stayMarkedWithoutManager(rest: "planned" | "nothing"): boolean {
  return rest === "planned";
}

/**
 * A part of what is planned for these people was taken out before sending. They are planned again in the next cycle. A mark would end
 * when the rest is confirmed, so their time comes instead.
 * @param startedAt of this cycle, milliseconds since the epoch
 */
export function partTakenOut(
  objectIds: readonly string[],
  startedAt: number,
): NonNullable<StateChange["lookAgain"]> {
  return { objectIds, at: startedAt };
}

/**
 * Besides the operation of this plan, something is left for the next cycle: values that are not compared or sent with a new link, a
 * rejection or a ring of managers to report, changes on which two clocks do not agree. Why a time: `partTakenOut`.
 * @param now milliseconds since the epoch
 */
export function leftForNextCycle(
  { lookAgainAt }: Pick<PersonPlan, "lookAgainAt">,
  now: number,
): { readonly lookAgainAt: number } {
  return { lookAgainAt: Math.min(lookAgainAt ?? now, now) };
}

/** The managers for whom these people waited have accounts now. */
export function managersFound(objectIds: readonly string[]): readonly Mark[] {
  return objectIds.map((objectId) => ({ who: "person", objectId }));
}

/** An account for which reports may have waited will not be made: a person has rejected it, or it is due no more. */
export function managerGetsNoAccount(objectId: string): readonly Mark[] {
  return [{ who: "reports", objectId }];
}

/** A held change of these people was released, or a rejection was undone. */
export function heldDecided(objectIds: readonly string[]): readonly Mark[] {
  return [...new Set(objectIds)].map((objectId) => ({ who: "person", objectId }));
}

/** A person has decided which account is a user's, or is not. */
export function linkDecided(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId, retry: true }];
}

/** The plan of another person depends on what is planned for these people, or a leaver needs the userName of their account. */
export function lookedAtNext(objectIds: Iterable<string>): readonly Mark[] {
  return [...objectIds].map((objectId) => ({ who: "person", objectId }));
}

/** An account was read and differs from what was stored, or it was missing and is there again. */
export function accountChanged(objectId: string, { returned = false } = {}): readonly Mark[] {
  return [{ who: "person", objectId, ...(returned ? { retry: true } : {}) }];
}

/** An account appeared. People who lost it, or an account with its externalId, are matched again. */
export function accountAppeared(latticeId: string, externalId: string | null): readonly Mark[] {
  return [{ who: "lostOwners", latticeId, externalId }];
}

/** An account gave up this userName (in lower case). People who wait for it are tried at once. */
export function nameFreed(userName: string): readonly Mark[] {
  return [{ who: "sharers", of: "userName", key: userName, retry: true }];
}

/** An account has another externalId. People whose id it was or is, and people with its userName, may match it now. */
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

/** A person lost the account. A disabled person without an account no longer counts for people with the same keys. */
function accountLost(objectId: string): readonly Mark[] {
  return [
    { who: "person", objectId },
    { who: "sharersWith", objectId },
  ];
}

/** The account is gone from Lattice. The person is matched again, and tried at once even if the old account failed. */
export function accountGone(objectId: string): readonly Mark[] {
  return [
    ...accountLost(objectId),
    { who: "person", objectId, retry: true },
    ...managersAccountChanged(objectId),
  ];
}

/** The account went over to another person. The reports of the former owner wait until their manager has an account. */
export function accountTakenOver(formerOwner: string): readonly Mark[] {
  return [...accountLost(formerOwner), { who: "reports", objectId: formerOwner, await: true }];
}

/**
 * The person is linked to another account than before. Reports may point to the old one, or may have failed because of it.
 */
export function managersAccountChanged(objectId: string): readonly Mark[] {
  return [{ who: "reports", objectId, retry: true }];
}

/** A write in doubt was looked up, so it is known what became of it. */
export function writeLookedUp(objectId: string): readonly Mark[] {
  return [{ who: "person", objectId }];
}

/**
 * A person has protected an account, or protects it no longer. Its person, and people who match it, are planned again, and tried at
 * once if a write was refused because of it.
 */
export function protectionChanged({
  latticeId,
  objectId,
  userName,
  externalId,
}: Pick<AccountRow, "latticeId" | "objectId" | "userName" | "externalId">): readonly Mark[] {
  return [
    ...(objectId === null ? [] : [{ who: "person", objectId, retry: true } as const]),
    { who: "sharers", of: "userName", key: userName.toLowerCase(), retry: true },
    ...(externalId === null
      ? []
      : [
          { who: "person", objectId: externalId } as const,
          { who: "sharers", of: "externalId", key: externalId } as const,
        ]),
    { who: "lostOwners", latticeId, externalId },
  ];
}
