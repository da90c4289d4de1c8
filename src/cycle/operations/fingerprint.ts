import { createHash } from "node:crypto";
import type { Change, Operation } from "../../domain/plan.ts";
import type { RejectedChange, ReleasedChange } from "../../domain/state/decided-change.ts";
import type { ChangeToReject } from "../../domain/state/guarding.ts";

/** Stands in the place of an attribute for the create, or the link, as such. */
export const theAccount = "account";

/** Stands in the place of an attribute for the values that a create gives. */
export const itsValues = "account values";

/**
 * Identifies one change of one account: the value before, the value after and, for a deactivation, the evidence. Releases and
 * rejections name changes this way, so they are valid exactly as long as the same change is planned.
 */
function fingerprint(operation: Operation, change: Change): string {
  const { attribute, before, after, reference } = change;
  return JSON.stringify([
    operation.latticeId,
    attribute,
    reference?.beforeId ?? before,
    reference?.afterObjectId ?? after,
    attribute === "active" ? (operation.evidence?.kind ?? null) : null,
  ]);
}

/** Identifies a create or a link, whatever values the account is to get. */
function accountFingerprint({ action, latticeId, userName }: Operation): string {
  return JSON.stringify([
    latticeId,
    theAccount,
    null,
    action === "create" ? userName.toLowerCase() : null,
    null,
  ]);
}

/** Identifies the values that a create gives to the account. */
function valuesFingerprint({ changes }: Operation): string {
  const values = changes.map(({ attribute, after, reference }) =>
    JSON.stringify([attribute, reference?.afterObjectId ?? after]),
  );
  return createHash("sha256").update(values.sort().join("\n")).digest("hex");
}

/** As `fingerprint`, with the clause of the scoping filter: a deactivation rejected for one clause may be due for another. */
function rejectedFingerprint(operation: Operation, change: Change): string {
  const { evidence } = operation;
  const detail =
    change.attribute === "active" && evidence?.kind === "filteredOut" ? ` ${evidence.detail}` : "";
  return `${fingerprint(operation, change)}${detail}`;
}

/** `true` if an operation makes or links an account. */
function isOfAccount({ action, adopts }: Operation): boolean {
  return action === "create" || adopts;
}

/**
 * The changes of a held operation, as a release names them. A create is named as such, and its values besides: with other values it
 * passes the guard, which counts accounts, and waits for a canary.
 */
export function releasedChanges(operation: Operation): ReleasedChange[] {
  const { objectId, action } = operation;
  const due = changesDue(operation);
  return action === "create"
    ? [...due, { objectId, attribute: itsValues, fingerprint: valuesFingerprint(operation) }]
    : due;
}

/** The changes by which an operation is the same as another one; a create is, whatever values the account is to get. */
export function changesDue(operation: Operation): ReleasedChange[] {
  const { objectId, action, changes } = operation;
  const own = action === "create" ? [] : changes;
  return [
    ...(isOfAccount(operation)
      ? [{ objectId, attribute: theAccount, fingerprint: accountFingerprint(operation) }]
      : []),
    ...own.map((change) => ({
      objectId,
      attribute: change.attribute,
      fingerprint: fingerprint(operation, change),
    })),
  ];
}

/** Marks the changes that were released exactly as they are planned now. */
export function markReleased(operation: Operation, released: ReadonlyMap<string, string>): Operation {
  if (released.size === 0) return operation;
  const whole = isOfAccount(operation) && released.get(theAccount) === accountFingerprint(operation);
  const changes = operation.changes.map((change) =>
    released.get(change.attribute) === fingerprint(operation, change) ||
    (whole && operation.action === "create")
      ? { ...change, released: true as const }
      : change,
  );
  const asShown =
    whole && operation.action === "create" && released.get(itsValues) === valuesFingerprint(operation);
  return {
    ...operation,
    changes,
    ...(whole ? { released: true as const } : {}),
    ...(asShown ? { releasedAsShown: true as const } : {}),
  };
}

