import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { Change } from "../../domain/plan.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { RejectedChange } from "../../domain/state/decided-change.ts";
import { sameAt, valueAt } from "../../domain/target.ts";

/** A rejection that a revert makes; it belongs to the decision that its plan has in the log. */
export type Rejection = Omit<RejectedChange, "decision">;

/** `true` if the change takes back one of an earlier cycle. */
export function isReverted({ rejects }: Change): boolean {
  return rejects !== undefined;
}

/**
 * The changes that a revert has taken back with this operation: they are rejected in the commit of its outcome, so that no plan
 * makes them again. A part that Lattice has not carried out is not rejected.
 * @param account as stored after the write
 */
export function rejectionsOfRevert(
  { objectId, changes }: Pick<LoggedOperation, "objectId" | "changes">,
  account: ConfirmedTarget | undefined,
  { finishedAt, retry }: Pick<OperationOutcome, "finishedAt" | "retry">,
): readonly Rejection[] {
  if (account === undefined) return [];
  return changes.flatMap((change): Rejection[] => {
    const { attribute, rejects } = change;
    const refused = retry?.paths?.includes(attribute) === true;
    if (rejects === undefined || refused || !hasMoved(change, account)) return [];
    return [{ objectId, attribute, ...rejects, rejectedAt: finishedAt }];
  });
}

/** `false` if the account is certainly as it was before the change. */
function hasMoved({ attribute, before, after, reference }: Change, account: ConfirmedTarget): boolean {
  const acknowledged = Object.hasOwn(account.acknowledged, attribute)
    ? account.acknowledged[attribute]
    : undefined;
  const taken = acknowledged !== undefined && acknowledged.refused !== true;
  if (taken && sameAt(attribute, acknowledged.sent, after)) return true;
  return !sameAt(attribute, valueAt(account, attribute), reference?.beforeId ?? before);
}
