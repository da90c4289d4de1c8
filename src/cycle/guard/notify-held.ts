import type { GuardVerdict } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { changeState, keepNotes } from "../ports/ports.ts";
import { parseCanary } from "./canary/standing.ts";
import { tellBegun } from "./canary/tell.ts";

interface Held {
  readonly guard: GuardVerdict;
  readonly heldOperations: number;
  /** Those of them that wait for a canary. */
  readonly waiting?: number;
}

/**
 * Remembers which plan is held. A notification is sent when the guard begins to hold, and when it no longer holds anything.
 */
export async function notifyHeld(
  context: CycleContext,
  { meta, planId }: { readonly meta: Partial<Meta>; readonly planId: string },
  { guard, heldOperations: operations, waiting = 0 }: Held,
): Promise<void> {
  const before = meta.heldPlan ?? "";
  if (!guard.held) {
    if (before === "") return;
    await changeState(context, { heldPlan: "" }, { kind: "guardCleared", planId: before });
    return;
  }
  await tellBegun(context, { planId, operations: waiting });
  // If all of it only waits for a canary, `tellBegun` has reported that, unless no person could be chosen for the canary.
  const onlyCanary = guard.holds?.every(({ kind }) => kind === "canary") === true;
  if (before !== "" || (onlyCanary && parseCanary(await context.store.meta()) !== null)) {
    await keepNotes(context, { heldPlan: planId });
    return;
  }
  const { reasons, notes } = guard;
  const costs = notes === undefined ? {} : { notes };
  const event = { kind: "guardHeld", planId, reasons, ...costs, operations } as const;
  await changeState(context, { heldPlan: planId }, event);
}
