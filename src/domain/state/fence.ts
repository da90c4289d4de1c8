/** The run that writes. A commit of a run that no longer holds the lease is refused. */
export type Fence =
  | {
      /** The owner of the lease; each run has its own. */
      readonly owner: string;
    }
  /** The state is this run's own copy: no other run writes to it. */
  | "private";
