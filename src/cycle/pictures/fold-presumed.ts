import type { LoggedOperation } from "../../domain/operation.ts";
import type { OperationPatch, StateChange } from "../../domain/state/change.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { type Presumption, withoutPresumed } from "../operations/presumption.ts";
import { weightsOf } from "../operations/weights.ts";
import { partTakenOut } from "./marks.ts";

/** A planned operation, and the people whom it takes to be gone. */
export interface Presuming {
  readonly operation: LoggedOperation;
  readonly presumption: Presumption;
}

/**
 * Takes out of planned operations what must not be sent because people are there whom they take to be gone, or because that is
 * not known. People whose operation goes stay marked; the others are looked at again in the next cycle.
 * @param cycle `startedAt`: milliseconds since the epoch
 * @returns `removed`: the operations of which nothing is left
 */
export function foldPresumed(
  operations: readonly Presuming[],
  isThere: (objectId: string) => boolean,
  cycle: {
    readonly startedAt: number;
    readonly firstRun: boolean;
    readonly canary: ReadonlySet<string> | null;
  },
): { readonly change: StateChange; readonly removed: readonly LoggedOperation[] } {
  const patch: OperationPatch[] = [];
  const removed: LoggedOperation[] = [];
  const again: string[] = [];
  for (const { operation, presumption } of operations) {
    const changes = withoutPresumed(operation, presumption, isThere);
    if (changes === null) removed.push(operation);
    else if (changes.length < operation.changes.length) {
      const { id, action, reason, objectId } = operation;
      const left = {
        changes,
        reason: action === "update" ? `${attributeList(changes)} changed` : reason,
        weights: weightsOf({ ...operation, changes }, cycle),
        refers: changes.some(({ reference }) => (reference?.afterObjectId ?? null) !== null),
      };
      patch.push({ id, left });
      again.push(objectId);
    }
  }
  return {
    change: {
      operations: { patch, remove: removed.map(({ id }) => id) },
      lookAgain: partTakenOut(again, cycle.startedAt),
    },
    removed,
  };
}