/**
 * `true` if an operation of the log was planned with one of these releases: a change is marked, or the account is made or
 * linked as it was released. A link may have no changes.
 */
export function isPlannedAsReleased(operation: Operation, released: readonly ReleasedChange[]): boolean {
  if (operation.changes.some((change) => change.released === true)) return true;
  if (!isOfAccount(operation)) return false;
  const wanted = accountFingerprint(operation);
  return released.some(
    ({ objectId, attribute, fingerprint: known }) =>
      objectId === operation.objectId && attribute === theAccount && known === wanted,
  );
}

/** The attributes whose releases apply to this operation. */
export function releasesInUse({ changes, released, releasedAsShown }: Operation): readonly string[] {
  const used = changes.flatMap((change) => (change.released === true ? [change.attribute] : []));
  const values = releasedAsShown === true ? [itsValues] : [];
  return released === true ? [theAccount, ...values, ...used] : used;
}

/** The changes of a held operation, as a rejection names them; a create or a link is named as a whole. */
export function rejectedChanges(operation: Operation): ChangeToReject[] {
  const { objectId, evidence } = operation;
  if (isOfAccount(operation) && operation.action !== "deactivate") {
    return [{ objectId, attribute: theAccount, fingerprint: accountFingerprint(operation), evidence: null }];
  }
  return operation.changes.map((change) => ({
    objectId,
    attribute: change.attribute,
    fingerprint: rejectedFingerprint(operation, change),
    evidence: change.attribute === "active" ? (evidence?.kind ?? null) : null,
  }));
}

/**
 * Names a change that a revert takes back by the value that was sent alone: the account may show the earlier value in another form
 * by the next plan, and yet the same value must not be sent again. Nor in other letters: the log may have the form that Lattice keeps.
 */
export function revertedFingerprint(
  operation: Pick<Operation, "evidence" | "latticeId">,
  change: Change,
): string {
  const { attribute, after, reference } = change;
  const { evidence, latticeId } = operation;
  const cause = attribute === "active" && after === false ? evidence : null;
  const sent = reference?.afterObjectId ?? after;
  return JSON.stringify([
    "reverted",
    latticeId,
    attribute,
    typeof sent === "string" ? sent.toLowerCase() : sent,
    cause === null ? null : cause.kind === "filteredOut" ? `${cause.kind} ${cause.detail}` : cause.kind,
  ]);
}

/** In rejections from an older version, which did not name changes: a deactivation, whatever the evidence. */
const anyFingerprint = "*";

/** The rejection that applies to a change, or to the create or link as such (`null`), as it is planned now. */
export function rejectionOf(
  operation: Operation,
  change: Change | null,
  rejected: readonly RejectedChange[],
): RejectedChange | undefined {
  if (change === null && !isOfAccount(operation)) return undefined;
  const attribute = change?.attribute ?? theAccount;
  const wanted = change === null ? accountFingerprint(operation) : rejectedFingerprint(operation, change);
  const names = [
    wanted,
    anyFingerprint,
    ...(change === null ? [] : [revertedFingerprint(operation, change)]),
  ];
  return rejected.find((one) => one.attribute === attribute && names.includes(one.fingerprint));
}

/** `true` if everything in a held operation was rejected. Its row stays, so that it can still be released by name. */
export function isRejected(operation: Operation, rejected: readonly RejectedChange[]): boolean {
  const ofPerson = rejected.filter(({ objectId }) => objectId === operation.objectId);
  if (ofPerson.length === 0) return false;
  if (rejectionOf(operation, null, ofPerson) !== undefined) return true;
  // A link stays due even if all its changes were rejected.
  if (isOfAccount(operation) && operation.action !== "deactivate") return false;
  return operation.changes.every((change) => rejectionOf(operation, change, ofPerson) !== undefined);
}
