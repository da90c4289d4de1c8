import type { Change, Hold } from "../../domain/plan.ts";
import type { WeighedOperation } from "../../domain/state/plan-log.ts";
import type { Weight, WeightKind } from "../../domain/weight.ts";
import { weightsOfChange } from "./weights.ts";

/** What is held of one planned operation. */
export interface HeldPart {
  readonly changes: readonly Change[];
  readonly weights: readonly Weight[];
  /** What goes on as planned; `null` where all of it is held. */
  readonly rest: {
    readonly changes: readonly Change[];
    readonly weights: readonly Weight[];
    /** The manager is among what is held. */
    readonly referenceHeld: boolean;
  } | null;
}

/** Kinds that concern the account as a whole: nothing of such an operation is sent. */
const ofTheWhole: ReadonlySet<WeightKind> = new Set([
  "deactivate",
  "reactivate",
  "create",
  "link",
  "doubtfulLink",
]);

/** The part of an operation that is held; `null` where nothing of it is. */
export function split(operation: WeighedOperation, holds: readonly Hold[]): HeldPart | null {
  const isHeld = (weight: Weight): boolean => holds.some((hold) => concerns(hold, weight));
  const weights = operation.weights.filter(isHeld);
  if (weights.length === 0) return null;
  const whole = { rest: null, changes: operation.changes, weights };
  if (weights.some(({ kind }) => ofTheWhole.has(kind))) return { ...whole, weights: operation.weights };
  const held = operation.changes.filter((change) => weightsOfChange(operation, change).some(isHeld));
  if (held.length === operation.changes.length && operation.action === "update") return whole;
  const rest = operation.changes.filter((change) => !held.includes(change));
  return {
    changes: held,
    weights,
    rest: {
      changes: rest,
      weights: operation.weights.filter((weight) => !weights.includes(weight)),
      referenceHeld: held.some(isReference) && !rest.some(isReference),
    },
  };
}

/** Whether a weight is of the kind, and the detail, that is held. */
export function concerns({ kind, details }: Hold, weight: Weight): boolean {
  return kind === weight.kind && (details === undefined || details.includes(weight.detail ?? ""));
}

function isReference({ reference }: Change): boolean {
  return reference !== undefined;
}
