import type { Change, Hold } from "../../domain/plan.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import type { Weight, WeightKind } from "../../domain/weight.ts";
import { changeWaits, leavesCertainly } from "./canary.ts";
import { weightsOfChange } from "./weights.ts";

/** The held part of a planned operation. */
export interface HeldPart {
  readonly changes: readonly Change[];
  readonly weights: readonly Weight[];
  /** The part that stays planned; `null` if the whole operation is held. */
  readonly rest: {
    readonly changes: readonly Change[];
    readonly weights: readonly Weight[];
    /** The change of manager is in the held part. */
    readonly referenceHeld: boolean;
  } | null;
}

/** Kinds that concern the account as a whole. If one of them is held, the whole operation is held. */
const ofTheWhole: ReadonlySet<WeightKind> = new Set([
  "deactivate",
  "reactivate",
  "create",
  "link",
  "doubtfulLink",
]);

/** Splits an operation into the held part and the rest; `null` if no part is held. */
export function split(operation: WeighedOperation, holds: readonly Hold[]): HeldPart | null {
  const isHeld = (weight: Weight): boolean => holds.some((hold) => concerns(hold, weight));
  const weights = operation.weights.filter(isHeld);
  if (weights.length === 0) return null;
  const whole = { rest: null, changes: operation.changes, weights };
  const byCanary = weights.some(({ kind }) => kind === "canary");
  // A leaver is switched off although the rest waits for a canary.
  const isWhole = (kind: WeightKind): boolean =>
    kind === "canary" ? !leavesCertainly(operation) : ofTheWhole.has(kind);
  if (weights.some(({ kind }) => isWhole(kind))) return { ...whole, weights: operation.weights };
  const held = operation.changes.filter(
    (change) =>
      weightsOfChange(operation, change).some(isHeld) || (byCanary && changeWaits(operation, change)),
  );
  if (held.length === operation.changes.length && operation.action === "update") return whole;
  const rest = operation.changes.filter((change) => !held.includes(change));
  return {
    changes: held,
    weights,
    rest: {
      changes: rest,
      weights: operation.weights.filter(
        (weight) => !weights.includes(weight) && (!byCanary || weight.kind === "deactivate"),
      ),
      referenceHeld: held.some(isReference) && !rest.some(isReference),
    },
  };
}

/** `true` if a hold is about this weight: the same kind, and one of its details. */
export function concerns({ kind, details }: Hold, weight: Weight): boolean {
  return kind === weight.kind && (details === undefined || details.includes(weight.detail ?? ""));
}

function isReference({ reference }: Change): boolean {
  return reference !== undefined;
}
