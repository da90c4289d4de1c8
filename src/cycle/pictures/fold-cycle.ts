import type { CycleEnd, StateChange } from "../../domain/state/change.ts";
import type { OutcomeCount } from "../../domain/state/cycles.ts";

/** When a cycle begins: operations that an earlier one left planned were not begun. Those that are still due are planned again. */
export function foldBegin(): StateChange {
  return { leftOver: [{ status: "planned", become: "removed" }] };
}

/**
 * When a cycle ends: the counts say how many operations were put back, and the log keeps no rows of them, because they are planned
 * again; with `keepPlan`, in a dry run, they stay. With `showPlan`, in a pause of sending, they stay until the next cycle begins. Reported
 * differences stay, in the place of an earlier report of the same.
 * @param counts operations of the cycle as the log has them
 */
export function foldEnd(
  {
    keepPlan = false,
    showPlan = false,
    ...end
  }: Omit<CycleEnd, "outcomes"> & { readonly keepPlan?: boolean; readonly showPlan?: boolean },
  counts: readonly OutcomeCount[],
): StateChange {
  const { cycleId } = end;
  return {
    leftOver: [
      { cycleId, status: "cancelled", become: keepPlan ? "kept" : "removed" },
      { cycleId, status: "planned", become: showPlan ? "kept" : keepPlan ? "cancelled" : "removed" },
      { cycleId, status: "reported", become: "kept", replacesEqual: true },
    ],
    cycleEnd: { ...end, outcomes: outcomesAtEnd(counts) },
  };
}

/** An operation that is still planned when a cycle ends was not sent. */
function outcomesAtEnd(counts: readonly OutcomeCount[]): readonly OutcomeCount[] {
  const ended = new Map<string, OutcomeCount>();
  for (const { action, outcome: status, count } of counts) {
    const outcome = status === "planned" ? "cancelled" : status;
    const key = `${action} ${outcome}`;
    ended.set(key, { action, outcome, count: count + (ended.get(key)?.count ?? 0) });
  }
  return [...ended.values()];
}
