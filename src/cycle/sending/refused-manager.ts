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

/** What can be sent without the manager. */
export interface WithoutManager {
  readonly rest: readonly AttributeWrite[];
  readonly manager: AttributeWrite;
  /** The manager's account: not found in the target, or not active. */
  readonly account: "gone" | "inactive";
  /** HTTP status of the refusal. */
  readonly httpStatus: number;
}

/**
 * A manager's account that cannot be found in Lattice must not stop the reports: they are sent without, and wait until the
 * account is there again, or the manager has another. Nor must one that is deactivated, which Lattice may not take as a manager.
 * `null` where the refusal has another reason.
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
    // All seats are taken: no word about the manager.
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
  // While it is missing nobody is pointed to it, whether it is believed to be gone or not.
  if ((await noteAbsence(context, manager.value)).absence === "gone")
    await dissolve(context, [manager.value]);
  recorder.forget(manager.value);
  return { rest, manager, account: "gone", httpStatus: refusal.status };
}

/** Whether the account still points to another manager, which is certainly not the right one any more. */
function clearsFormerManager({ settings }: CycleContext, { action, changes }: LoggedOperation): boolean {
  const before = changes.find(({ reference }) => reference !== undefined)?.reference?.beforeId ?? null;
  return action !== "create" && before !== null && settings.missingManager === "clear";
}

/**
 * That the manager was refused is remembered with the account, so that it is not sent in every cycle: a change of the
 * manager's own account, or another manager, makes it due again.
 * @param refusedAlone status of the refusal where nothing but the manager was to be sent
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
    // Where nothing else was to be sent nothing was done.
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
