import { isRecordFailure } from "../../domain/errors.ts";
import type { OperationOutcome } from "../../domain/operation.ts";
import type { Intent } from "../../domain/state/plan-log.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { isProtected } from "../operations/protected-account.ts";
import { wasCarriedOut } from "../operations/weights.ts";
import { withDecisions } from "../planning/decisions.ts";
import { unlinkingDecision } from "../planning/link-decision.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { noteAbsence } from "../reading/missing-accounts.ts";
import { externalIdOf, findAccount } from "./find-account.ts";
import { keepLookUp, keepOutcomes } from "./keep-outcomes.ts";
import { referencesTouched } from "./references.ts";
import { nextRetry } from "./retry-schedule.ts";

/**
 * Looks up writes that a run began and never confirmed (it was killed, or no answer came), before anything is planned. An
 * account that was created is linked; a changed one is stored as it is now. A write that cannot be looked up stays open
 * (`Candidate.unconfirmed`).
 */
export async function recoverIntents(context: CycleContext): Promise<void> {
  for (const intent of await context.store.openIntents()) {
    const account = await lookUpIntent(context, intent);
    if (account === "failed") continue;
    // If the account is missing, the link stays: the plan reports the account, and plans what is still due.
    if (account === null && intent.latticeId !== null) await noteAbsence(context, intent.latticeId);
    const linkable = account !== null && (await belongsTo(context, account, intent));
    context.log.info(
      { objectId: intent.objectId, action: intent.action, found: account !== null },
      "looked up an unconfirmed write",
    );
    // Store the account before the intent ends: if the run dies in between, the account must not be forgotten.
    if (!linkable && account !== null) await keepAccounts(context, [account]);
    const found = linkable ? account : null;
    await keepLookUp(context, intent, {
      account: found,
      carriedOut: found !== null && wasCarriedOut(intent, found),
      readAgain:
        found === null
          ? []
          : referencesTouched(intent.changes, found, context.settings.mapping).map((one) => ({
              ...one,
              inDoubtSince: intent.cycleId,
            })),
      now: context.clock.now(),
    });
  }
}

/** How the reason of a failed look-up begins. By it, the next cycles know that this was not the write itself. */
const lookUpFailed = "Lattice did not confirm an earlier write, and the look-up failed";

/** Looks up one write. If that fails, the intent stays, the person is tried again later, and the others go on. */
async function lookUpIntent(context: CycleContext, intent: Intent): Promise<TargetUser | null | "failed"> {
  const { objectId, operationId, latticeId } = intent;
  const { store, target, host, signal } = context;
  const previous = await store.retryOf(objectId);
  // A look-up that failed before waits for its retry, unless a person waits for this cycle's result. The first look-up never
  // waits, however long the write's retry does: what the write may have changed counts for the guard, and for the next plan.
  const patient = context.kind === "incremental" || context.kind === "reconcile";
  const failedBefore = previous?.message.startsWith(lookUpFailed) === true;
  if (patient && failedBefore && previous.nextTryAt > context.clock.now()) return "failed";
  try {
    if (latticeId === null) return await findAccount(context, intent);
    return await host.reading(objectId, () => target.get(latticeId, signal));
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    const now = context.clock.now();
    context.log.warn({ objectId, code: error.code }, "the look-up of an unconfirmed write failed");
    const message = `${lookUpFailed}: ${error.message}`;
    const retry = nextRetry(
      previous,
      { objectId, code: error.code, message },
      { now, intervalMs: context.settings.intervalMs, random: context.random() },
    );
    const outcome: OperationOutcome = {
      operationId,
      objectId,
      status: "failed",
      referencePending: false,
      unknown: true,
      error: message,
      retry,
      finishedAt: now,
    };
    await keepOutcomes(context, [{ operation: { ...intent, id: operationId }, outcome }]);
    return "failed";
  }
}

/**
 * `true` if the intent's account is certainly the person's. An account that was found by userName may be another person's, and
 * an adopted one may not have got its externalId; then the plan matches again.
 */
async function belongsTo(context: CycleContext, account: TargetUser, intent: Intent): Promise<boolean> {
  const { store, settings } = context;
  const owner = await store.ownerOf(account.latticeId);
  if (owner !== null) return owner === intent.objectId;
  const decided = await withDecisions(settings, store);
  if (isProtected(account, decided) || unlinkingDecision(intent.objectId, account, decided) !== null)
    return false;
  return account.externalId === externalIdOf(intent);
}
