import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { endsFirstRun } from "./guard.ts";

/** The number of linked people once the whole plan is carried out. */
export async function linkedWhenDone({ store, cycleId }: CycleContext): Promise<number> {
  const { byAction, adoptions } = await store.countOperations(cycleId);
  return (await store.countLinked()) + (byAction.get("create") ?? 0) + adoptions;
}

/** Notes that the first run has ended, if it has. From the next cycle on, creates and links are weighed. */
export async function noteEndOfFirstRun(context: CycleContext, whenDone: number): Promise<void> {
  const { store, settings, clock } = context;
  const linked = await store.countLinked();
  if (!endsFirstRun({ linked, missing: whenDone - linked }, settings.guard)) return;
  await keepNotes(context, { establishedAt: String(clock.now()) });
}
