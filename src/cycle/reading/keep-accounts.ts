import type { Dissolved } from "../../domain/state/account.ts";
import type { AccountRow, StateChange } from "../../domain/state/change.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { foldAccounts } from "../pictures/accounts.ts";
import { accountChanged, nameFreed } from "../pictures/marks.ts";

/** The part of a cycle's context that is needed to save accounts. */
export type KeepingAccounts = Pick<CycleContext, "store" | "fence" | "cycleId" | "inTurn">;

/** Saves accounts as they were read, in one commit; links stay as they are. */
export async function keepAccounts(context: KeepingAccounts, found: readonly TargetUser[]): Promise<void> {
  if (found.length === 0) return;
  const latticeIds = [...new Set(found.map(({ latticeId }) => latticeId))];
  await folding(context, latticeIds, (rows) => {
    const fold = foldAccounts({ rows }, context.cycleId);
    for (const account of found) fold.read(account);
    return fold.change();
  });
}

/**
 * Records that Lattice does not have an account; the person is planned again.
 * @returns since when, milliseconds since the epoch
 */
export async function keepAbsence(context: KeepingAccounts, latticeId: string, now: number): Promise<number> {
  let since = now;
  await folding(context, [latticeId], ([row]) => {
    if (row === undefined) return {};
    since = row.missingSince ?? now;
    return {
      accounts: { put: [{ ...row, missingSince: since }] },
      marks: row.objectId === null ? [] : accountChanged(row.objectId),
    };
  });
  return since;
}

/** Records that Lattice has shown an account, if it was missing before; the person is planned again. */
export async function endAbsence(context: KeepingAccounts, latticeId: string): Promise<void> {
  await context.inTurn(async () => {
    const [row] = await context.store.accountRows({ latticeIds: [latticeId], objectIds: [] });
    if (row === undefined || row.missingSince === null) return;
    const marks = row.objectId === null ? [] : accountChanged(row.objectId, { returned: true });
    await context.store.commit({ accounts: { put: [{ ...row, missingSince: null }] }, marks }, context.fence);
  });
}

/** Dissolves the link to an account that is gone; a record of the link stays. */
export async function dissolveLink(
  context: KeepingAccounts,
  latticeId: string,
  dissolved: Dissolved,
): Promise<void> {
  await folding(context, [latticeId], (rows) => {
    const fold = foldAccounts({ rows }, context.cycleId);
    fold.unlink(latticeId, dissolved);
    return fold.change();
  });
}

/** Forgets accounts without a link that a complete listing did not show. Their userNames are free. */
export async function forgetAccounts(
  { store, fence, inTurn }: KeepingAccounts,
  accounts: readonly { readonly latticeId: string; readonly userName: string }[],
): Promise<void> {
  if (accounts.length === 0) return;
  const gone = accounts.map(({ latticeId }) => latticeId);
  const marks = accounts.flatMap(({ userName }) => nameFreed(userName.toLowerCase()));
  await inTurn(() => store.commit({ accounts: { gone }, marks }, fence));
}

/** Reads the accounts, folds and commits; no other fold of the cycle runs in between. The commit may be lost, and the accounts are read again then. */
function folding(
  { store, fence, inTurn }: KeepingAccounts,
  latticeIds: readonly string[],
  fold: (rows: readonly AccountRow[]) => StateChange,
): Promise<void> {
  return inTurn(async () => {
    const rows = await store.accountRows({ latticeIds, objectIds: [] });
    await store.commit({ ...fold(rows), mayBeLost: true }, fence);
  });
}
