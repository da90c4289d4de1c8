import { type Json, jsonEquals } from "../../domain/json.ts";
import type { Change, Operation } from "../../domain/plan.ts";
import { type TargetUser, valueAt } from "../../domain/target.ts";
import type { DoubtfulWeights, WeighedCount, Weight, WeightKind } from "../../domain/weight.ts";
import { waitsForCanary } from "./canary.ts";
import { isTemporaryName } from "./temporary-name.ts";

/**
 * The weights of an operation: what the guard counts of it. This is the only rule of what counts, for the plan, for the
 * window before it, for what is held and for what is released. Released changes weigh nothing.
 * @param firstRun the first run has not ended: creates and links weigh nothing
 * @param canary object ids of the people on whom a new configuration is tried; `null` if there is no canary
 */
export function weightsOf(
  operation: Operation,
  { firstRun, canary = null }: { readonly firstRun: boolean; readonly canary?: ReadonlySet<string> | null },
): readonly Weight[] {
  const own = ownWeights(operation, firstRun);
  return canary !== null && waitsForCanary(operation, canary) ? [...own, { kind: "canary" }] : own;
}

function ownWeights(operation: Operation, firstRun: boolean): readonly Weight[] {
  const { action, changes, adopts } = operation;
  const released = operation.released === true;
  if (action === "create") return firstRun || released ? [] : [{ kind: "create" }];
  const weights: Weight[] = [];
  if (adopts && !released && !firstRun) weights.push({ kind: "link" });
  if (adopts && !released && operation.doubtful !== undefined) weights.push({ kind: "doubtfulLink" });
  for (const change of changes) {
    for (const weight of weightsOfChange(operation, change)) {
      if (!weights.some((other) => sameWeight(other, weight))) weights.push(weight);
    }
  }
  return weights;
}

/** The weights of one change of an existing account. A first value, where there was none, weighs nothing. */
export function weightsOfChange(
  { evidence }: Pick<Operation, "evidence">,
  { attribute, before, after, reference, released, again }: Change,
): readonly Weight[] {
  // A change that is tried again was weighed when it was first sent.
  if (released === true || again === true) return [];
  // `before` may be null: an account that does not show whether it is active counts too.
  if (attribute === "active") {
    if (after === true) return [{ kind: "reactivate" }];
    return [{ kind: "deactivate", ...(evidence === null ? {} : { detail: evidence.kind }) }];
  }
  if (before === null) return [];
  const cleared: Weight[] = after === null ? [{ kind: "clear", detail: attribute }] : [];
  if (reference !== undefined) return [{ kind: "manager", detail: attribute }, ...cleared];
  if (after === null) return cleared;
  const inOtherCase = sameButForCase(before, after);
  // A rename from a temporary name is the second step of a rename that was weighed already. Held, it would stay half done.
  if (attribute === "userName") return inOtherCase || isTemporaryName(before) ? [] : [{ kind: "rename" }];
  if (isEmail(attribute)) return inOtherCase ? [] : [{ kind: "email" }];
  return [{ kind: "replacement", detail: attribute }];
}

/** `true` if the account shows that a change with a weight was carried out, although Lattice gave no answer. */
export function wasCarriedOut(
  operation: Pick<Operation, "evidence" | "changes">,
  account: TargetUser,
): boolean {
  const picture = { ...account, acknowledged: {} };
  return operation.changes.some(
    (change) =>
      weightsOfChange(operation, unreleased(change)).length > 0 &&
      jsonEquals(valueAt(picture, change.attribute), change.after),
  );
}

/** The weights of a write in doubt that the plan for the same person does not have. A deactivation is the same whatever its evidence. */
export function notPlannedAgain({ weights, planned }: DoubtfulWeights): WeighedCount {
  const again = (weight: Weight): boolean =>
    planned.some(
      (other) => sameWeight(other, weight) || (other.kind === "deactivate" && weight.kind === "deactivate"),
    );
  return { weights: weights.filter((weight) => !again(weight)), count: 1 };
}

/** Sums of weights, by kind and detail. */
export interface WeightCounts {
  /** @param details only these details of the kind; all if absent */
  of(kind: WeightKind, details?: readonly string[]): number;
  detailsOf(kind: WeightKind): readonly string[];
  readonly none: boolean;
}

export function countsOf(weighed: readonly WeighedCount[]): WeightCounts {
  const sums = new Map<WeightKind, Map<string, number>>();
  for (const { weights, count } of weighed) {
    for (const { kind, detail = "" } of weights) {
      const details = sums.get(kind) ?? new Map<string, number>();
      details.set(detail, (details.get(detail) ?? 0) + count);
      sums.set(kind, details);
    }
  }
  return {
    of: (kind, details) =>
      [...(sums.get(kind) ?? [])].reduce(
        (sum, [detail, count]) => (details === undefined || details.includes(detail) ? sum + count : sum),
        0,
      ),
    detailsOf: (kind) => [...(sums.get(kind)?.keys() ?? [])],
    none: sums.size === 0,
  };
}

export const nothingWeighed: WeightCounts = countsOf([]);

function sameWeight(one: Weight, other: Weight): boolean {
  return one.kind === other.kind && one.detail === other.detail;
}

function unreleased({ released: _, ...change }: Change): Change {
  return change;
}

function isEmail(attribute: string): boolean {
  return /^emails\b.*\bvalue$/i.test(attribute);
}

function sameButForCase(one: Json, other: Json): boolean {
  return typeof one === "string" && typeof other === "string" && one.toLowerCase() === other.toLowerCase();
}
