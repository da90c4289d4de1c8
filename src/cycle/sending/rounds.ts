import { isOfEverybody } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { refusedKindsText } from "../health/refused-kinds.ts";
import { heldOperations } from "../operations/pages.ts";
import { endWaiting } from "../planning/awaited-managers.ts";
import { makePlan } from "../planning/plan.ts";
import { keepNotes } from "../ports/ports.ts";
import { type Applied, applyPlan } from "./apply.ts";

/** At most this many rounds are sent. A later round sets managers whose accounts were created in the round before. */
const maxRounds = 3;

/** The outcome of all rounds. */
export type RoundsSent = Omit<Applied, "halfRenamed">;

/**
 * Sends the plan, and in later rounds the operations that depend on it: managers with new accounts, and the second step of
 * renames.
 * @param planned the number of operations to send
 */
export async function sendRounds(context: CycleContext, planned: number): Promise<RoundsSent> {
  const totals: { done: number; failed: number; mostFailed: string | null; paused: boolean } = {
    done: 0,
    failed: 0,
    mostFailed: null,
    paused: false,
  };
  for (let round = 1; round <= maxRounds; round += 1) {
    const applied = await applyPlan(context, {
      total: planned,
      probe: context.sending.kind === "probe" && round === 1,
    });
    totals.done += applied.done;
    totals.failed += applied.failed;
    totals.mostFailed = applied.mostFailed;
    totals.paused = applied.paused;
    if (applied.mostFailed !== null || applied.paused) break;
    // Any other cycle writes only its own people, not people who waited for them.
    if (!isOfEverybody(context.kind)) break;
    // Later rounds are not weighed, so they cannot be held for a canary: the next cycle plans what they would send.
    if (context.canary !== null) break;
    const resolved = await endWaiting(context);
    const halfRenamed = await withoutUnfinished(context, applied.halfRenamed);
    if (resolved === 0 && halfRenamed.length === 0) break;
    if (resolved > 0) await makePlan(context, { managerFound: { allDoneIn: context.cycleId } });
    if (halfRenamed.length > 0) await makePlan(context, { only: halfRenamed });
  }
  return totals;
}

/** Leaves people for whom the guard holds an operation to the next cycle, because later rounds are not weighed again. */
async function withoutUnfinished(
  { store, cycleId }: CycleContext,
  people: readonly string[],
): Promise<readonly string[]> {
  if (people.length === 0) return [];
  const held = new Set<string>();
  for await (const { objectId } of heldOperations(store, cycleId)) held.add(objectId);
  return people.filter((objectId) => !held.has(objectId));
}

/** Stores which kinds of operations Lattice refuses. The next cycle tries a few people of each first. */
export async function rememberRefusals(context: CycleContext, meta: Partial<Meta>): Promise<void> {
  const text = refusedKindsText(context.kinds.refused());
  if (text !== (meta.refusedKinds ?? "")) await keepNotes(context, { refusedKinds: text });
}
