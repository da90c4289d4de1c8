import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CandidateSelection } from "../../domain/state/planning.ts";
import type { CycleContext } from "../context/context.ts";
import { keepNotes } from "../ports/ports.ts";
import { compareTarget, type FailedComparison } from "./comparison.ts";
import { ingestSource } from "./ingest.ts";
import { recheckMissing } from "./missing-accounts.ts";
import { readMarkedAccounts } from "./read-again.ts";
import { ingestNamedGroups, ingestScope } from "./scope.ts";

/** The result of reading the directory. */
export interface Directory {
  /** `null` if the scope could not be read. */
  readonly scopeParts: readonly ScopePart[] | null;
  /** Groups that scoping filters name. */
  readonly filterParts: readonly ScopePart[];
  /** Why the scope could not be read, or a group of its filters: the cycle ends with it. */
  readonly scopeFault: ScopeFault | null;
  /** Everyone was read. */
  readonly full: boolean;
  readonly emptyDirectory: boolean;
}

/** Why the scope, or a group of its filters, could not be read. */
export type ScopeFault = ConfigurationError | HostUnavailableError;

/**
 * Reads the people of the directory and the scope.
 * @param known the parts of the scope when it was read last, as far as it is known; parts of filters do not matter
 */
export async function readDirectory(
  context: CycleContext,
  meta: Partial<Meta>,
  known: readonly ScopePart[],
): Promise<Directory> {
  const { full, empty } = await ingestSource(context, meta, context.kind === "incremental");
  const read = { full, emptyDirectory: empty };
  try {
    const expected = known.filter(({ usedBy }) => usedBy !== "filters");
    // A person who leaves while the scope is read may still be among its members. A watermark from before shows that.
    const before = expected.length === 0 ? null : await scopeWatermark(context, expected);
    const scopeParts = await ingestScope(context);
    const watermark = areAmong(expected, scopeParts) ? before : await scopeWatermark(context, scopeParts);
    await keepNotes(context, { scopeWatermark: watermark ?? "" });
    return { ...read, scopeParts, filterParts: await ingestNamedGroups(context), scopeFault: null };
  } catch (error) {
    if (!isScopeFault(context, error)) throw error;
    return { ...read, scopeParts: null, filterParts: [], scopeFault: error };
  }
}

/** Lets looks between two cycles tell who has left the scope since. Without a watermark they cannot, and the next cycle does. */
async function scopeWatermark(context: CycleContext, parts: readonly ScopePart[]): Promise<string | null> {
  try {
    return await context.source.scopeWatermark(parts, context.signal);
  } catch (error) {
    if (!isScopeFault(context, error)) throw error;
    context.log.info(
      { reason: error.message },
      "people who leave the scope are seen by the next cycle, not before",
    );
    return null;
  }
}

/** Whether a watermark of the expected parts shows all that were read. Those that are gone lose no one. */
function areAmong(expected: readonly ScopePart[], parts: readonly ScopePart[]): boolean {
  const ids = new Set(expected.map(({ id }) => id.toLowerCase()));
  return parts.every(({ id }) => ids.has(id.toLowerCase()));
}

/** `true` if an error is a fault of the scope. A requested pause is not: it stops the cycle. */
function isScopeFault({ signal }: CycleContext, error: unknown): error is ScopeFault {
  if (signal.aborted) return false;
  if (error instanceof HostUnavailableError) return error.retryAt === undefined;
  return error instanceof ConfigurationError;
}

/** The result of reading Lattice. */
interface Lattice {
  readonly context: CycleContext;
  /** The people to plan. */
  readonly select: CandidateSelection;
  /** The full comparison that could not be done. */
  readonly failedComparison: FailedComparison | null;
}

/** Reads what the plan needs to know about Lattice's accounts: all of them, or those that are in doubt. */
export async function readLattice(
  context: CycleContext,
  meta: Partial<Meta>,
  { full, emptyDirectory }: Directory,
): Promise<Lattice> {
  const everything = context.kind !== "incremental";
  const failedComparison = everything ? await compareTarget(context, meta) : null;
  const compared = everything && failedComparison === null;
  if (!compared) {
    await recheckMissing(context);
    await readMarkedAccounts(context);
  }
  if (compared && full && !emptyDirectory) {
    await keepNotes(context, { reconciledAt: String(context.clock.now()) });
  }
  const listingFault = (await context.store.meta()).listingFault ?? "";
  return {
    context: { ...context, listed: compared && listingFault === "", lookUpFirst: listingFault !== "" },
    select: everything ? "everybody" : "marked",
    failedComparison,
  };
}
