import type { LoggedOperation } from "../../domain/operation.ts";
import type { GuardVerdict, Hold } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import { concerns } from "../operations/split.ts";
import { weightsOf } from "../operations/weights.ts";
import { foldEarlierHeld, foldHeld } from "../pictures/fold-held.ts";

const pageSize = 500;

/** The part of a cycle's context that is needed to hold operations. */
export type Holding = Pick<CycleContext, "store" | "fence" | "cycleId" | "startedAt">;

/**
 * Holds planned operations of these kinds. If only a part of an operation is held, the operation is split, and the rest stays
 * planned.
 * @returns how many operations are held
 */
export async function holdPlan({ store, fence, ...cycle }: Holding, holds: readonly Hold[]): Promise<number> {
  if (holds.length === 0) return 0;
  let held = 0;
  let after = 0;
  for (;;) {
    const page = await store.weighedOperations(cycle.cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return held;
    const folded = foldHeld(page, holds, cycle);
    await store.commit(folded.change, fence);
    held += folded.held;
    after = last.id;
  }
}

/**
 * Settles the held rows of earlier cycles for people whom this cycle has planned. If the same is held again, only the new row
 * remains, and it keeps the cycle that held it first. If all of it is planned now, the old row is removed. Otherwise the old
 * row is cancelled.
 */
export async function moveHeld({ store, fence, cycleId }: Holding): Promise<void> {
  let after = 0;
  for (;;) {
    const page = await store.earlierHeld(cycleId, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    await store.commit(foldEarlierHeld(page), fence);
    after = last.held.id;
  }
}

/** Ends releases that were not used within the guard's window. */
export async function endOldReleases(
  { store, fence }: Pick<CycleContext, "store" | "fence">,
  before: number,
): Promise<void> {
  const drop = await store.releasesBefore(before);
  if (drop.length > 0) await store.commit({ releases: { drop } }, fence);
}

/** The guard's reasons that concern this held operation. */
export function heldBecause(
  operation: LoggedOperation,
  { holds = [] }: Pick<GuardVerdict, "holds">,
): readonly string[] {
  const canary = holds.find(({ kind }) => kind === "canary");
  const weights = weightsOf(operation, {
    firstRun: false,
    canary: canary === undefined ? null : new Set(canary.except),
  });
  return holds.filter((hold) => weights.some((weight) => concerns(hold, weight))).map(({ reason }) => reason);
}
