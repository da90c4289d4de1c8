import { HostUnavailableError } from "../../domain/errors.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { ingestTarget } from "./accounts.ts";
import { askFor } from "./missing-accounts.ts";

/** The full comparison that could not be done. Times are milliseconds since the epoch. */
export interface FailedComparison {
  readonly failedSince: number;
  readonly attempts: number;
  readonly error: string;
  /** When the schedule tries it again; a manual one (`--full`) is tried at once. */
  readonly nextTryAt: number;
}

const dayMs = 24 * 60 * 60 * 1000;
/** If one of this many accounts is found, only the listing is at fault. */
const witnesses = 3;

export function parseComparison(meta: Partial<Meta>): FailedComparison | null {
  if (meta.comparison === undefined || meta.comparison === "") return null;
  // Only this program writes it.
  return JSON.parse(meta.comparison) as FailedComparison;
}

/** A failed comparison is retried at growing intervals, from two cycle intervals up to a day. */
export function nextComparison(
  before: FailedComparison | null,
  failure: { readonly error: string; readonly now: number; readonly intervalMs: number },
): FailedComparison {
  const attempts = (before?.attempts ?? 0) + 1;
  return {
    failedSince: before?.failedSince ?? failure.now,
    attempts,
    error: failure.error,
    nextTryAt: failure.now + Math.min(failure.intervalMs * 2 ** attempts, dayMs),
  };
}

/** `true` if the schedule compares Entra and Lattice in full now. @param everyMs `null` for never */
export function comparisonIsDue(meta: Partial<Meta>, everyMs: number | null, now: number): boolean {
  if (everyMs === null || now - Number(meta.reconciledAt ?? 0) < everyMs) return false;
  const failed = parseComparison(meta);
  // A retry more than a day away dates from before the clock was set back.
  return failed === null || now >= failed.nextTryAt || failed.nextTryAt - now > dayMs;
}

/**
 * Lists Lattice if possible. If Lattice answers but cannot be listed, the cycle goes on with the stored data of the accounts,
 * so that leavers do not wait for a listing. Without an earlier listing there is no such data.
 * @returns why not every account was read; `null` if every one was
 * @throws HostUnavailableError, ConfigurationError
 */
export async function compareTarget(
  context: CycleContext,
  meta: Partial<Meta>,
): Promise<FailedComparison | null> {
  try {
    await ingestTarget(context);
  } catch (error) {
    if (!(error instanceof HostUnavailableError) || meta.targetListedAt === undefined) throw error;
    if (!(await isThere(context))) throw error;
    const { clock, settings, log, notes } = context;
    const failed = nextComparison(parseComparison(meta), {
      error: error.message,
      now: clock.now(),
      intervalMs: settings.intervalMs,
    });
    await keepNotes(context, { comparison: JSON.stringify(failed) });
    notes.push(
      `The full comparison failed: ${error.message} Changes in Entra are still sent, but changes made by hand in Lattice are not detected.`,
    );
    log.warn({ attempts: failed.attempts, error: error.message }, "the full comparison failed");
    return failed;
  }
  if (parseComparison(meta) !== null) await keepNotes(context, { comparison: "" });
  return null;
}

/** `true` if the target answers for single accounts: then it is not down. */
async function isThere(context: CycleContext): Promise<boolean> {
  for (const latticeId of await context.store.otherAccounts("", witnesses)) {
    const found = await askFor(context, latticeId, latticeId);
    if (found !== null && found !== "unreadable") return true;
  }
  return false;
}
