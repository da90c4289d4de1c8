import type { LoggedOperation } from "../../domain/operation.ts";
import type { OperationPatch, StateChange } from "../../domain/state/change.ts";
import { weightsOf } from "../operations/weights.ts";
import { partTakenOut } from "./marks.ts";

/**
 * Takes everything but `active` out of planned deactivations, because a person has paused sending since they were planned. These
 * people are looked at again in the next cycle.
 * @param cycle `startedAt`: milliseconds since the epoch
 * @returns `left`: the operations as they are to be sent now
 */
export function foldPaused(
  operations: readonly LoggedOperation[],
  cycle: {
    readonly startedAt: number;
    readonly firstRun: boolean;
    readonly canary: ReadonlySet<string> | null;
  },
): { readonly change: StateChange | null; readonly left: readonly LoggedOperation[] } {
  const patch: OperationPatch[] = [];
  const again: string[] = [];
  const left = operations.map((operation): LoggedOperation => {
    const changes = operation.changes.filter(({ attribute }) => attribute === "active");
    if (changes.length === operation.changes.length) return operation;
    const rest = { ...operation, changes };
    patch.push({ id: operation.id, left: { changes, weights: weightsOf(rest, cycle), refers: false } });
    again.push(operation.objectId);
    return rest;
  });
  const change =
    patch.length === 0 ? null : { operations: { patch }, lookAgain: partTakenOut(again, cycle.startedAt) };
  return { change, left };
}
