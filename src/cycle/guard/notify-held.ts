import type { GuardVerdict } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { changeState, keepNotes } from "../ports/ports.ts";

/**
 * Remembers which plan is held. A notification is sent when the guard begins to hold, and when it no longer holds anything.
 */
export async function notifyHeld(
  context: CycleContext,
  { meta, planId }: { readonly meta: Partial<Meta>; readonly planId: string },
  { guard, heldOperations: operations }: { readonly guard: GuardVerdict; readonly heldOperations: number },
): Promise<void> {
  const before = meta.heldPlan ?? "";
  if (!guard.held) {
    if (before === "") return;
    await changeState(context, { heldPlan: "" }, { kind: "guardCleared", planId: before });
    return;
  }
  if (before !== "") {
    await keepNotes(context, { heldPlan: planId });
    return;
  }
  const { reasons, notes } = guard;
  const costs = notes === undefined ? {} : { notes };
  const event = { kind: "guardHeld", planId, reasons, ...costs, operations } as const;
  await changeState(context, { heldPlan: planId }, event);
}
