import { certainEvidence, type EvidenceKind } from "../../domain/plan.ts";
import type { WeighedCount } from "../../domain/weight.ts";
import type { CycleContext } from "../context/context.ts";
import { countsOf, nothingWeighed, notPlannedAgain, type WeightCounts } from "../operations/weights.ts";
import { holdersToCount, type Weights } from "./guard.ts";

/** The numbers that a plan is weighed by, as the store has them. */
export interface Counts extends Omit<Weights, "alarms" | "emptyDirectory"> {
  /** The weights of the part of the plan that does not wait for a canary. Without a canary, all of it. */
  readonly sent: WeightCounts;
}

/** Reads the weights of the plan, of the window before it, and of the accounts that they are a share of. */
export async function readCounts(context: CycleContext): Promise<Counts> {
  const { store, settings, clock, cycleId } = context;
  const weighed = await store.plannedWeights(cycleId);
  const planned = countsOf(weighed);
  // If our clock is in doubt, the clock that is behind counts: the window then includes more operations.
  const windowEnd = clock.now() - Math.max(0, context.clockDoubtMs);
  // If the plan has nothing to be weighed, the window does not matter.
  const recent = planned.none
    ? nothingWeighed
    : countsOf([
        ...(await store.doneWeights(windowEnd - settings.guard.windowMs)),
        // A write without an answer may have been carried out. Changes that this cycle plans again for the person count with the plan.
        ...(await store.doubtfulWeights(cycleId)).map(notPlannedAgain),
      ]);
  const holders = new Map<string, number>();
  for (const { attribute, enough } of holdersToCount({ planned, recent }, settings.guard)) {
    holders.set(attribute, await store.countHolders(attribute, cycleId, enough));
  }
  return {
    planned,
    sent: planned.of("canary") === 0 ? planned : countsOf(weighed.map(withoutWaiting)),
    recent,
    active: await store.countActive(cycleId),
    linked: await store.countLinked(),
    holders: (attribute) => holders.get(attribute) ?? 0,
  };
}

/** The weights of what is sent while a canary is under way. An operation that waits counts only with the deactivation of a certain leaver. */
function withoutWaiting({ weights, count }: WeighedCount): WeighedCount {
  if (!weights.some(({ kind }) => kind === "canary")) return { weights, count };
  const certain: ReadonlySet<string> = certainEvidence satisfies ReadonlySet<EvidenceKind>;
  return {
    weights: weights.filter(({ kind, detail = "" }) => kind === "deactivate" && certain.has(detail)),
    count,
  };
}
