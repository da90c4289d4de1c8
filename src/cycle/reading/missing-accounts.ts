import { isRecordFailure } from "../../domain/errors.ts";
import type { Dissolved } from "../../domain/store.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context.ts";
import { dissolveLink, keepAbsence, keepAccounts } from "./keep-accounts.ts";
import { type Absence, believedAfterMs, judgeAbsence, keptLinksNote, tooManyLost } from "./missing.ts";

const pageSize = 200;
/** Accounts of which one has to be found before a 404 of another is believed. */
const witnesses = 3;

/**
 * Asks for one account. One that cannot be read is no reason to stop, and says nothing of whether it is there.
 * @param objectId the person because of whom it is asked for
 * @throws HostUnavailableError, ConfigurationError where others cannot be read either
 */
export async function askFor(
  { host, target, signal, log }: CycleContext,
  objectId: string,
  latticeId: string,
): Promise<TargetUser | null | "unreadable"> {
  try {
    return await host.reading(objectId, () => target.get(latticeId, signal));
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    log.warn({ latticeId, objectId, code: error.code }, "a Lattice account cannot be read");
    return "unreadable";
  }
}

/**
 * What a 404 that an account was answered with comes to. Where it is not believed yet, it is noted.
 * @param othersAnswer whether other accounts are found; asked for where it is not known
 */
export async function noteAbsence(
  context: CycleContext,
  latticeId: string,
  othersAnswer: () => Promise<boolean> = () => othersAreFound(context, latticeId),
): Promise<{ readonly absence: Absence; readonly missingSince: number }> {
  const now = context.clock.now();
  const missingSince = await keepAbsence(context, latticeId, now);
  // While nobody knows what time it is, no hours have passed.
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
 * Dissolves links to accounts that are gone, all of them or none: where there are too many, all are kept until somebody has
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

/** Why so many more links must not be dissolved; `null` where they may. */
export async function keptLinks(
  { store, clock, settings }: CycleContext,
  more: number,
): Promise<string | null> {
  const recent = await store.countLostLinks(clock.now() - settings.guard.windowMs);
  const { linked } = await store.totals();
  return tooManyLost({ lost: recent + more, linked: linked + recent }, settings.guard);
}

export function believed({ clock }: CycleContext): Dissolved {
  return {
    at: clock.now(),
    reason: `Lattice answered 404 for the account twice, at least ${believedAfterMs / 3_600_000} hours apart, while other accounts were found`,
  };
}

/** Asks again for accounts that are missing for long enough; those that are there again are so in the picture too. */
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
