import { planExplanation, planStored } from "../cycle/person/explain-plan.ts";
import type { PlanExplanation } from "../cycle/person/explanation.ts";
import { type LinkOrder, type LinkOutcome, linkAccount, unlinkAccount } from "../cycle/person/link.ts";
import { withDecisions } from "../cycle/planning/decisions.ts";
import { systemRandom } from "../domain/random.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { StateStore } from "../domain/state/store.ts";
import { visible } from "../domain/visible.ts";
import type { Job } from "./job.ts";
import { sayEvent } from "./say-event.ts";
import { explainSettings } from "./settings.ts";
import { onScratch, underLease } from "./under-lease.ts";

/** A person's decision: with an account to link the user to, without one to unlink the user. */
export interface LinkRequest extends LinkOrder {
  /** Lattice id or userName. */
  readonly account?: string | undefined;
}

/** A decision that was carried out, and what the next cycle does for the user. */
export interface LinkResult extends LinkOutcome {
  /** `null` if the directory does not know the user any more. */
  readonly next: PlanExplanation | null;
}

/**
 * Carries out a decision about a link, under the lease. A dry run does it on a private copy.
 * @param how `waitMs`: how long a command waits for another run; a daemon does not, and gives none
 * @throws UsageError about the decision; LeaseHeldError; what the target throws
 */
export async function decideLink(
  job: Job,
  request: LinkRequest,
  how: { readonly dryRun: boolean; readonly signal: AbortSignal; readonly waitMs?: number | undefined },
): Promise<LinkResult> {
  if (how.dryRun) {
    const own = { fence: "private", signal: how.signal } as const;
    return onScratch(job, (scratch) => decided(job, scratch, request, own));
  }
  const store = await job.state();
  const done = await underLease(job, store, how, (leased) => decided(job, store, request, leased));
  if (done.event !== null) sayEvent(job.log, done.event);
  return done;
}

async function decided(
  job: Job,
  store: StateStore,
  { account, ...order }: LinkRequest,
  { fence, signal }: { readonly fence: Fence; readonly signal: AbortSignal },
): Promise<LinkResult> {
  const { settings } = job;
  let outcome: LinkOutcome;
  if (account === undefined) {
    outcome = await unlinkAccount({ store, fence }, order);
  } else {
    const target = await job.target();
    try {
      outcome = await linkAccount({ store, fence, target, settings, signal }, { ...order, account });
    } finally {
      target.close();
    }
  }
  const next = await nextPlan(job, store, outcome.objectId);
  if (account === undefined || outcome.event === null || next === null) return { ...outcome, next };
  const links =
    next.kind === "operation" ? "The next cycle links them." : "The next cycle does not link them yet.";
  const taken = await takenName(store, outcome, next);
  return { ...outcome, text: [outcome.text, links, ...taken].join(" "), next };
}

/** A sentence, if Lattice will refuse the userName that the next cycle sends, because an account without a user has it. */
async function takenName(
  store: StateStore,
  { objectId, latticeId }: Pick<LinkOutcome, "objectId" | "latticeId">,
  { kind, changes }: PlanExplanation,
): Promise<readonly string[]> {
  const wanted = changes.find(({ attribute }) => attribute === "userName")?.after;
  if (kind !== "operation" || typeof wanted !== "string") return [];
  const found = await store.matches([{ objectId, userName: wanted, externalId: null, lost: [] }]);
  const holder = found
    .get(objectId)
    ?.byUserName.find((one) => one.latticeId !== latticeId && one.linkedTo === null);
  if (holder === undefined) return [];
  return [
    `Lattice will refuse the userName as long as the account ${visible(holder.latticeId)} has it: rename that account in Lattice first.`,
  ];
}

async function nextPlan(
  { config, mapping, embedded, clock }: Job,
  store: StateStore,
  objectId: string,
): Promise<PlanExplanation | null> {
  const settings = await withDecisions(explainSettings(config, mapping, embedded), store);
  const options = { environment: { now: clock.now, random: systemRandom } };
  const person = await planStored(store, settings, objectId, options);
  return person === null ? null : planExplanation(store, person, settings, options);
}
