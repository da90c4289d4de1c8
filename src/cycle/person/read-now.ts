import { randomUUID } from "node:crypto";
import { cycleContext } from "../context/context.ts";
import { beginEntry, endEntry } from "../context/cycle-entry.ts";
import { forgetTheFuture } from "../health/set-back-clock.ts";
import type { Ports } from "../ports/ports.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { ingestMembership } from "../reading/membership.ts";
import { readPerson } from "../reading/person.ts";
import { ingestNamedGroups } from "../reading/scope.ts";
import { findExactly, findPerson } from "./find-person.ts";

/**
 * Reads one person from Entra and Lattice into the store and plans nothing: for an explanation, on a private copy.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function readNow(
  ports: Ports,
  asked: string,
  signal: AbortSignal,
): Promise<{ readonly cycleId: number; readonly through: readonly string[] | null }> {
  const { store, target, clock } = ports;
  const fence = "private";
  const startedAt = clock.now();
  const cycleId = await beginEntry({ store, fence }, { planId: randomUUID(), kind: "on-demand", startedAt });
  const context = cycleContext(
    ports,
    { cycleId, kind: "on-demand", startedAt, signal, fence, firstRun: false },
    {},
  );
  await forgetTheFuture(context, startedAt);
  const wanted = asked.trim();
  const direct = await store.findSource(wanted);
  const name = direct === null ? ((await findExactly(store, asked)).objectId ?? wanted) : wanted;
  let objectId = await readPerson(context, name);
  if (objectId === null) {
    // The name may be known only to Lattice, as a userName or an id.
    const account = (await target.find("userName", name, signal))[0] ?? (await target.get(name, signal));
    if (account != null) {
      await keepAccounts(context, [account]);
      objectId = account.externalId === null ? null : await readPerson(context, account.externalId);
    } else {
      // Neither Entra nor Lattice has a person of that whole name: search for it as part of a name.
      const part = await findPerson(store, asked, ports.settings.mapping);
      objectId = part.objectId === null ? null : await readPerson(context, part.objectId);
    }
  }
  const membership = objectId === null ? null : await ingestMembership(context, [objectId]);
  if (objectId !== null) await ingestNamedGroups(context);
  await endEntry(context, cycleId, { finishedAt: clock.now(), outcome: "done", error: null });
  const through = objectId === null ? null : (membership?.through.get(objectId) ?? null);
  return { cycleId, through };
}
