import { isDeepStrictEqual } from "node:util";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { Hold } from "../../domain/plan.ts";
import type { NewOperation, OperationPatch, StateChange } from "../../domain/state/change.ts";
import type { EarlierHeld } from "../../domain/state/guarding.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import { changesDue } from "../operations/fingerprint.ts";
import { type HeldPart, split } from "../operations/split.ts";

/**
 * Holds planned operations, or parts of them. If only a part of an operation is held, that part becomes a row of its own, and
 * the rest stays planned.
 * @param cycle `startedAt`: milliseconds since the epoch
 * @returns `held`: how many operations are held, in whole or in part
 */
export function foldHeld(
  operations: readonly WeighedOperation[],
  holds: readonly Hold[],
  { startedAt }: { readonly startedAt: number },
): { readonly change: StateChange; readonly held: number } {
  const add: NewOperation[] = [];
  const patch: OperationPatch[] = [];
  for (const operation of operations) {
    const part = split(operation, holds);
    if (part === null) continue;
    const { id } = operation;
    if (part.rest === null) {
      patch.push({ id, status: "held" });
      continue;
    }
    const { changes, weights, referenceHeld } = part.rest;
    add.push(heldRow(operation, part, startedAt));
    patch.push({ id, left: { changes, weights, refers: !referenceHeld } });
  }
  return { change: { operations: { add, patch } }, held: patch.length };
}

/** The row of a held part. It refers to no manager, because a held operation waits only for a release. */
function heldRow(operation: WeighedOperation, { changes, weights }: HeldPart, at: number): NewOperation {
  const { cycleId, objectId, userName, latticeId, reason, evidence, wave, attempt = 1 } = operation;
  return {
    cycleId,
    status: "held",
    operation: {
      action: "update",
      objectId,
      userName,
      latticeId,
      reason,
      evidence,
      changes,
      adopts: false,
    },
    weights,
    refersTo: null,
    wave,
    attempt,
    at,
  };
}

/**
 * Settles the held rows of earlier plans, for people whom this plan includes. If the same is held again, the new row keeps
 * since when it is held, and the old row goes. If all of it is planned now, the old row goes. Otherwise it is cancelled.
 */
export function foldEarlierHeld(earlier: readonly EarlierHeld[]): StateChange {
  const patch: OperationPatch[] = [];
  const remove: number[] = [];
  const over: number[] = [];
  for (const { held, since, now } of earlier) {
    const same = now.find(
      (operation) => operation.status === "held" && isDeepStrictEqual(essence(operation), essence(held)),
    );
    if (same !== undefined) patch.push({ id: same.id, heldSince: since });
    if (same !== undefined || goesOn(held, now)) remove.push(held.id);
    else over.push(held.id);
  }
  patch.push(...over.map((id): OperationPatch => ({ id, status: "cancelled" })));
  return { operations: { patch, remove }, certain: over };
}

/** `true` if every held change is among the changes that are planned now. */
function goesOn(held: LoggedOperation, now: readonly LoggedOperation[]): boolean {
  const planned = now.flatMap((operation) => changesDue(operation).map(({ fingerprint }) => fingerprint));
  return changesDue(held).every(({ fingerprint }) => planned.includes(fingerprint));
}

/** The part of a held operation by which two of them count as the same. */
function essence({ action, latticeId, evidence, changes }: LoggedOperation): unknown {
  return [action, latticeId, evidence === null ? null : [evidence.kind, evidence.detail], changes];
}
