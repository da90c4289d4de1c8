import type { PoolClient } from "pg";
import { StateError } from "../../../domain/errors.ts";
import { migrate, schemaState } from "../schema/migrate.ts";
import { copyJob } from "../schema/scratch-copy.ts";
import { checkRights, checkServer } from "./check.ts";
import { pruneMarks } from "./commit-marks.ts";
import { type Database, databaseOf, type UseConnection } from "./database.ts";
import { type DatabaseInWords, isLost, stateError } from "./errors.ts";
import { defaultLimits, type PostgresPlace } from "./place.ts";
import type { Settings } from "./settings.ts";
import { type PoolPart, takePart } from "./shared-pool.ts";

/** An open database. */
export interface Connected {
  readonly db: Database;
  /** The same rows, by the connection that is kept for leases. */
  readonly lease: Database;
  close(): Promise<void>;
}

const defaultSchema = "azure_lattice_sync";
/** A server restarts within seconds; another one takes over within about half a minute. */
const defaultWaitMs = 30_000;
/** The tables of the session alone: a dry run on a copy cannot write to the real tables, even if its connection is replaced. */
const ownTables = "pg_temp";

/**
 * Opens the database, and makes or migrates the tables and the row of the job.
 * @throws StateError
 */
export async function connect(place: PostgresPlace): Promise<Connected> {
  return connectToRows(place, (client, words) => jobId(client, place.job, words));
}

/** The job of a connection that is for all jobs. */
const noJob = 0;

/**
 * Opens the rows that belong to no single job, and makes or migrates the tables.
 * @throws StateError
 */
export async function connectToAll(place: Omit<PostgresPlace, "job">): Promise<Connected> {
  // The caller may give the place of a job.
  return connectToRows({ ...place, job: undefined }, async () => noJob);
}

async function connectToRows(
  place: Omit<PostgresPlace, "job"> & { readonly job?: string | undefined },
  numberOf: (client: PoolClient, words: DatabaseInWords) => Promise<number>,
): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: schema, tables: "shared" }, async ({ words, use, once }) => {
      await once(async (client) => {
        await checkServer(client, words, { path: schema, writing: true });
        await migrate(client, schema, words);
      });
      return use(async (client) => {
        const job = await numberOf(client, words);
        await pruneMarks(client, job);
        return job;
      });
    }),
  );
}

/**
 * Opens the database only to read; `null` if there is nothing of the job yet. Tables of an older version are read as a migrated
 * copy.
 * @throws StateError
 */
export async function connectToRead(place: PostgresPlace): Promise<Connected | null> {
  const schema = schemaOf(place);
  let outdated = false;
  const found = await opened(place, { path: schema, tables: "read" }, async ({ words, use }) =>
    use(async (client) => {
      await checkServer(client, words, { path: schema, writing: false });
      const state = await schemaState(client, schema, words);
      outdated = state === "outdated";
      return state === "current" ? findJob(client, place.job) : null;
    }),
  );
  return outdated ? connectToCopy(place) : found;
}

/**
 * Opens the rows that belong to no single job, only to read; `null` if the tables are not there, or are of an older version.
 * @throws StateError
 */
export async function connectToReadAll(place: Omit<PostgresPlace, "job">): Promise<Connected | null> {
  const schema = schemaOf(place);
  const alone = { ...place, job: undefined };
  return opened(alone, { path: schema, tables: "read" }, async ({ words, use }) =>
    use(async (client) => {
      await checkServer(client, words, { path: schema, writing: false });
      return (await schemaState(client, schema, words)) === "current" ? noJob : null;
    }),
  );
}

/**
 * Checks whether the state can be kept there, and changes nothing.
 * @returns faults with which a sync still runs
 * @throws StateError
 */
export async function proveWritable(place: PostgresPlace): Promise<string[]> {
  const schema = schemaOf(place);
  let doubts: string[] = [];
  await opened(place, { path: schema, tables: "shared" }, async ({ words, use }) =>
    use(async (client) => {
      await checkServer(client, words, { path: schema, writing: true });
      const state = await schemaState(client, schema, words);
      doubts = await checkRights(client, words, { schema, outdated: state === "outdated" });
      return null;
    }),
  );
  return doubts;
}

/**
 * A private copy of the job's rows, for a dry run to plan on. It is of one moment, locks nothing, and vanishes when it is closed.
 * @throws StateError
 */
export async function connectToCopy(place: PostgresPlace): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: ownTables, tables: "copy" }, async ({ words, use }) =>
      use(async (client) => {
        await checkServer(client, words, { path: ownTables, writing: true });
        return copyJob(client, { schema, job: place.job }, words);
      }),
    ),
  );
}

/** @param prepare returns the number of the job; `null` if there is nothing to open */
async function opened(
  place: Omit<PostgresPlace, "job"> & { readonly job?: string | undefined },
  settings: Settings,
  prepare: (part: PoolPart) => Promise<number | null>,
): Promise<Connected | null> {
  const { waitMs = defaultWaitMs, limits, job: who = "" } = place;
  const part = await takePart(place, settings, who);
  const { words, use, useForLease, marks, close } = part;
  try {
    const job = await prepare(part).catch((error: unknown) => {
      // The connection may have broken since another job used it. The second attempt gets a new one.
      if (!isLost(error)) throw error;
      return prepare(part);
    });
    if (job !== null) {
      const { lockMs } = { ...defaultLimits, ...limits };
      const rows = (how: UseConnection, wait: number): Database =>
        databaseOf(how, job, marks, words, { waitMs: wait, tables: settings.tables });
      // A commit of the same run may lock the row of the lease. A statement of this connection waits only briefly for a lock, so it is repeated
      // for as long as other connections would wait.
      return { db: rows(use, waitMs), lease: rows(useForLease, waitMs + lockMs), close };
    }
  } catch (error) {
    await close();
    throw stateError(words, error);
  }
  await close();
  return null;
}

function present(connected: Connected | null): Connected {
  if (connected === null) throw new Error("the database has no job");
  return connected;
}

function schemaOf({ schema = defaultSchema }: Pick<PostgresPlace, "schema">): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(schema)) throw new Error(`${schema} is not the name of a schema`);
  return schema;
}

async function findJob(client: PoolClient, name: string): Promise<number | null> {
  return (
    (await client.query<{ id: number }>("SELECT id FROM job WHERE name = $1", [name])).rows[0]?.id ?? null
  );
}

/** @returns the number of the job of that name, which is made if it is new */
async function jobId(client: PoolClient, name: string, words: DatabaseInWords): Promise<number> {
  // Two programs may add the same job at the same time, or two jobs with the same number.
  const make =
    "INSERT INTO job (id, name) SELECT coalesce(max(id), 0) + 1, $1 FROM job ON CONFLICT DO NOTHING";
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const id = await findJob(client, name);
    if (id !== null) return id;
    await client.query(make, [name]);
  }
  throw new StateError(`the job ${name} could not be added to ${words.name}: run again`);
}
