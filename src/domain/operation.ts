import type { Operation } from "./plan.ts";
import type { ConfirmedTarget, Dissolved, ReadAgain } from "./state/account.ts";
import type { RetryRecord } from "./state/retry.ts";

/** `reported`: drift that is not corrected. */
export type OperationStatus = "reported" | "planned" | "held" | "sending" | "done" | "failed" | "cancelled";

/** An operation as it stands in the provisioning log. */
export interface LoggedOperation extends Operation {
  readonly id: number;
  readonly cycleId: number;
  readonly wave: number;
  readonly status: OperationStatus;
  readonly error: string | null;
  /** The person failed before; which try it is. */
  readonly attempt?: number;
}

export interface OperationOutcome {
  readonly operationId: number;
  readonly objectId: string;
  readonly status: "done" | "failed" | "cancelled";
  /** The account as confirmed; present where `done`. */
  readonly target?: ConfirmedTarget;
  /** A change that could not be sent yet (the manager has no account): the person is looked at again. */
  readonly referencePending: boolean;
  readonly httpStatus?: number | undefined;
  readonly requestId?: string | undefined;
  /** Why it failed; where `done`, why a part of it was refused; where `cancelled`, why it was put back. */
  readonly error?: string | undefined;
  /** What the target itself said of it, where it said something. */
  readonly words?: string | undefined;
  /** When the person is tried again: after a failure, or for the part that was refused. */
  readonly retry?: RetryRecord | undefined;
  /** The account is believed to be gone: the link is dissolved and the person matched anew. */
  readonly unlink?: Dissolved;
  /** The account was not as the plan knew it: the person stays marked, until a plan finds nothing to do. */
  readonly again?: boolean;
  /** The write may have been applied: keep the intent, so that the next cycle looks it up. */
  readonly unknown?: boolean;
  /** What the write may have changed beside what it was to change; marked in the same commit. */
  readonly readAgain?: readonly ReadAgain[];
  readonly finishedAt: number;
}
