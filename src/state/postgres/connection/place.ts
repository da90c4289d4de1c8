/** The place of a job's state. */
export interface PostgresPlace {
  /** `postgres://…`; TLS is as it says. */
  readonly url: string;
  /** The job whose rows these are. */
  readonly job: string;
  /** Gives the password of each new connection, if the URL has none. */
  readonly password?: () => Promise<string>;
  /** Of lower-case letters, digits and underscores. Default `azure_lattice_sync`. */
  readonly schema?: string;
  /** How long a database that cannot be reached while it is in use is waited for, milliseconds. Default 30 seconds. */
  readonly waitMs?: number;
}
