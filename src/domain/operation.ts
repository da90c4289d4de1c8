import type { Operation } from "./plan.ts";
import type { ConfirmedTarget, Dissolved, ReadAgain } from "./state/account.ts";
import type { RetryRecord } from "./state/retry.ts";

/** `reported`: drift that is not corrected. */
export const operationStatuses = [
  "reported",
  "planned",
  "held",
  "sending",
  "done",
  "failed",
  "cancelled",
] as const;
export type OperationStatus = (typeof operationStatuses)[number];

/** An operation as it stands in the provisioning log. */
export interface LoggedOperation extends Operation {
  readonly id: number;
  readonly cycleId: number;
  readonly wave: number;
  readonly status: OperationStatus;
  readonly error: string | null;
  /** The number of this try, if earlier ones failed. */
  readonly attempt?: number;
}

export interface OperationOutcome {
  readonly operationId: number;
  readonly objectId: string;
  readonly status: "done" | "failed" | "cancelled";
  /** The account as confirmed; present if `done`. */
  readonly target?: ConfirmedTarget;
  /** Part of the change could not be sent yet (the manager has no account): the person is planned again. */
  readonly referencePending: boolean;
  readonly httpStatus?: number | undefined;
  readonly requestId?: string | undefined;
  /** Why it failed. If `done`: why a part of it was refused. If `cancelled`: why it was put back. */
  readonly error?: string | undefined;
  /** The target's own words about it, if there are any. */
  readonly words?: string | undefined;
  /** When the person is tried again: after a failure, or for the part that was refused. */
  readonly retry?: RetryRecord | undefined;
  /** The account is believed to be gone: the link is removed, and the person is matched again. */
  readonly unlink?: Dissolved;
  /** The account was not as the plan expected: the person stays marked until a plan finds nothing to do. */
  readonly again?: boolean;
  /** The write may have been applied: keep the intent, so that the next cycle looks it up. */
  readonly unknown?: boolean;
  /** Accounts that the write may have changed beyond its purpose; marked in the same commit. */
  readonly readAgain?: readonly ReadAgain[];
  readonly finishedAt: number;
}
