import { isDeepStrictEqual } from "node:util";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { Hold } from "../../domain/plan.ts";
import type { NewOperation, OperationPatch, StateChange } from "../../domain/state/change.ts";
import type { EarlierHeld } from "../../domain/state/guarding.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import { releasedChanges } from "../operations/fingerprint.ts";
import { type HeldPart, split } from "../operations/split.ts";

/**
 * What these holds keep back of planned operations. An operation of which a part is held becomes two: the part is a row of
 * its own, and the rest goes on.
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

/** What is held waits for nothing but a release: neither for an account that is made, nor for a manager. */
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
 * What earlier plans hold of people whom this one has planned: the same is held once, and what is due no more is cancelled.
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

/** Whether all that was held is a part of what is planned now. */
function goesOn(held: LoggedOperation, now: readonly LoggedOperation[]): boolean {
  const planned = now.flatMap((operation) =>
    releasedChanges(operation).map(({ fingerprint }) => fingerprint),
  );
  return releasedChanges(held).every(({ fingerprint }) => planned.includes(fingerprint));
}

/** What a person sees of a held operation. */
function essence({ action, latticeId, evidence, changes }: LoggedOperation): unknown {
  return [action, latticeId, evidence, changes];
}
