import { isRecordFailure, RecordGoneError, RecordRejectedError } from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { AttributeWrite, WriteReceipt } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { unshown } from "../planning/held.ts";
import { confirm } from "./confirm.ts";
import { failed, type Outcome, refusalIn, Undelivered } from "./failure.ts";
import { acknowledge } from "./send-writes.ts";

/**
 * Sends only `active` of a deactivation that was refused for another attribute (for example a userName that another account
 * has). The rest is tried again later.
 * @returns `null` if it is not such an operation, or if Lattice does not switch the account off
 */
export async function switchOffAlone(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  cause: unknown,
): Promise<Outcome | null> {
  const refusal = refusalIn(cause);
  const rejected = isRecordFailure(refusal) && !(refusal instanceof RecordGoneError);
  if (context.signal.aborted) return null;
  if (!rejected || operation.action !== "deactivate") return null;
  const known = await accountToSwitchOff(context, operation, cause);
  if (known === null) return null;
  const only = writes.filter(({ path }) => path === "active");
  if (only.length === writes.length && unshown(known).length === 0) return null;
  // An account gets its externalId only when it is linked, so `externalId` is tried with `active` first.
  const named = writes.filter(({ path }) => path === "active" || path === "externalId");
  const worthATry = operation.adopts && named.length > only.length && named.length < writes.length;
  for (const part of worthATry ? [named, only] : [only]) {
    try {
      const { answer, link } = await updateAlone(context, known, part, part.length < writes.length);
      const receipt = await confirm(context, link, part, answer);
      if (receipt.user.active === true) return null;
      const { error, retry, unknown } = await failed(context, operation, refusal);
      return {
        status: "done",
        target: { ...receipt.user, acknowledged: acknowledge(link, part, receipt.user) },
        httpStatus: receipt.status,
        requestId: receipt.requestId,
        error: `deactivated; the other changes failed: ${error}`,
        retry,
        unknown: unknown === true,
        finishedAt: context.clock.now(),
      };
    } catch (error) {
      const passes = part !== only && isRecordFailure(error) && !(error instanceof RecordGoneError);
      if (!passes && !(error instanceof RecordRejectedError)) return failed(context, operation, error);
    }
  }
  return null;
}

/**
 * Updates an account with a part of the writes. Values that the account holds and never shows are sent too, unless they are
 * refused: then they no longer count as held, and are planned again.
 * @param withUnshown whether to try with those values first
 */
async function updateAlone(
  { target, signal }: CycleContext,
  link: ConfirmedTarget,
  only: readonly AttributeWrite[],
  withUnshown: boolean,
): Promise<{ readonly answer: WriteReceipt; readonly link: ConfirmedTarget }> {
  const also = unshown(link);
  if (withUnshown) {
    try {
      return { answer: await target.update(link, only, signal, also), link };
    } catch (error) {
      const rejected = error instanceof RecordRejectedError && !(error instanceof RecordGoneError);
      if (!rejected || also.length === 0) throw error;
    }
  }
  const lost = new Set(also.map(({ path }) => path));
  const kept = Object.entries(link.acknowledged).filter(([path]) => !lost.has(path));
  return {
    answer: await target.update(link, only, signal),
    link: { ...link, acknowledged: Object.fromEntries(kept) },
  };
}

/** The account to switch off; `null` if it is not certain whose account it is. */
async function accountToSwitchOff(
  context: CycleContext,
  operation: LoggedOperation,
  cause: unknown,
): Promise<ConfirmedTarget | null> {
  if (cause instanceof Undelivered) return { ...cause.account, acknowledged: {} };
  return operation.adopts ? null : context.store.linkOf(operation.objectId);
}
