import { isRecordFailure } from "../../domain/errors.ts";
import { allEnded } from "../context/all-ended.ts";
import type { CycleContext } from "../context/context.ts";
import { keepAccounts } from "./keep-accounts.ts";
import { noteAbsence } from "./missing-accounts.ts";

/**
 * One cycle reads at most this many accounts one by one; the others follow in the next cycle, or with the full comparison.
 */
const mostInACycle = 500;

/**
 * Reads the accounts whose stored data is not certain, before they are planned. An account that cannot be read stays marked
 * for the next cycle; one that is not found counts as missing.
 * @throws HostUnavailableError, ConfigurationError if the fault is not with single accounts
 */
export async function readMarkedAccounts(context: CycleContext): Promise<void> {
  const { store, clock, signal, settings } = context;
  let after = "";
  for (let left = mostInACycle; left > 0; ) {
    const page = await store.toReadAgain(after, Math.min(settings.concurrency, left));
    const last = page.at(-1);
    if (last === undefined) return;
    await allEnded(page.map((marked) => readOne(context, marked)));
    after = last.latticeId;
    left -= page.length;
    await clock.sleep(0, signal);
  }
}

async function readOne(
  context: CycleContext,
  { latticeId, objectId }: { readonly latticeId: string; readonly objectId: string | null },
): Promise<void> {
  const { target, host, signal, log } = context;
  try {
    const account = await host.reading(objectId ?? latticeId, () => target.get(latticeId, signal));
    if (account !== null) await keepAccounts(context, [account]);
    else await noteAbsence(context, latticeId);
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    log.warn({ latticeId, objectId, code: error.code }, "an account could not be read again");
    log.debug({ latticeId, error: error.message }, "why it could not be read");
  }
}
