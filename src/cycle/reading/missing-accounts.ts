import { isRecordFailure } from "../../domain/errors.ts";
import type { Dissolved } from "../../domain/state/account.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { dissolveLink, endAbsence, keepAbsence, keepAccounts } from "./keep-accounts.ts";
import { type Absence, believedAfterMs, judgeAbsence, keptLinksNote, tooManyLost } from "./missing.ts";

const pageSize = 200;
/** One of this many accounts has to be found before a 404 of another is believed. */
const witnesses = 3;

/**
 * Asks for one account. An answer that shows it ends its absence, whatever the question was for: two 404s with such an answer
 * between them are not one long absence. If the account cannot be read, the cycle goes on, and nothing is concluded.
 * @param objectId the person for whom it is asked
 * @throws HostUnavailableError, ConfigurationError if others cannot be read either
 */
export async function askFor(
  context: CycleContext,
  objectId: string,
  latticeId: string,
): Promise<TargetUser | null | "unreadable"> {
  const { host, target, signal, log } = context;
  try {
    const account = await host.reading(objectId, () => target.get(latticeId, signal));
    if (account !== null) await endAbsence(context, latticeId);
    return account;
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    log.warn({ latticeId, objectId, code: error.code }, "a Lattice account cannot be read");
    return "unreadable";
  }
}

/**
 * The conclusion from a 404 of an account. A 404 that is not believed yet is noted.
 * @param othersAnswer whether other accounts are found; if unknown, some are asked for
 */
export async function noteAbsence(
  context: CycleContext,
  latticeId: string,
  othersAnswer: () => Promise<boolean> = () => othersAreFound(context, latticeId),
): Promise<{ readonly absence: Absence; readonly missingSince: number }> {
  const now = context.clock.now();
  const missingSince = await keepAbsence(context, latticeId, now);
  // While our clock is in doubt, it is not known whether hours have passed.
  const suspected =
    context.clockDoubtMs === 0 && judgeAbsence({ missingSince, now, othersAnswer: true }) === "gone";
  const absence = judgeAbsence({ missingSince, now, othersAnswer: suspected && (await othersAnswer()) });
  return { absence, missingSince };
}

/** Asks for a few other accounts, until one is found. */
async function othersAreFound(context: CycleContext, latticeId: string): Promise<boolean> {
  for (const other of await context.store.otherAccounts(latticeId, witnesses)) {
    const found = await askFor(context, other, other);
    if (found !== null && found !== "unreadable") return true;
  }
  return false;
}

/**
 * Dissolves links to accounts that are gone: all of them or none. If there are too many, all are kept until a person has
 * looked (`guard.maxLostLinks`).
 * @returns whether they were dissolved
 */
export async function dissolve(context: CycleContext, latticeIds: readonly string[]): Promise<boolean> {
  if (latticeIds.length === 0) return true;
  const { store, log, notes } = context;
  const tooMany = await keptLinks(context, latticeIds.length);
  if (tooMany !== null) {
    log.warn({ accounts: latticeIds.length }, `no link is removed: ${tooMany}`);
    const note = keptLinksNote(tooMany);
    if (!notes.includes(note)) notes.push(note);
    return false;
  }
  for (const latticeId of latticeIds) {
    const objectId = await store.ownerOf(latticeId);
    log.warn(
      { latticeId, objectId },
      "the linked Lattice account no longer exists; matching the person again",
    );
    await dissolveLink(context, latticeId, believed(context));
  }
  return true;
}

/** Why this many more links must not be dissolved; `null` if they may. */
export async function keptLinks(
  { store, clock, settings }: CycleContext,
  more: number,
): Promise<string | null> {
  const recent = await store.countLostLinks(clock.now() - settings.guard.windowMs);
  const linked = await store.countLinked();
  return tooManyLost({ lost: recent + more, linked: linked + recent }, settings.guard);
}

export function believed({ clock }: CycleContext): Dissolved {
  return {
    at: clock.now(),
    reason: `Lattice answered 404 for the account twice, at least ${believedAfterMs / 3_600_000} hours apart, while other accounts were found`,
  };
}

/** Asks again for accounts that have been missing for long enough; one that is there again is marked as found. */
export async function recheckMissing(context: CycleContext): Promise<void> {
  const { store, clock } = context;
  const before = clock.now() - believedAfterMs;
  const gone: string[] = [];
  let othersAnswer: Promise<boolean> | undefined;
  let after = "";
  for (;;) {
    const missing = await store.missingAccounts(before, after, pageSize);
    for (const { latticeId } of missing) {
      const found = await askFor(context, (await store.ownerOf(latticeId)) ?? latticeId, latticeId);
      if (found === "unreadable") continue;
      if (found !== null) {
        await keepAccounts(context, [found]);
        continue;
      }
      const { absence } = await noteAbsence(context, latticeId, () => {
        othersAnswer ??= othersAreFound(context, latticeId);
        return othersAnswer;
      });
      if (absence === "gone") gone.push(latticeId);
    }
    const last = missing.at(-1);
    if (last === undefined) break;
    after = last.latticeId;
  }
  await dissolve(context, gone);
}
