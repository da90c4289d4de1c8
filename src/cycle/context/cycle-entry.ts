import type { CycleKind } from "../../domain/plan.ts";
import type { CycleOutcome } from "../../domain/state/cycles.ts";
import { foldBegin, foldEnd } from "../pictures/fold-cycle.ts";
import type { Writing } from "../ports/ports.ts";

/**
 * Adds a cycle to the log. Operations that the run before had planned and never begun are forgotten, except by a cycle of leavers: a
 * pause may show them, and a cycle of everybody forgets them.
 * @returns the id of the cycle
 */
export async function beginEntry(
  { store, fence }: Writing,
  cycle: { readonly planId: string; readonly kind: CycleKind; readonly startedAt: number },
): Promise<number> {
  if (cycle.kind !== "leavers") await store.commit(foldBegin(), fence);
  return store.beginCycle(cycle, fence);
}

/**
 * Writes into the log how the cycle ended, with what it leaves of its plan, as one commit: if the process dies before it, the cycle
 * has no end.
 * @param end `finishedAt`: milliseconds since the epoch. `keepPlan`: what was planned stays in the log (of a dry run).
 * `showPlan`: it stays until the next cycle begins
 */
export async function endEntry(
  { store, fence }: Writing,
  cycleId: number,
  end: {
    readonly finishedAt: number;
    readonly outcome: CycleOutcome;
    readonly error: string | null;
    readonly keepPlan?: boolean;
    readonly showPlan?: boolean;
  },
): Promise<void> {
  await store.commit(foldEnd({ cycleId, ...end }, await store.countOutcomes(cycleId)), fence);
}
