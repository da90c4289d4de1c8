/** An account that another job knows. */
export interface AccountElsewhere {
  /** The name of that job. */
  readonly job: string;
  readonly latticeId: string;
  /** It is linked to a person there. */
  readonly linked: boolean;
}

/** The other jobs of a store: one that holds several of them can be asked whether two write to the same Lattice company. */
export interface OtherJobs {
  /**
   * A few accounts of each of these jobs that are not missing, linked ones among them if there are any; and of each job that a living daemon
   * runs by another configuration. Empty if the store has no other job.
   * @param query `among`: names of jobs; `except`: names of jobs that are left out
   */
  accountsElsewhere(query: {
    readonly among: readonly string[];
    readonly except: readonly string[];
  }): Promise<readonly AccountElsewhere[]>;
}
