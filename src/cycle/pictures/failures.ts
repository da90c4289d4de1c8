import type { FailureNote } from "../../domain/state/change.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";

/** The next digest says that the user began to fail. */
export function beganToFail({ objectId, firstFailedAt, code, message }: RetryRecord): FailureNote {
  return { objectId, change: "began", since: firstFailedAt, code, message };
}

/** The next digest says that the user no longer fails. */
export function failsNoMore({ objectId, firstFailedAt, code, message }: RetryRecord): FailureNote {
  return { objectId, change: "recovered", since: firstFailedAt, code, message };
}
