import { isRecordFailure, RecordGoneError, RecordRejectedError } from "../../domain/errors.ts";
import { jsonEquals } from "../../domain/json.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import { type AttributeWrite, sameAt, valueAt, type WriteReceipt } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { unshown } from "../planning/held.ts";
import { createOnce } from "./create.ts";
import type { Delivered } from "./delivered.ts";
import { matchAgain } from "./existing-account.ts";
import type { Recorder } from "./recorder.ts";
import { claim, refuseOthers } from "./whose-account.ts";

/** Carries out one operation: create, adopt or update. @throws what the target throws */
export async function deliver(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivered> {
  if (operation.action === "create") return createOnce(context, recorder, operation, writes);
  if (operation.adopts) return adopt(context, operation, writes);
  const link = await context.store.linkOf(operation.objectId);
  if (link === null) {
    throw new RecordGoneError(
      `${operation.objectId} is no longer linked to a Lattice account; the person is matched again`,
      {
        status: 404,
      },
    );
  }
  if (writes.length === 0) return { receipt: { user: link, status: 0, requestId: undefined }, link };
  return { receipt: await context.target.update(link, writes, context.signal, unshown(link)), link };
}

/** Links an existing account. If this cycle has not listed it, it is read first, because it may have changed. */
async function adopt(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivered> {
  const latticeId = operation.latticeId ?? "";
  claim(context, operation, latticeId);
  const planned = await context.store.accountOf(latticeId);
  const account =
    planned?.readIn === context.cycleId
      ? planned
      : await context.host.reading(operation.objectId, () => context.target.get(latticeId, context.signal));
  if (account === null) {
    throw new RecordGoneError(
      `the Lattice account ${operation.latticeId} no longer exists; the person is matched again`,
      {
        status: 404,
      },
    );
  }
  await refuseOthers(context, operation, account);
  if (planned !== null) await matchAgain(context, operation, planned, account);
  // The plan does not know what has changed in the account since.
  const again =
    planned === null || account.active !== planned.active || !jsonEquals(account.values, planned.values);
  const link = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(link, path), value));
  const unchanged: WriteReceipt = { user: account, status: 0, requestId: undefined };
  if (due.length === 0) return { receipt: unchanged, link, again };
  try {
    return { receipt: await context.target.update(account, due, context.signal), link, again };
  } catch (refusal) {
    if (!isRecordFailure(refusal) || refusal instanceof RecordGoneError) throw refusal;
    // An account with this person's externalId is linked even if the writes are refused, so that it can be switched off.
    const certain = account.externalId !== null && refusal instanceof RecordRejectedError;
    return { receipt: unchanged, link, refusal, certain };
  }
}
