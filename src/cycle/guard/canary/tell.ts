import type { CycleContext } from "../../context/context.ts";
import { changeState, keepNotes } from "../../ports/ports.ts";
import { type Canary, failuresAllowed, goesOnAt, parseCanary, resultOf } from "./standing.ts";

/** Reports once that a canary has begun. @param operations that wait for it */
export async function tellBegun(
  context: CycleContext,
  { planId, operations }: { readonly planId: string; readonly operations: number },
): Promise<void> {
  const canary = parseCanary(await context.store.meta());
  if (canary === null || canary.told !== "nothing" || operations === 0) return;
  const { cause, goesOn, people } = canary;
  const afterMs = goesOn?.afterMs ?? null;
  const event = { kind: "canaryBegun", planId, cause, people: people.length, operations, afterMs } as const;
  await changeState(context, toldNote(canary, "begun"), event);
}

/** Reports once what a canary has shown: that it goes well and what follows, or that too many people failed. */
export async function tellResult(context: CycleContext, planId: string): Promise<void> {
  const { store } = context;
  const canary = parseCanary(await store.meta());
  if (canary === null || canary.told === "nothing") return;
  const result = await resultOf(store, canary);
  const { done, failed } = result;
  const maxFailures = failuresAllowed(canary);
  if (failed > maxFailures) {
    if (canary.told === "failed") return;
    const event = { kind: "canaryFailed", planId, done, failed, maxFailures } as const;
    return changeState(context, toldNote(canary, "failed"), event);
  }
  if (done === 0 || canary.told !== "begun") return;
  const event = {
    kind: "canaryPassed",
    planId,
    done,
    failed,
    sent: false,
    goesOnAt: goesOnAt(canary, result),
  } as const;
  await changeState(context, toldNote(canary, "passed"), event);
}

/**
 * Ends a canary for which nothing waits any more: everybody else has what the configuration wants.
 * @param waiting the number of operations that wait for a canary, in a plan of everybody for whom something is due
 */
export async function endIfNothingWaits(context: CycleContext, waiting: number): Promise<void> {
  if (waiting > 0 || context.sending.kind === "leavers" || context.clockDoubtMs !== 0) return;
  const canary = parseCanary(await context.store.meta());
  if (canary === null) return;
  await keepNotes(context, { canary: "", rolledOut: canary.digest });
}

function toldNote(canary: Canary, told: Canary["told"]): { readonly canary: string } {
  return { canary: JSON.stringify({ ...canary, told }) };
}
