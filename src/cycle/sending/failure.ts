import {
  isRecordFailure,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../domain/errors.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { missingReason } from "../reading/missing.ts";
import { askFor, believed, keptLinks, noteAbsence } from "../reading/missing-accounts.ts";
import { nextRetry } from "./retry-schedule.ts";

/** The outcome of an operation, or of a part of it. */
export type Outcome = Omit<OperationOutcome, "operationId" | "objectId" | "referencePending">;

/** An account that was adopted or created did not take the writes. It is thrown and caught inside this folder. */
export class Undelivered extends Error {
  readonly refusal: unknown;
  readonly account: TargetUser;
  /** The account is certainly this person's, so it is linked although it did not take the writes. */
  readonly certain: boolean;

  constructor(refusal: unknown, account: TargetUser, certain: boolean) {
    super("undelivered");
    this.refusal = refusal;
    this.account = account;
    this.certain = certain;
  }
}

/** The refusal behind an error of an attempt. */
export function refusalIn(error: unknown): unknown {
  return error instanceof Undelivered ? error.refusal : error;
}

/**
 * The outcome of a failed operation, with its retry. @throws the error if the fault does not lie with this person's record
 */
export async function failed(
  context: CycleContext,
  operation: LoggedOperation,
  error: unknown,
): Promise<Outcome> {
  if (error instanceof Undelivered) {
    const outcome = await failed(context, operation, error.refusal);
    return error.certain ? { ...outcome, target: { ...error.account, acknowledged: {} } } : outcome;
  }
  if (!isRecordFailure(error)) throw error;
  const absence = error instanceof RecordGoneError ? await absenceOf(context, operation) : null;
  const now = context.clock.now();
  const message = absence?.message ?? error.message;
  return {
    status: "failed",
    error: message,
    httpStatus: error instanceof RecordRejectedError ? error.status : undefined,
    words: error instanceof RecordRejectedError ? (error.detail ?? error.message) : undefined,
    ...(absence?.gone === true ? { unlink: believed(context) } : {}),
    // A write that ended with 5xx or without an answer may have been applied: the next cycle looks it up.
    unknown: error instanceof UnknownOutcomeError || error instanceof RecordUnavailableError,
    retry: nextRetry(
      await context.store.retryOf(operation.objectId),
      {
        objectId: operation.objectId,
        code: error.code,
        message,
      },
      { now, intervalMs: context.settings.intervalMs, random: context.random() },
    ),
    finishedAt: now,
  };
}

/**
 * The absence of an account after a 404 on a write. One 404 is not evidence: the account is asked for again, and a second 404
 * is believed hours later.
 * @returns `null` if the account is there or cannot be read, or if the operation has no account
 */
async function absenceOf(
  context: CycleContext,
  { action, objectId, latticeId }: LoggedOperation,
): Promise<{ readonly gone: boolean; readonly message: string } | null> {
  if (latticeId === null) return null;
  if ((await askFor(context, objectId, latticeId)) !== null) return null;
  const { absence, missingSince } = await noteAbsence(context, latticeId);
  const due = action === "deactivate" ? "; the deactivation is still due" : "";
  const message = `${missingReason(latticeId, missingSince, context.clock.now())}${due}`;
  return { gone: absence === "gone" && (await keptLinks(context, 1)) === null, message };
}
