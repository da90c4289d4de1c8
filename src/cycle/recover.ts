import type { Intent } from "../domain/store.ts";
import type { TargetUser } from "../domain/target.ts";
import { findAccount } from "./deliver.ts";
import type { CycleContext } from "./ports.ts";

/**
 * Looks up what became of writes that a run began and never confirmed (it was killed, or no answer came), before
 * anything is planned: an account that was made is linked, a changed one is read again.
 */
export async function recoverIntents(context: CycleContext): Promise<void> {
  for (const intent of await context.store.openIntents()) {
    const account = await lookUp(context, intent);
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

async function lookUp(context: CycleContext, intent: Intent): Promise<TargetUser | null> {
  if (intent.latticeId !== null) return context.target.get(intent.latticeId, context.signal);
  return findAccount(context, intent);
}

/**
 * An account found by its userName alone may be somebody else's, and one that was to be adopted may not have got its
 * externalId: then matching decides anew, not the intent.
 */
async function belongsTo(context: CycleContext, account: TargetUser, intent: Intent): Promise<boolean> {
  if (account.externalId === intent.objectId) return true;
  return (await context.store.ownerOf(account.latticeId)) === intent.objectId;
}
