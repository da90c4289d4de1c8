import { isDeepStrictEqual } from "node:util";
import type { Change, GuardVerdict, Hold } from "../../domain/plan.ts";
import type {
  EarlierHeld,
  EndedHold,
  HeldPart,
  LoggedOperation,
  StateStore,
  WeighedOperation,
} from "../../domain/store.ts";
import type { Weight, WeightKind } from "../../domain/weight.ts";
import { releasedChanges } from "./fingerprint.ts";
import { weightsOf, weightsOfChange } from "./weights.ts";

const pageSize = 500;

/** Kinds that concern the account as a whole: nothing of such an operation is sent. */
const ofTheWhole: ReadonlySet<WeightKind> = new Set([
  "deactivate",
  "reactivate",
  "create",
  "link",
  "doubtfulLink",
]);

/**
 * Holds back planned work of these kinds; an operation of which only a part is held is split, and the rest goes on.
 * @returns how many operations are held
 */
export async function holdPlan(
  store: Pick<StateStore, "weighedOperations" | "holdParts">,
  cycleId: number,
  holds: readonly Hold[],
): Promise<number> {
  if (holds.length === 0) return 0;
  let held = 0;
  let after = 0;
  for (;;) {
    const page = await store.weighedOperations(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return held;
    const parts = page.flatMap((operation) => heldPart(operation, holds) ?? []);
    await store.holdParts(parts);
    held += parts.length;
    after = last.id;
  }
}

/**
 * What is held is one row: a plan that holds it again takes it over, with since when it is held. Where the same is sent
 * now, its row tells; what is planned otherwise is held no longer.
 */
export async function moveHeld(
  store: Pick<StateStore, "earlierHeld" | "endHeld">,
  cycleId: number,
): Promise<void> {
  let after = 0;
  for (;;) {
    const page = await store.earlierHeld(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    await store.endHeld(page.map(endOf));
    after = last.held.id;
  }
}

function endOf({ held, since, now }: EarlierHeld): EndedHold {
  const same = now.find(
    (operation) => operation.status === "held" && isDeepStrictEqual(essence(operation), essence(held)),
  );
  if (same !== undefined) return { id: held.id, kind: "movedOn", heldAs: same.id, since };
  const planned = now.flatMap((operation) =>
    releasedChanges(operation).map(({ fingerprint }) => fingerprint),
  );
  const goesOn = releasedChanges(held).every(({ fingerprint }) => planned.includes(fingerprint));
  return goesOn ? { id: held.id, kind: "movedOn", heldAs: null, since } : { id: held.id, kind: "cancelled" };
}

/** What a person sees of a held operation. */
function essence({ action, latticeId, evidence, changes }: LoggedOperation): unknown {
  return [action, latticeId, evidence, changes];
}

/** The part of an operation that is held; `null` where nothing of it is. */
export function heldPart(operation: WeighedOperation, holds: readonly Hold[]): HeldPart | null {
  const isHeld = (weight: Weight): boolean => holds.some((hold) => concerns(hold, weight));
  const weights = operation.weights.filter(isHeld);
  if (weights.length === 0) return null;
  const whole = { operationId: operation.id, rest: null, changes: operation.changes, weights };
  if (weights.some(({ kind }) => ofTheWhole.has(kind))) return { ...whole, weights: operation.weights };
  const held = operation.changes.filter((change) => weightsOfChange(operation, change).some(isHeld));
  if (held.length === operation.changes.length && operation.action === "update") return whole;
  const rest = operation.changes.filter((change) => !held.includes(change));
  return {
    operationId: operation.id,
    changes: held,
    weights,
    rest: {
      changes: rest,
      weights: operation.weights.filter((weight) => !weights.includes(weight)),
      referenceHeld: held.some(isReference) && !rest.some(isReference),
    },
  };
}

/** Why the guard holds what is held of a person: its reasons, as far as they are about this operation. */
export function heldBecause(
  operation: LoggedOperation,
  { holds = [] }: Pick<GuardVerdict, "holds">,
): readonly string[] {
  const weights = weightsOf(operation, { firstRun: false });
  return holds.filter((hold) => weights.some((weight) => concerns(hold, weight))).map(({ reason }) => reason);
}

function concerns({ kind, details }: Hold, weight: Weight): boolean {
  return kind === weight.kind && (details === undefined || details.includes(weight.detail ?? ""));
}

function isReference({ reference }: Change): boolean {
  return reference !== undefined;
}
