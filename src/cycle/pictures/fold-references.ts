import type { OperationPatch, StateChange } from "../../domain/state/change.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { managersFound } from "./marks.ts";

/**
 * Planned operations without their references, because the managers have no accounts yet: the people wait for those. An
 * update of which nothing is left is not sent. Making or adopting an account is work of its own.
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
    awaiting: withdrawn.map((one) => ({ objectId: one.operation.objectId, planAgain: !isGone(one) })),
  };
}

function withoutReference(operation: WeighedOperation): NonNullable<OperationPatch["left"]> {
  const changes = operation.changes.filter(({ reference }) => reference === undefined);
  return {
    changes,
    reason: operation.action === "update" ? `${attributeList(changes)} changed` : operation.reason,
    // Nothing is taken from the former manager yet.
    weights: operation.weights.filter(({ kind }) => kind !== "manager"),
    refers: false,
  };
}

/** The managers whom these people waited for have accounts by now. */
export function foldManagersFound(objectIds: readonly string[]): StateChange {
  return { managerFound: objectIds, marks: managersFound(objectIds) };
}
