import type { LoggedOperation, OperationStatus } from "../operation.ts";
import type { Action, Change, Evidence } from "../plan.ts";
import type { Weight } from "../weight.ts";
import type { RetryRecord } from "./retry.ts";

/** A planned change of the userName of an existing account. */
export interface PlannedRename {
  readonly operationId: number;
  readonly action: Action;
  readonly wave: number;
  readonly from: string;
  readonly to: string;
}

/** A planned operation with what the guard counts of it. */
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
  /** What it was to change. */
  readonly changes: readonly Change[];
  readonly evidence: Evidence | null;
  /** The cycle that planned it. */
  readonly cycleId: number;
  /** What is recorded of it. */
  readonly status: OperationStatus;
}

/** The plan of a cycle: operations in the order in which they are sent. */
export interface PlanLog {
  /** Operations in the order they are to be sent: by wave, then by id. */
  operations(
    cycleId: number,
    query: {
      status?: OperationStatus;
      action?: Action | undefined;
      /** None of these actions. */
      without?: readonly Action[];
      /** Only people who did not fail before. */
      firstAttempts?: boolean;
      /** Only operations that concern drift, those included that are reported alone; else none of the latter. */
      drift?: boolean;
      afterWave: number;
      afterId: number;
      limit: number;
    },
  ): Promise<readonly LoggedOperation[]>;
  /** What the cycle plans, or planned; `adoptions`: operations that adopt an account. */
  countOperations(
    cycleId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly adoptions: number }>;
  /** The newest operation of the log; 0 where there is none. */
  newestOperation(): Promise<number>;
  /** Operations of the cycle after this one, and how many of their people had none in the cycle up to it. */
  countLater(
    cycleId: number,
    afterId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly newPeople: number }>;
  /** Ids of what the cycle plans, or only reports, for these people. */
  unsentOf(cycleId: number, objectIds: readonly string[]): Promise<readonly number[]>;
  /**
   * What the order of sending rests on, in the order of the operations' ids: operations of the cycle, whatever their status, that
   * have one of these actions (`giving`), adopt an account or point to another person (`NewOperation.refersTo`). For each the position in this list of
   * the operation of the person it points to, if that one has such an action or adopts (of several, any); -1 where there is none; and the wave that it has.
   */
  referenceDependencies(
    cycleId: number,
    giving: readonly Action[],
  ): Promise<{
    readonly operationIds: Float64Array;
    readonly managerIndexes: Int32Array;
    readonly waves: Uint32Array;
  }>;
  /** Changes of userNames that the cycle plans for existing accounts. */
  plannedRenames(cycleId: number): Promise<readonly PlannedRename[]>;
  /**
   * Planned operations that point to a person who has no account, or only a missing one, or is one of these (`without`), and of whom the cycle
   * has no operation with one of these actions (`giving`) nor one that adopts an account. A page of those with an id above
   * `after`, in the order of the ids, as large as suits the store; an empty one where there are no more.
   */
  unpromisedReferences(
    cycleId: number,
    after: number,
    which: { readonly without: readonly string[]; readonly giving: readonly Action[] },
  ): Promise<readonly WeighedOperation[]>;
}

/** Writes in doubt, what is held, and who is on the retry schedule. */
export interface Unfinished {
  /** Intents left by a run that died. */
  openIntents(): Promise<readonly Intent[]>;
  /** Those of these people of whom the cycle holds an operation. */
  heldAmong(cycleId: number, objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** What is known of a person's failures; `null` for somebody who is not on the retry schedule. */
  retryOf(objectId: string): Promise<RetryRecord | null>;
  /** Those of these people who are on the retry schedule, by object id. */
  retriesAmong(objectIds: readonly string[]): Promise<ReadonlyMap<string, RetryRecord>>;
  /** People on the retry schedule whose last failure is later than `time` (milliseconds since the epoch), in pages by object id. */
  failedAfter(time: number, after: string, limit: number): Promise<readonly RetryRecord[]>;
  /** People on the retry schedule, the next first. */
  retries(limit: number): Promise<readonly (RetryRecord & { readonly userName: string | null })[]>;
}
