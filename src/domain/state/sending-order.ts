import type { Action } from "../plan.ts";

/** A planned change of the userName of an existing account. */
export interface PlannedRename {
  readonly operationId: number;
  readonly wave: number;
  readonly from: string;
  readonly to: string;
}

/** A planned create of which another account has, or had, the userName. */
export interface PlannedCreate {
  readonly operationId: number;
  readonly wave: number;
  /** The person's mapped userName in lower case. */
  readonly userNameKey: string;
}

/** The facts on which the order of sending rests. */
export interface SendingOrder {
  /**
   * In the order of the operations' ids: the operations of the cycle that have one of
   * these actions (`giving`), adopt an account or point to another person (`NewOperation.refersTo`), whatever their status.
   * `managerIndexes`: the position in this list of the operation of the person it points to, if that one is in `giving` or
   * adopts; -1 if there is none. `waves`: the wave that it has. In numbers alone: a first run has as many operations as the
   * company has people.
   */
  referenceDependencies(
    cycleId: number,
    giving: readonly Action[],
  ): Promise<{
    readonly operationIds: Float64Array;
    readonly managerIndexes: Int32Array;
    readonly waves: Uint32Array;
  }>;
  /**
   * Changes of the attribute `userName` from one text to another in operations of the cycle that are `planned` and not of
   * the action `create`, in the order of the operations' ids.
   */
  plannedRenames(cycleId: number): Promise<readonly PlannedRename[]>;
  /**
   * Operations of the cycle that are `planned` and create accounts with these userNames, in the order of the operations' ids.
   * @param userNameKeys mapped userNames in lower case
   */
  plannedCreates(cycleId: number, userNameKeys: readonly string[]): Promise<readonly PlannedCreate[]>;
}
