import type { CycleRecord } from "./cycles.ts";
import type { Fence } from "./fence.ts";

/** A cycle's part of the log. */
export interface LogOfCycle {
  /** The number of operations. */
  readonly operations: number;
  /** `true` if one of them was done since the given time and has a weight. */
  readonly weighed: boolean;
  /** `true` if one of them has an open intent. */
  readonly inDoubt: boolean;
}

/** The age and size of the log. */
export interface Retention {
  /** The oldest cycles, in pages by id. */
  oldestCycles(
    after: number,
    limit: number,
  ): Promise<readonly Pick<CycleRecord, "id" | "startedAt" | "finishedAt">[]>;
  /** The log of each of these cycles, by id. @param since milliseconds since the epoch, this moment included */
  logOf(cycleIds: readonly number[], since: number): Promise<ReadonlyMap<number, LogOfCycle>>;
  /** How many operations the log has beyond `most`; 0 if it has no more. */
  surplusOperations(most: number): Promise<number>;
  /**
   * Applies the store's setting of kept values to ended operations that were written under a setting that keeps more. The event
   * loop runs in between.
   * @throws LeaseHeldError if the run that the fence names no longer holds the lease
   */
  replaceOlderValues(fence: Fence): Promise<void>;
}
