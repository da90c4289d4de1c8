import { isRecordFailure } from "../../domain/errors.ts";
import type { OperationOutcome } from "../../domain/operation.ts";
import type { Intent } from "../../domain/state/plan-log.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { wasCarriedOut } from "../operations/weights.ts";
import { isProtected } from "../planning/protected.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { noteAbsence } from "../reading/missing-accounts.ts";
import { externalIdOf, findAccount } from "./find-account.ts";
import { keepLookUp, keepOutcomes } from "./keep-outcomes.ts";
import { referencesTouched } from "./references.ts";
import { nextRetry } from "./retry-schedule.ts";

/**
 * Looks up what became of writes that a run began and never confirmed (it was killed, or no answer came), before
 * anything is planned: an account that was made is linked, a changed one is read again.
 * What cannot be looked up stays open (`Candidate.unconfirmed`).
 */
export async function recoverIntents(context: CycleContext): Promise<void> {
  for (const intent of await context.store.openIntents()) {
    const account = await lookUp(context, intent);
    if (account === "failed") continue;
    // The link stays: the plan tells of an account that is missing, and of what is still due.
    if (account === null && intent.latticeId !== null) await noteAbsence(context, intent.latticeId);
    const linkable = account !== null && (await belongsTo(context, account, intent));
    context.log.info(
      { objectId: intent.objectId, action: intent.action, found: account !== null },
      "looked up an unconfirmed write",
    );
    // Before the intent is over: a run that dies in between must not forget the account.
    if (!linkable && account !== null) await keepAccounts(context, [account]);
    const found = linkable ? account : null;
    await keepLookUp(context, intent, {
      account: found,
      carriedOut: found !== null && wasCarriedOut(intent, found),
      readAgain: found === null ? [] : referencesTouched(intent.changes, found, context.settings.mapping),
      now: context.clock.now(),
    });
  }
}

/** One look-up that fails stops nobody else: the intent stays, and the person is tried again later. */
async function lookUp(context: CycleContext, intent: Intent): Promise<TargetUser | null | "failed"> {
  const { objectId, operationId, latticeId } = intent;
  const { store, target, host, signal } = context;
  const previous = await store.retryOf(objectId);
  // A look-up that failed before keeps to the schedule, unless people are waiting for this cycle's answer.
  const patient = context.kind === "incremental" || context.kind === "reconcile";
  if (patient && previous !== null && previous.nextTryAt > context.clock.now()) return "failed";
  try {
    if (latticeId === null) return await findAccount(context, intent);
    return await host.reading(objectId, () => target.get(latticeId, signal));
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    const now = context.clock.now();
    context.log.warn({ objectId, code: error.code }, "the look-up of an unconfirmed write failed");
    const message = `Lattice did not confirm an earlier write, and the look-up failed: ${error.message}`;
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
 * An account found by its userName alone may be somebody else's, and one that was to be adopted may not have got its
 * externalId: then matching decides anew, not the intent.
 */
async function belongsTo(context: CycleContext, account: TargetUser, intent: Intent): Promise<boolean> {
  const owner = await context.store.ownerOf(account.latticeId);
  if (owner !== null || isProtected(account, context.settings)) return owner === intent.objectId;
  return account.externalId === externalIdOf(intent);
}
