import type { OperationPatch, StateChange } from "../../domain/state/change.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { managersFound, stayMarkedWithoutManager } from "./marks.ts";

/**
 * Takes the reference to a manager without an account out of planned operations; the people wait for the manager's account.
 * An update with no other change is removed. A create or an adoption stays.
 */
export function foldWithdrawn(operations: readonly WeighedOperation[]): StateChange {
  const withdrawn = operations.map((operation) => ({ operation, left: withoutReference(operation) }));
  const isGone = ({ operation, left }: (typeof withdrawn)[number]): boolean =>
    left.changes.length === 0 && operation.action === "update" && !operation.adopts;
  return {
    operations: {
      patch: withdrawn
        .filter((one) => !isGone(one))
        .map(({ operation, left }): OperationPatch => ({ id: operation.id, left })),
      remove: withdrawn.filter(isGone).map(({ operation }) => operation.id),
    },
    awaiting: withdrawn.map((one) => ({
      objectId: one.operation.objectId,
      planAgain: stayMarkedWithoutManager(isGone(one) ? "nothing" : "planned"),
    })),
  };
}

function withoutReference(operation: WeighedOperation): NonNullable<OperationPatch["left"]> {
  const changes = operation.changes.filter(({ reference }) => reference === undefined);
  return {
    changes,
    reason: operation.action === "update" ? `${attributeList(changes)} changed` : operation.reason,
    // The manager is not changed now, so that change weighs nothing.
    weights: operation.weights.filter(({ kind }) => kind !== "manager"),
    refers: false,
  };
}

/** Folds that the managers of these people, for whom they waited, have accounts now. */
export function foldManagersFound(objectIds: readonly string[]): StateChange {
  return { managerFound: objectIds, marks: managersFound(objectIds) };
}
