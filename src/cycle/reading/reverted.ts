import { isRecordFailure } from "../../domain/errors.ts";
import { allEnded } from "../context/all-ended.ts";
import type { CycleContext } from "../context/context.ts";
import { savePerson } from "./ingest.ts";
import { keepAccounts } from "./keep-accounts.ts";
import { noteAbsence } from "./missing-accounts.ts";
import { readById } from "./read-by-id.ts";

/** A person whose account is to be taken back to earlier values. */
export interface ToRevert {
  readonly objectId: string;
  readonly latticeId: string;
  /** The account is switched on: the person is read too, because a leaver's account stays off. */
  readonly switchesOn: boolean;
}

/**
 * Reads these accounts by id, and from Entra the people whose accounts are switched on.
 * @returns by object id: why nothing is sent for a person who, or whose account, could not be read
 * @throws HostUnavailableError, ConfigurationError if the fault is not with single accounts or people
 */
export async function readReverted(
  context: CycleContext,
  people: readonly ToRevert[],
): Promise<ReadonlyMap<string, string>> {
  const { settings, clock, signal } = context;
  const unread = new Map<string, string>();
  const directory = readById(context);
  let done = 0;
  for (let from = 0; from < people.length; from += settings.concurrency) {
    const some = people.slice(from, from + settings.concurrency);
    await allEnded(
      some.map(async (person) => {
        const { objectId } = person;
        if (!(await readAccount(context, person))) unread.set(objectId, "Lattice does not show the account");
        if (!person.switchesOn) return;
        const found = await directory.read(objectId);
        if (found === "unread") unread.set(objectId, "Entra did not answer when asked for the person");
        else await savePerson(context, found ?? { kind: "removed", objectId, presence: "deleted" });
      }),
    );
    done += some.length;
    context.onProgress?.({ phase: "reading Lattice", done, total: people.length });
    await clock.sleep(0, signal);
  }
  return unread;
}

/** @returns `false` if the account could not be read; one that Lattice does not have counts as missing */
async function readAccount(context: CycleContext, { objectId, latticeId }: ToRevert): Promise<boolean> {
  const { target, host, signal, log } = context;
  try {
    const account = await host.reading(objectId, () => target.get(latticeId, signal));
    if (account !== null) await keepAccounts(context, [account]);
    else await noteAbsence(context, latticeId);
    return true;
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    log.warn({ latticeId, objectId, code: error.code }, "an account could not be read, and is not reverted");
    return false;
  }
}
