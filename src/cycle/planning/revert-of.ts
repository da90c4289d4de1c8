import type { Json } from "../../domain/json.ts";
import type { Change, Operation } from "../../domain/plan.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import { sameAt, valueAt } from "../../domain/target.ts";
import { heldAt, holds } from "./held.ts";

/** The part of an operation that its revert needs. Hundreds of thousands of them may be in memory at the same time. */
export type SentOperation = Pick<
  Operation,
  "action" | "objectId" | "userName" | "latticeId" | "evidence" | "changes" | "adopts"
>;

/** The traces of an operation that was carried out, sorted by what can be done about them. */
export interface Revert {
  /** Changes that are still as the operation left them, with before and after swapped. */
  readonly reverts: readonly Change[];
  /** Changes that are no longer as the operation left them: they are left. */
  readonly changedSince: readonly Left[];
  /** Losses that no write brings back. */
  readonly cannot: readonly Left[];
  /** Changes that could be taken back, and are not. */
  readonly skipped: readonly Left[];
}

/** Something that a revert leaves as it is. Values are left out, because some are for Lattice only. */
export interface Left {
  /** SCIM path; `account` for the account as such. */
  readonly attribute: string;
  /** Why, in words. */
  readonly reason: string;
}

/** The person's account and the links around it, as last confirmed. */
export interface AccountNow {
  /** The person's account; `null` if none is linked, or it is missing in Lattice. */
  readonly account: LinkedTarget | null;
  /** Why nothing is sent to the account now; `null` or absent if something may be. */
  readonly closed?: string | null;
  /** Why the account is not switched on, although everything else may be sent; `null` or absent if it may be. */
  readonly staysOff?: string | null;
  /** The Lattice id of the account that is linked to a person; `null` if there is none. */
  readonly accountOf: (objectId: string) => string | null;
  /** The object id of the person that an account is linked to; `null` if there is none. */
  readonly personOf: (latticeId: string) => string | null;
}

/** Stands in the place of an attribute for the account as such. */
const theAccount = "account";

/**
 * Works out what a revert of an operation is. Only a value that Lattice still has as it was sent is taken back.
 * @param operation an operation that is done; of several of one person, `asOne` makes one
 * @param options `deactivateCreated`: a created account is switched off; otherwise it is left
 */
export function revertOf(
  operation: SentOperation,
  now: AccountNow,
  options: { readonly deactivateCreated: boolean },
): Revert {
  const { account } = now;
  if (account === null) {
    return {
      ...nothing,
      changedSince: [{ attribute: theAccount, reason: "the account is no longer linked" }],
    };
  }
  if (account.latticeId !== operation.latticeId) {
    const reason = "another account is linked to the person now";
    return { ...nothing, changedSince: [{ attribute: theAccount, reason }] };
  }
  const { closed = null } = now;
  if (closed !== null) return { ...nothing, skipped: [{ attribute: theAccount, reason: closed }] };
  if (operation.action === "create") return revertOfCreation(account, options.deactivateCreated);
  const parts = operation.changes.map((change) => revertOfChange(change, account, now));
  const link = operation.adopts
    ? [{ attribute: theAccount, reason: "the account stays linked: only its values are taken back" }]
    : [];
  return {
    reverts: parts.flatMap(({ reverts }) => reverts),
    changedSince: parts.flatMap(({ changedSince }) => changedSince),
    cannot: [...link, ...parts.flatMap(({ cannot }) => cannot)],
    skipped: parts.flatMap(({ skipped }) => skipped),
  };
}

const nothing: Revert = { reverts: [], changedSince: [], cannot: [], skipped: [] };

function revertOfCreation(account: LinkedTarget, deactivate: boolean): Revert {
  const stays = { attribute: theAccount, reason: "a created account is never deleted" };
  if (!deactivate) {
    const reason = `${stays.reason}; --deactivate-created deactivates it`;
    return { ...nothing, cannot: [{ ...stays, reason }] };
  }
  if (account.active !== true) {
    const reason =
      account.active === false ? "it is inactive already" : "Lattice does not show whether it is active";
    return { ...nothing, changedSince: [{ attribute: "active", reason }], cannot: [stays] };
  }
  return { ...nothing, reverts: [{ attribute: "active", before: true, after: false }], cannot: [stays] };
}

