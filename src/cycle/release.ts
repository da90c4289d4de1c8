import type { Change, Operation } from "../domain/plan.ts";
import type { ReleasedChange } from "../domain/store.ts";

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

/** The changes of a held operation, as a release names them. */
export function releasedChanges(operation: Operation): ReleasedChange[] {
  return operation.changes.map((change) => ({
    objectId: operation.objectId,
    attribute: change.attribute,
    fingerprint: fingerprint(operation, change),
  }));
}

/** Marks the changes that were released as they are now. */
export function markReleased(operation: Operation, released: ReadonlyMap<string, string>): Operation {
  if (released.size === 0) return operation;
  const changes = operation.changes.map((change) =>
    released.get(change.attribute) === fingerprint(operation, change)
      ? { ...change, released: true as const }
      : change,
  );
  return { ...operation, changes };
}
