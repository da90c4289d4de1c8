/** The place of a job's state. */
export interface PostgresPlace {
  /** `postgres://…`; its parameters decide about TLS. */
  readonly url: string;
  /** The job whose rows these are. */
  readonly job: string;
  /** Gives the password of each new connection, if the URL has none. */
  readonly password?: () => Promise<string>;
  /** Names the credential that gives the password: jobs with the same one share connections. */
  readonly signsInAs?: () => string;
  /** Of lower-case letters, digits and underscores. Default `azure_lattice_sync`. */
  readonly schema?: string;
  /** Most connections of this process at a time, for all jobs that share them; 2 or more. Default 10. The value of the job opened last counts. */
  readonly connections?: number;
  /** How long a database that cannot be reached while it is in use is waited for, milliseconds. Default 30 seconds. */
  readonly waitMs?: number;
  /** After how long a server that does not answer is given up. */
  readonly limits?: Partial<Limits>;
  /** Aborts when the process is to end: a server that does not answer is given up within seconds then. */
  readonly ends?: AbortSignal;
}

/** How long the server may take, milliseconds. */
export interface Limits {
  /** For a new connection. */
  readonly connectMs: number;
  /** For a statement, before the server ends it. COMMIT may take until `answerMs`, because it may wait for a replica. */
  readonly statementMs: number;
  /** For the answer, before the connection is given up. */
  readonly answerMs: number;
  /** For a lock that another transaction has. */
  readonly lockMs: number;
  /** Between two statements of a transaction, before the server ends it, and its locks with it: its client is gone, or stopped. */
  readonly idleInTransactionMs: number;
}

/**
 * A transaction whose client is gone keeps the row of the lease locked until the server ends the transaction (`idleInTransactionMs`). That must
 * be before the lease expires, and before a transaction that waits for the row gives up (`lockMs`).
 */
export const defaultLimits: Limits = {
  connectMs: 10_000,
  statementMs: 55_000,
  answerMs: 60_000,
  lockMs: 30_000,
  idleInTransactionMs: 20_000,
};

/** Two for each of four cycles, one for leases and one for the rest. */
export const defaultConnections = 10;

/** The schema of the queue by which daemons share jobs. It has a table `job` too, so it is not the one of the state. */
export const queueSchema = "azure_lattice_sync_queue";
