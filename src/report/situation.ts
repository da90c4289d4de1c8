import type { Action } from "../domain/plan.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Situation } from "./metrics.ts";
import type { Status } from "./status.ts";

/** Operations that the guard holds of the last plan that weighed everybody. @param action only these; default: all */
export function heldCount({ weighed }: Pick<Status, "weighed">, action?: Action): number {
  if (weighed?.guard?.held !== true) return 0;
  const held = weighed.outcomes.filter(({ outcome }) => outcome === "held");
  return held
    .filter((one) => action === undefined || one.action === action)
    .reduce((sum, one) => sum + one.count, 0);
}

/** The metrics from the state database. @param status as it was read from `store` */
export async function situationOf(
  store: Pick<StateStore, "countSkipped" | "meta">,
  status: Status,
): Promise<Situation> {
  const [skipped, meta] = await Promise.all([store.countSkipped(), store.meta()]);
  const watermarkAt = Number(meta.watermarkAt ?? Number.NaN);
  return {
    totals: status.totals,
    skipped,
    watermarkAt: Number.isNaN(watermarkAt) ? null : watermarkAt,
    outOfScope: status.weighed?.summary?.outOfScope ?? null,
    targetReachedAt: status.targetReachedAt,
    heldOperations: heldCount(status),
    heldDeactivations: heldCount(status, "deactivate"),
    quarantine: status.quarantine !== null,
    paused: status.sendingPause !== null,
    accounts: status.accounts,
    canary: status.canary !== null,
    protectedAccounts: status.protections.length,
    comparisonFailed: status.comparison !== null,
    nextCycleAt: status.nextDueAt,
    lastCycle: status.ended,
  };
}
