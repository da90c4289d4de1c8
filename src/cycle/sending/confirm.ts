import { isRecordFailure, RecordUnavailableError } from "../../domain/errors.ts";
import {
  type AttributeWrite,
  sameAt,
  type Target,
  type TargetUser,
  valueAt,
  type WriteReceipt,
} from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";

/** After this many accounts that showed the same when read, an answer of this kind is taken as it is. */
const enough = 3;

/** How often, by path and run, an answer that looked doubtful turned out to be what the target shows. */
const habits = new WeakMap<Target, Map<string, number>>();

/**
 * The account after a write. An answer that contradicts what was sent, or leaves out what was sent or known, may be old or
 * partial: the account is read once, and what is read decides. An `active` that is never shown is as it was sent.
 * @param known the account before the write; `null` where it is new
 * @throws RecordUnavailableError where the account cannot be found right after the write; what the target throws
 */
export async function confirm(
  context: CycleContext,
  known: TargetUser | null,
  writes: readonly AttributeWrite[],
  receipt: WriteReceipt,
): Promise<WriteReceipt> {
  const { target, signal } = context;
  const sent = writes.find(({ path }) => path === "active")?.value;
  const settled = (user: TargetUser): WriteReceipt => {
    const active = typeof sent === "boolean" ? sent : (known?.active ?? null);
    return { ...receipt, user: user.active === null ? { ...user, active } : user };
  };
  if (receipt.status === 0) return settled(receipt.user);
  const seen = habits.get(target) ?? new Map<string, number>();
  habits.set(target, seen);
  const doubts = doubtfulPaths(known, writes, receipt.user).filter((path) => (seen.get(path) ?? 0) < enough);
  if (doubts.length === 0) return settled(receipt.user);
  const found = await target.get(receipt.user.latticeId, signal).catch((error: unknown) => {
    if (!isRecordFailure(error)) throw error;
    // The write may have been applied: the intent stays.
    throw new RecordUnavailableError(
      `Lattice accepted a write to the account ${receipt.user.latticeId} but answered with other values than were sent, and the ` +
        `account cannot be read. ${error.message}`,
      { cause: error },
    );
  });
  if (found === null) {
    throw new RecordUnavailableError(
      `Lattice accepted a write to the account ${receipt.user.latticeId} but answers 404 when the account is read. The next ` +
        "cycle looks it up.",
    );
  }
  for (const path of doubts) {
    const agrees = sameAt(path, valueAt(found, path), valueAt(receipt.user, path));
    seen.set(path, agrees ? (seen.get(path) ?? 0) + 1 : Number.NEGATIVE_INFINITY);
  }
  return settled(found);
}

/**
 * Paths of which the answer to a write shows something else than was sent, or nothing although something was sent or
 * known. A new account cannot be shown as it was before, so there another form of a value is no doubt.
 */
function doubtfulPaths(
  known: TargetUser | null,
  writes: readonly AttributeWrite[],
  shown: TargetUser,
): string[] {
  const written = writes.filter(({ path, value }) => {
    const observed = valueAt(shown, path);
    if (known === null && path !== "active" && observed !== null) return false;
    return !sameAt(path, observed, value);
  });
  const paths = new Set(written.map(({ path }) => path));
  const lost =
    known === null
      ? []
      : ["externalId", "active", ...Object.keys(known.values)].filter(
          (path) =>
            !writes.some((write) => write.path === path) &&
            valueAt(known, path) !== null &&
            valueAt(shown, path) === null,
        );
  return [...paths, ...lost];
}
