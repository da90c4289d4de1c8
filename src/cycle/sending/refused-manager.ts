import {
  AlreadyExistsError,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
} from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import { type AttributeWrite, valueAt } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { askFor, dissolve, noteAbsence } from "../reading/missing-accounts.ts";
import type { Outcome } from "./failure.ts";
import type { Recorder } from "./recorder.ts";

/** An operation without its manager. */
export interface WithoutManager {
  readonly rest: readonly AttributeWrite[];
  readonly manager: AttributeWrite;
  /** The reason: the manager's account is not found in Lattice, or is not active. */
  readonly account: "gone" | "inactive";
  /** HTTP status of the refusal. */
  readonly httpStatus: number;
}

/**
 * Takes the manager out of an operation if the manager's account is the reason for the refusal: it is gone from Lattice, or
 * it is deactivated. If it is gone, the person waits until the manager has an account again.
 * @returns `null` if the refusal has another reason
 */
export async function withoutRefusedManager(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  refusal: unknown,
): Promise<WithoutManager | null> {
  const rejected =
    refusal instanceof RecordRejectedError &&
    !(refusal instanceof RecordGoneError || refusal instanceof AlreadyExistsError) &&
    !(refusal instanceof RecordForbiddenError) &&
    // 402: all seats are taken. It says nothing about the manager.
    refusal.status !== 402;
  const path = operation.changes.find((change) => change.reference !== undefined)?.attribute;
  const manager = writes.find((write) => write.path === path);
  if (!rejected || typeof manager?.value !== "string" || context.signal.aborted) return null;
  const rest = writes.filter((write) => write !== manager);
  const account = await askFor(context, operation.objectId, manager.value);
  if (account === "unreadable") return null;
  if (account !== null) {
    if (account.active !== false) return null;
    const cleared = clearsFormerManager(context, operation) ? [{ ...manager, value: null }] : [];
    return { rest: [...rest, ...cleared], manager, account: "inactive", httpStatus: refusal.status };
  }
  // While the manager's account is missing, it is not sent, even if it is not yet believed to be gone.
  if ((await noteAbsence(context, manager.value)).absence === "gone")
    await dissolve(context, [manager.value]);
  recorder.forget(manager.value);
  return { rest, manager, account: "gone", httpStatus: refusal.status };
}

/** `true` if the account points to a former manager, who is to be cleared. A revert writes nothing that was not there before. */
function clearsFormerManager({ settings }: CycleContext, { action, changes }: LoggedOperation): boolean {
  const change = changes.find(({ reference }) => reference !== undefined);
  const before = change?.reference?.beforeId ?? null;
  const clears = settings.missingManager === "clear" && change?.rejects === undefined;
  return action !== "create" && before !== null && clears;
}

/**
 * Stores with the account that its manager was refused, so that the manager is not sent in every cycle. A change of the
 * manager's account, or another manager, makes it due again.
 * @param refusedAlone status of the refusal if nothing but the manager was to be sent, else `null`
 */
export function withRefusedManager(
  outcome: Outcome,
  { path, value }: AttributeWrite,
  refusedAlone: number | null,
): Outcome {
  const { target } = outcome;
  if (target === undefined) return outcome;
  const observed = valueAt(target, path);
  const refused =
    "Lattice does not accept the manager, whose account is deactivated; the manager is sent again when that account is active";
  return {
    ...outcome,
    // If nothing else was to be sent, nothing was done.
    ...(outcome.status === "done" && refusedAlone !== null
      ? { status: "cancelled", httpStatus: refusedAlone }
      : {}),
    target: {
      ...target,
      acknowledged: { ...target.acknowledged, [path]: { sent: value, observed, refused: true } },
    },
    error: outcome.error ?? refused,
  };
}
