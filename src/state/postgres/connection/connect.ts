import type { Pool, PoolClient, PoolConfig } from "pg";
import { StateError } from "../../../domain/errors.ts";
import { migrate, schemaState } from "../schema/migrate.ts";
import { copyJob } from "../schema/scratch-copy.ts";
import { checkRights, checkServer } from "./check.ts";
import { type Database, databaseOf } from "./database.ts";
import { type DatabaseInWords, databaseInWords, stateError } from "./errors.ts";
import type { PostgresPlace } from "./place.ts";
import { valueTypes } from "./types.ts";

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
/** Only the tables of the session itself: of a copy nothing can be written to the real ones, even if the session is replaced. */
const ownTables = "pg_temp";

/**
 * Opens the database, and makes or migrates the tables and the row of the job.
 * @throws StateError
 */
export async function connect(place: PostgresPlace): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: schema }, async (pool, words) =>
      withClient(pool, async (client) => {
        await checkServer(client, words, { path: schema, writing: true });
        await migrate(client, schema, words);
        return jobId(client, place.job, words);
      }),
    ),
  );
}

/**
 * Opens the database to read from alone; `null` if there is nothing of the job yet. Tables of an older version are read as a migrated
 * copy.
 * @throws StateError
 */
export async function connectToRead(place: PostgresPlace): Promise<Connected | null> {
  const schema = schemaOf(place);
  let outdated = false;
  const found = await opened(place, { path: schema, readOnly: true }, async (pool, words) =>
    withClient(pool, async (client) => {
      await checkServer(client, words, { path: schema, writing: false });
      const state = await schemaState(client, schema, words);
      outdated = state === "outdated";
      return state === "current" ? findJob(client, place.job) : null;
    }),
  );
  return outdated ? connectToCopy(place) : found;
}

/**
 * Tells whether the state can be kept there, and changes nothing.
 * @throws StateError
 */
export async function proveWritable(place: PostgresPlace): Promise<void> {
  const schema = schemaOf(place);
  await opened(place, { path: schema }, async (pool, words) =>
    withClient(pool, async (client) => {
      await checkServer(client, words, { path: schema, writing: true });
      await checkRights(client, words, schema);
      await schemaState(client, schema, words);
      return null;
    }),
  );
}

/**
 * A private copy of the job's rows that vanishes when it is closed: what a dry run plans on. It is of one moment, and locks nothing.
 * @throws StateError
 */
export async function connectToCopy(place: PostgresPlace): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: ownTables, single: true }, async (pool, words) =>
      withClient(pool, async (client) => {
        await checkServer(client, words, { path: ownTables, writing: true });
        return copyJob(client, { schema, job: place.job }, words);
      }),
    ),
  );
}

/** @param prepare answers the number of the job; `null` if there is nothing to open */
async function opened(
  { url, password, waitMs = defaultWaitMs }: PostgresPlace,
  settings: Settings,
  prepare: (pool: Pool, words: DatabaseInWords) => Promise<number | null>,
): Promise<Connected | null> {
  const words = databaseInWords(new URL(url));
  // Loaded when it is used: with SQLite nothing of it is.
  const [{ default: pg }, { parseIntoClientConfig }] = await Promise.all([
    import("pg"),
    import("pg-connection-string"),
  ]);
  const server = parseIntoClientConfig(withKnownTls(url));
  const pool: Pool = new pg.Pool({
    ...server,
    ...(password === undefined ? {} : { password }),
    ...poolConfig(settings),
  });
  // A connection that breaks is replaced when the next one is needed; a statement that uses it fails.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    const job = await prepare(pool, words);
    if (job !== null) {
      return { db: databaseOf(pool, job, words, waitMs), close: () => pool.end() };
    }
  } catch (error) {
    await pool.end();
    throw stateError(words, error);
  }
  await pool.end();
  return null;
}

function present(connected: Connected | null): Connected {
  if (connected === null) throw new Error("the database has no job");
  return connected;
}

interface Settings {
  /** The schema of the tables: statements name none. */
  readonly path: string;
  readonly readOnly?: true;
  /** One connection, for as long as it is open. */
  readonly single?: true;
}

/**
 * The URL with `verify-full` in the place of other modes that ask for TLS: that is what the driver does for these as well, with a
 * warning.
 */
function withKnownTls(url: string): string {
  const known = new URL(url);
  const mode = known.searchParams.get("sslmode");
  if (mode === "prefer" || mode === "require" || mode === "verify-ca") {
    known.searchParams.set("sslmode", "verify-full");
  }
  return known.href;
}

function poolConfig({ path, readOnly, single }: Settings): PoolConfig {
  // To compile a statement takes longer than to run most of these.
  const options = [`-c search_path=${path}`, "-c jit=off"];
  if (readOnly) options.push("-c default_transaction_read_only=on");
  return {
    application_name: "azure-lattice-sync",
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    types: valueTypes,
    options: options.join(" "),
    ...(single ? { max: 1, idleTimeoutMillis: 0 } : { max: mostConnections }),
  };
}

function schemaOf({ schema = defaultSchema }: PostgresPlace): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(schema)) throw new Error(`${schema} is not the name of a schema`);
  return schema;
}

async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await use(client);
  } finally {
    client.release();
  }
}

async function findJob(client: PoolClient, name: string): Promise<number | null> {
  return (
    (await client.query<{ id: number }>("SELECT id FROM job WHERE name = $1", [name])).rows[0]?.id ?? null
  );
}

/** @returns the number of the job of that name, which is made if it is new */
async function jobId(client: PoolClient, name: string, words: DatabaseInWords): Promise<number> {
  // Two programs may make a job at the same time, or two jobs.
  const make =
    "INSERT INTO job (id, name) SELECT coalesce(max(id), 0) + 1, $1 FROM job ON CONFLICT DO NOTHING";
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const id = await findJob(client, name);
    if (id !== null) return id;
    await client.query(make, [name]);
  }
  throw new StateError(`the job ${name} could not be added to ${words.name}: run again`);
}
