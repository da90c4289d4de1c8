import { RecordRejectedError } from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";

/**
 * Notes that this cycle links an account to a person, because links made a moment ago may not be stored yet.
 * @throws RecordRejectedError if this cycle links the account to another person
 */
export function claim(
  { claims }: CycleContext,
  { objectId, userName }: LoggedOperation,
  latticeId: string,
): void {
  const other = claims.get(latticeId) ?? objectId;
  claims.set(latticeId, other);
  if (other === objectId) return;
  throw new RecordRejectedError(
    `the Lattice account ${latticeId} matches ${userName}, but this cycle links it to the person ${other}`,
    { status: 409 },
  );
}

/** @throws RecordRejectedError if the account is protected, unlinked from the person, or linked to another person than the plan says */
export async function refuseOthers(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
): Promise<void> {
  context.protections.refuse(account, operation.objectId);
  const refusal = await othersOwn(context, operation, account);
  if (refusal !== null) throw refusal;
}

/** The error if the account is linked to another person than the plan says; else `null`. */
export async function othersOwn(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
): Promise<RecordRejectedError | null> {
  const owner = await context.store.ownerOf(account.latticeId);
  if (owner === null || owner === operation.objectId || owner === operation.formerOwner) return null;
  return new RecordRejectedError(
    `the Lattice account ${account.latticeId} matches ${operation.userName}, but belongs to the person ${owner}`,
    { status: 409 },
  );
}
