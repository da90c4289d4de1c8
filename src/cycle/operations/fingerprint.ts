import type { Change, Operation } from "../../domain/plan.ts";
import type { RejectedChange, ReleasedChange } from "../../domain/state/decided-change.ts";
import type { ChangeToReject } from "../../domain/state/guarding.ts";

/** Stands for making or linking an account as such, where changes are named by their attributes. */
const theAccount = "account";

/**
 * Stands for one change of one account: what it was, what it shall be and, where it switches the account off, what was
 * seen. A release names changes this way, so that it holds exactly as long as the change is still the same.
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

/** Of a create, or of a link, whatever the account is to hold. */
function accountFingerprint({ action, latticeId, userName }: Operation): string {
  return JSON.stringify([
    latticeId,
    theAccount,
    null,
    action === "create" ? userName.toLowerCase() : null,
    null,
  ]);
}

/** Another clause of the filters is another reason to go: who is rejected for the one is judged by the other. */
function rejectedFingerprint(operation: Operation, change: Change): string {
  const { evidence } = operation;
  const detail =
    change.attribute === "active" && evidence?.kind === "filteredOut" ? ` ${evidence.detail}` : "";
  return `${fingerprint(operation, change)}${detail}`;
}

/** Whether an operation makes or links an account. */
function isOfAccount({ action, adopts }: Operation): boolean {
  return action === "create" || adopts;
}

/** The changes of a held operation, as a release names them. */
export function releasedChanges(operation: Operation): ReleasedChange[] {
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

/** Marks the changes that were released as they are now. */
export function markReleased(operation: Operation, released: ReadonlyMap<string, string>): Operation {
  if (released.size === 0) return operation;
  const whole = isOfAccount(operation) && released.get(theAccount) === accountFingerprint(operation);
  const changes = operation.changes.map((change) =>
    released.get(change.attribute) === fingerprint(operation, change) ||
    (whole && operation.action === "create")
      ? { ...change, released: true as const }
      : change,
  );
  return { ...operation, changes, ...(whole ? { released: true as const } : {}) };
}

/** The attributes whose releases are still for what is planned. */
export function releasesInUse({ changes, released }: Operation): readonly string[] {
  const used = changes.flatMap((change) => (change.released === true ? [change.attribute] : []));
  return released === true ? [theAccount, ...used] : used;
}

/** The changes of a held operation, as a rejection names them: of a create or a link, the account as such. */
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

/** A rejection from before rejections named changes: of a deactivation, whatever was seen. */
const anyFingerprint = "*";

/** The rejection that a change, or the account as such (`null`), meets as it is now. */
export function rejectionOf(
  operation: Operation,
  change: Change | null,
  rejected: readonly RejectedChange[],
): RejectedChange | undefined {
  if (change === null && !isOfAccount(operation)) return undefined;
  const attribute = change?.attribute ?? theAccount;
  const wanted = change === null ? accountFingerprint(operation) : rejectedFingerprint(operation, change);
  return rejected.find(
    (one) =>
      one.attribute === attribute && (one.fingerprint === wanted || one.fingerprint === anyFingerprint),
  );
}

/** Whether everything in a held operation was rejected since. Its row stays, so that it can still be released by name. */
export function isRejected(operation: Operation, rejected: readonly RejectedChange[]): boolean {
  const ofPerson = rejected.filter(({ objectId }) => objectId === operation.objectId);
  if (ofPerson.length === 0) return false;
  if (rejectionOf(operation, null, ofPerson) !== undefined) return true;
  // A link is due whatever was rejected of its changes.
  if (isOfAccount(operation) && operation.action !== "deactivate") return false;
  return operation.changes.every((change) => rejectionOf(operation, change, ofPerson) !== undefined);
}
