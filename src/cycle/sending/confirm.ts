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

/** If reading showed the same as the answer for this many accounts, an answer of this kind is believed. */
const enough = 3;

/** By path: how often a doubtful answer of the target turned out to be right. It is kept as long as the target. */
const habits = new WeakMap<Target, Map<string, number>>();

/** `true` if an answer without this path is believed, because reading showed the same for enough accounts. */
export function isBelieved({ target }: Pick<CycleContext, "target">, path: string): boolean {
  return (habits.get(target)?.get(path) ?? 0) >= enough;
}

/**
 * The account after a write. If the answer contradicts what was sent, or leaves out a value that was sent or known, it may be
 * old or partial: the account is read once, and the read decides. An `active` that is never shown counts as it was sent.
 * @param known the account before the write; `null` if it is new
 * @throws RecordUnavailableError if the account cannot be read right after the write; what the target throws
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
    // The write may have been applied, so the intent stays.
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
 * Paths for which the answer to a write shows another value than was sent, or none although one was sent or known. For a new
 * account the answer cannot be an old one, so another form of a value is not doubtful there.
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
