import type { CycleRecord } from "./cycles.ts";
import type { Fence } from "./fence.ts";

/** What the log has of a cycle. */
export interface LogOfCycle {
  /** How many operations. */
  readonly operations: number;
  /** Whether one of them was done since the asked time, and weighs something. */
  readonly weighed: boolean;
  /** Whether an open intent is about one of them. */
  readonly inDoubt: boolean;
}

/** How old and how large the log is. */
export interface Retention {
  /** The oldest cycles, in pages by id. */
  oldestCycles(
    after: number,
    limit: number,
  ): Promise<readonly Pick<CycleRecord, "id" | "startedAt" | "finishedAt">[]>;
  /** What the log has of each of these cycles, by id. @param since milliseconds since the epoch, this moment included */
  logOf(cycleIds: readonly number[], since: number): Promise<ReadonlyMap<number, LogOfCycle>>;
  /** How many operations the log has beyond `most`; 0 if it has no more. */
  surplusOperations(most: number): Promise<number>;
  /**
   * Brings values of operations that have ended under the store's setting of what the log keeps, where they were written under one that keeps
   * more. The event loop runs in between.
   * @throws LeaseHeldError where the run that the fence names does not hold the lease any more
   */
  replaceOlderValues(fence: Fence): Promise<void>;
}
