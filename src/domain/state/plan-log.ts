import type { LoggedOperation, OperationStatus } from "../operation.ts";
import type { Action, Change, Evidence } from "../plan.ts";
import type { Weight } from "../weight.ts";
import type { RetryRecord } from "./retry.ts";

/** A planned operation with its weights for the guard. */
export interface WeighedOperation extends LoggedOperation {
  readonly weights: readonly Weight[];
}

/** A write that was begun and never confirmed. */
export interface Intent {
  readonly objectId: string;
  readonly operationId: number;
  readonly action: Action;
  readonly userName: string;
  readonly latticeId: string | null;
  /** The changes that it was to make. */
  readonly changes: readonly Change[];
  readonly evidence: Evidence | null;
  /** The cycle that planned it. */
  readonly cycleId: number;
  /** The status of its operation in the log. */
  readonly status: OperationStatus;
}

/** The plan of a cycle: operations in the order in which they are sent. */
export interface PlanLog {
  /**
   * Operations of the cycle in the order of sending: those with (wave, id) after (`afterWave`, `afterId`), at most `limit`.
   * Those that are `reported` are among them only with `drift`.
   */
  operations(
    cycleId: number,
    query: {
      status?: OperationStatus;
      action?: Action | undefined;
      /** Without these actions. */
      without?: readonly Action[];
      /** Only operations with attempt 1. */
      firstAttempts?: boolean;
      /** Only operations that concern drift, the reported ones included. */
      drift?: boolean;
      afterWave: number;
      afterId: number;
      limit: number;
    },
  ): Promise<readonly LoggedOperation[]>;
  /** Operations of the cycle that are not `reported`: how many of each action, and how many adopt an account. */
  countOperations(
    cycleId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly adoptions: number }>;
  /**
   * The highest id of an operation of the log; 0 if there is none. An operation that is added gets an id above those of all
   * that the log has.
   */
  newestOperation(): Promise<number>;
  /**
   * Operations of the cycle with an id above `afterId` that are not `reported`: how many of each action, and how many people
   * have such an operation and none of the cycle up to `afterId`.
   */
  countLater(
    cycleId: number,
    afterId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly newPeople: number }>;
  /** Ids of operations of the cycle for these people that are `planned` or `reported`. */
  unsentOf(cycleId: number, objectIds: readonly string[]): Promise<readonly number[]>;
  /**
   * Operations of the cycle that are `planned` and point to a person who gets no account: one of `without`, or one without a
   * linked account that is not missing; unless the cycle has an operation for that person that is in `giving` or adopts an
   * account. A page of those with an id above `after`, in the order of the ids, as large as suits the store; an empty one if
   * there are no more.
   */
  unpromisedReferences(
    cycleId: number,
    after: number,
    which: { readonly without: readonly string[]; readonly giving: readonly Action[] },
  ): Promise<readonly WeighedOperation[]>;
}

/** Unconfirmed writes, held operations, and people on the retry schedule. */
export interface Unfinished {
  /**
   * Writes that were begun and have not ended, in the order of the object ids. If the log has no row of the operation any
   * more, `changes` is empty, `cycleId` is 0 and `status` is `cancelled`.
   */
  openIntents(): Promise<readonly Intent[]>;
  /** Those of these people of whom the cycle has an operation with the status `held`. */
  heldAmong(cycleId: number, objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** A person's failures; `null` for a person who is not on the retry schedule. */
  retryOf(objectId: string): Promise<RetryRecord | null>;
  /** Those of these people who are on the retry schedule, by object id. */
  retriesAmong(objectIds: readonly string[]): Promise<ReadonlyMap<string, RetryRecord>>;
  /** People on the retry schedule whose last failure is later than `time`, in pages by object id. */
  failedAfter(time: number, after: string, limit: number): Promise<readonly RetryRecord[]>;
  /**
   * At most `limit` people on the retry schedule: the next first; of equal times, by object id. `userName`: the user
   * principal name.
   */
  retries(limit: number): Promise<readonly (RetryRecord & { readonly userName: string | null })[]>;
}
