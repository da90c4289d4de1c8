/** Who writes. A commit of a run that does not hold the lease any more is refused. */
export type Fence =
  | {
      /** As it was acquired: another for each run. */
      readonly owner: string;
    }
  /** The state is this run's own copy: nobody else writes to it. */
  | "private";
