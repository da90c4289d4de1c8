import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { endsFirstRun } from "./guard.ts";

/** How many people are linked once everything that is planned is done. */
export async function linkedWhenDone({ store, cycleId }: CycleContext): Promise<number> {
  const { byAction, adoptions } = await store.countOperations(cycleId);
  return (await store.totals()).linked + (byAction.get("create") ?? 0) + adoptions;
}

/** Notes that the first run has come to its end: from the next cycle on creates and links are weighed. */
export async function noteEndOfFirstRun(context: CycleContext, whenDone: number): Promise<void> {
  const { store, settings, clock } = context;
  const { linked } = await store.totals();
  if (!endsFirstRun({ linked, missing: whenDone - linked }, settings.guard)) return;
  await keepNotes(context, { establishedAt: String(clock.now()) });
}
