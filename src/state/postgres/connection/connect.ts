import type { Pool, PoolClient, PoolConfig } from "pg";
import { StateError } from "../../../domain/errors.ts";
import { migrate } from "../schema/migrate.ts";
import { type Database, databaseOf } from "./database.ts";
import { databaseInWords, stateError } from "./errors.ts";
import { valueTypes } from "./types.ts";

/** Where the state of a job is. */
export interface PostgresPlace {
  /** `postgres://…`; TLS is as it says. */
  readonly url: string;
  /** The job whose rows these are. */
  readonly job: string;
  /** Of lower-case letters, digits and underscores. Default `azure_lattice_sync`. */
  readonly schema?: string;
  /** How long a database that cannot be reached while it is in use is waited for, milliseconds. Default 30 seconds. */
  readonly waitMs?: number;
}

/** An open database. */
export interface Connected {
  readonly db: Database;
  close(): Promise<void>;
}

const defaultSchema = "azure_lattice_sync";
/** A cycle uses one or two at a time, the dashboard and notifications the others. */
const mostConnections = 5;
const connectTimeoutMs = 10_000;
const queryTimeoutMs = 120_000;
/** A server restarts within seconds; another one takes over within about half a minute. */
const defaultWaitMs = 30_000;

/**
 * Opens the database, and makes or migrates the tables and the row of the job.
 * @throws StateError
 */
export async function connect({
  url,
  job,
  schema = defaultSchema,
  waitMs = defaultWaitMs,
}: PostgresPlace): Promise<Connected> {
  if (!/^[a-z_][a-z0-9_]*$/.test(schema)) throw new Error(`${schema} is not the name of a schema`);
  // Loaded when it is used: with SQLite nothing of it is.
  const { default: pg } = await import("pg");
  const pool: Pool = new pg.Pool({ ...settings(url, schema), max: mostConnections });
  // A connection that breaks is replaced when the next one is needed; whoever uses it gets an error of the statement.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const words = databaseInWords(new URL(url));
  try {
    const client = await pool.connect();
    try {
      await migrate(client, schema);
      const db = databaseOf(pool, await jobId(client, job), words, { waitMs });
      return { db, close: () => pool.end() };
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw stateError(words, error);
  }
}

function settings(url: string, schema: string): PoolConfig {
  return {
    connectionString: url,
    application_name: "azure-lattice-sync",
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    types: valueTypes,
    // Statements name no schema. To compile a statement takes longer than to run most of these.
    options: `-c search_path=${schema} -c jit=off`,
  };
}

/** @returns the number of the job of that name, which is made if it is new */
async function jobId(client: PoolClient, name: string): Promise<number> {
  const find = "SELECT id FROM job WHERE name = $1";
  // Two programs may make a job at the same time, or two jobs.
  const make = `INSERT INTO job (id, name) SELECT coalesce(max(id), 0) + 1, $1 FROM job ON CONFLICT DO NOTHING`;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const found = (await client.query<{ id: number }>(find, [name])).rows[0];
    if (found !== undefined) return found.id;
    await client.query(make, [name]);
  }
  throw new StateError(`the job ${name} could not be added to the state database`);
}
