import type { LoggedOperation } from "../../domain/operation.ts";
import type { GuardVerdict, Hold } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import { concerns } from "../operations/split.ts";
import { weightsOf } from "../operations/weights.ts";
import { foldEarlierHeld, foldHeld } from "../pictures/fold-held.ts";

const pageSize = 500;

/** What holding needs of a cycle. */
export type Holding = Pick<CycleContext, "store" | "fence" | "cycleId" | "startedAt">;

/**
 * Holds back planned work of these kinds; an operation of which only a part is held is split, and the rest goes on.
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
 * What is held is one row: a plan that holds it again takes it over, with since when it is held. Where the same is sent
 * now, its row tells; what is planned otherwise is held no longer.
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

/** Why the guard holds what is held of a person: its reasons, as far as they are about this operation. */
export function heldBecause(
  operation: LoggedOperation,
  { holds = [] }: Pick<GuardVerdict, "holds">,
): readonly string[] {
  const weights = weightsOf(operation, { firstRun: false });
  return holds.filter((hold) => weights.some((weight) => concerns(hold, weight))).map(({ reason }) => reason);
}
