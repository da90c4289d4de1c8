import { RecordRejectedError } from "../domain/errors.ts";
import type { Intent, OperationOutcome } from "../domain/store.ts";
import type { TargetUser } from "../domain/target.ts";
import { externalIdOf, findAccount } from "./deliver.ts";
import type { CycleContext } from "./ports.ts";
import { nextRetry, previousRetry } from "./retry-schedule.ts";

/**
 * Looks up what became of writes that a run began and never confirmed (it was killed, or no answer came), before
 * anything is planned: an account that was made is linked, a changed one is read again.
 */
export async function recoverIntents(context: CycleContext): Promise<void> {
  for (const intent of await context.store.openIntents()) {
    const account = await lookUp(context, intent);
    if (account === "refused") continue;
    const linkable = account !== null && (await belongsTo(context, account, intent));
    context.log.info(
      { objectId: intent.objectId, action: intent.action, found: account !== null },
      "looked up an unconfirmed write",
    );
    await context.store.settleIntent(
      intent.objectId,
      linkable ? account : null,
      linkable ? "done" : "cancelled",
      context.clock.now(),
    );
    if (!linkable && account !== null) await context.store.saveTargets([account], context.cycleId);
  }
}

/** One look-up that is refused stops nobody else: the intent stays, and the person is tried again later. */
async function lookUp(context: CycleContext, intent: Intent): Promise<TargetUser | null | "refused"> {
  try {
    if (intent.latticeId !== null) return await context.target.get(intent.latticeId, context.signal);
    return await findAccount(context, intent);
  } catch (error) {
    if (!(error instanceof RecordRejectedError)) throw error;
    const { objectId, operationId } = intent;
    const now = context.clock.now();
    context.log.warn({ objectId }, "the look-up of an unconfirmed write was refused");
    const message = `an earlier write is unconfirmed, and looking it up was refused: ${error.message}`;
    const retry = nextRetry(
      await previousRetry(context, objectId),
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
      // Not in this cycle: what cannot be looked up must not be sent a second time.
      retry: { ...retry, nextTryAt: Math.max(retry.nextTryAt, now + 1) },
      finishedAt: now,
    };
    await context.store.recordOutcomes([outcome]);
    return "refused";
  }
}

/**
 * An account found by its userName alone may be somebody else's, and one that was to be adopted may not have got its
 * externalId: then matching decides anew, not the intent.
 */
async function belongsTo(context: CycleContext, account: TargetUser, intent: Intent): Promise<boolean> {
  if (account.externalId === externalIdOf(intent)) return true;
  return (await context.store.ownerOf(account.latticeId)) === intent.objectId;
}