function revertOfChange(change: Change, account: LinkedTarget, now: AccountNow): Revert {
  const { attribute, before, after, logged, redacted } = change;
  const cannot = (reason: string): Revert => ({ ...nothing, cannot: [{ attribute, reason }] });
  const left = (reason: string): Revert => ({ ...nothing, changedSince: [{ attribute, reason }] });
  if (logged !== undefined) return cannot("the log does not have its values (`state.logValues`)");
  if (attribute === "externalId") return cannot("Lattice takes an externalId once");
  if (change.reference !== undefined) return revertOfReference(change, change.reference, account, now);
  if (sameAt(attribute, valueAt(account, attribute), before)) return left("it has the earlier value already");
  if (!holds(account, attribute, after)) return left("Lattice has another value by now");
  if (attribute === "active" && before === null) return cannot("the log does not say whether it was active");
  if (attribute === "userName" && before === null) return cannot("an account needs a userName");
  const { staysOff = null } = now;
  if (attribute === "active" && before === true && staysOff !== null) {
    return { ...nothing, skipped: [{ attribute, reason: staysOff }] };
  }
  const back: Change = {
    attribute,
    before: heldAt(account, attribute),
    after: before,
    ...(redacted === true ? { redacted } : {}),
  };
  const lost = attribute === "active" && before === true ? [{ attribute, reason: lostByDeactivation }] : [];
  return { ...nothing, reverts: [back], cannot: lost };
}

const lostByDeactivation =
  "Lattice does not document that a reactivation brings back teams, goals, one-to-ones, the manager and the reports";
const lostByManagerChange =
  "reviews that the earlier manager had drafted or submitted were deleted in Lattice";

function revertOfReference(
  { attribute, before, after }: Change,
  { beforeId, afterObjectId }: NonNullable<Change["reference"]>,
  account: LinkedTarget,
  { accountOf, personOf }: AccountNow,
): Revert {
  const left = (reason: string): Revert => ({ ...nothing, changedSince: [{ attribute, reason }] });
  const current = heldAt(account, attribute);
  if (sameAt(attribute, current, beforeId)) return left("it has the earlier value already");
  const sent: Json = afterObjectId === null ? null : accountOf(afterObjectId);
  if (afterObjectId !== null && sent === null) return left("the manager that was sent has no account by now");
  if (!holds(account, attribute, sent)) return left("Lattice has another value by now");
  const earlier = beforeId === null ? null : personOf(beforeId);
  if (beforeId !== null && earlier === null) {
    return {
      ...nothing,
      cannot: [{ attribute, reason: "the account of the earlier manager is not linked to any user" }],
    };
  }
  const back: Change = {
    attribute,
    before: after,
    after: before,
    reference: { beforeId: typeof current === "string" ? current : null, afterObjectId: earlier },
  };
  const lost = beforeId === null ? [] : [{ attribute, reason: lostByManagerChange }];
  return { ...nothing, reverts: [back], cannot: lost };
}

/**
 * One operation in the place of several of one person in one cycle, in the order in which they were sent: each attribute from its first value
 * before to its last value after.
 */
export function asOne(operations: readonly [SentOperation, ...SentOperation[]]): SentOperation {
  const [first] = operations;
  const changes = new Map<string, Change>();
  for (const change of operations.flatMap((operation) => operation.changes)) {
    const earlier = changes.get(change.attribute);
    changes.set(change.attribute, earlier === undefined ? change : joined(earlier, change));
  }
  const latticeId = operations.at(-1)?.latticeId ?? null;
  const adopts = operations.some((operation) => operation.adopts);
  const evidence = operations.findLast((operation) => operation.evidence !== null)?.evidence ?? null;
  return { ...first, latticeId, adopts, evidence, changes: [...changes.values()] };
}

function joined(earlier: Change, later: Change): Change {
  const reference =
    earlier.reference === undefined || later.reference === undefined
      ? undefined
      : { beforeId: earlier.reference.beforeId, afterObjectId: later.reference.afterObjectId };
  const logged = earlier.logged ?? later.logged;
  return {
    ...later,
    before: earlier.before,
    ...(reference === undefined ? {} : { reference }),
    ...(earlier.redacted === true ? { redacted: true } : {}),
    ...(logged === undefined ? {} : { logged }),
  };
}
