import type { Pool, PoolClient } from "pg";
import { StateError, UsageError } from "../../../domain/errors.ts";
import { migrate, schemaState } from "../schema/migrate.ts";
import { copyJob } from "../schema/scratch-copy.ts";
import { checkRights, checkServer, prepareToWrite } from "./check.ts";
import { type CommitMarks, createCommitMarks, pruneMarks, refuseOlderServer } from "./commit-marks.ts";
import { closerOf, withClient } from "./connections.ts";
import { type Database, databaseOf, type Use } from "./database.ts";
import { type DatabaseInWords, databaseInWords, stateError } from "./errors.ts";
import { defaultLimits, type PostgresPlace } from "./place.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** An open database. */
export interface Connected {
  readonly db: Database;
  close(): Promise<void>;
}

const defaultSchema = "azure_lattice_sync";
/** A server restarts within seconds; another one takes over within about half a minute. */
const defaultWaitMs = 30_000;
const tokenNeedsTls =
  "state.signIn: entra sends a token, which must not travel unencrypted: add ?sslmode=verify-full to state.url";
/** Only the tables of the session itself: of a copy nothing can be written to the real ones, even if the session is replaced. */
const ownTables = "pg_temp";

/**
 * Opens the database, and makes or migrates the tables and the row of the job.
 * @throws StateError
 */
export async function connect(place: PostgresPlace): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: schema, tables: "shared" }, async (pool, words) =>
      withClient(pool, async (client) => {
        await checkServer(client, words, { path: schema, writing: true });
        await migrate(client, schema, words);
        const job = await jobId(client, place.job, words);
        await pruneMarks(client, job);
        return job;
      }),
    ),
  );
}

/** The job of a connection that is for all jobs. */
const noJob = 0;

/**
 * Opens what is not of one job, and makes or migrates the tables.
 * @throws StateError
 */
export async function connectToAll(place: Omit<PostgresPlace, "job">): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: schema, tables: "shared" }, async (pool, words) =>
      withClient(pool, async (client) => {
        await checkServer(client, words, { path: schema, writing: true });
        await migrate(client, schema, words);
        await pruneMarks(client, noJob);
        return noJob;
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
  const found = await opened(place, { path: schema, tables: "read" }, async (pool, words) =>
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
 * @returns what is not as it should be, and does not keep a sync from running
 * @throws StateError
 */
export async function proveWritable(place: PostgresPlace): Promise<string[]> {
  const schema = schemaOf(place);
  let doubts: string[] = [];
  await opened(place, { path: schema, tables: "shared" }, async (pool, words) =>
    withClient(pool, async (client) => {
      await checkServer(client, words, { path: schema, writing: true });
      const state = await schemaState(client, schema, words);
      doubts = await checkRights(client, words, { schema, outdated: state === "outdated" });
      return null;
    }),
  );
  return doubts;
}

/**
 * A private copy of the job's rows that vanishes when it is closed: what a dry run plans on. It is of one moment, and locks nothing.
 * @throws StateError
 */
export async function connectToCopy(place: PostgresPlace): Promise<Connected> {
  const schema = schemaOf(place);
  return present(
    await opened(place, { path: ownTables, tables: "copy" }, async (pool, words) =>
      withClient(pool, async (client) => {
        await checkServer(client, words, { path: ownTables, writing: true });
        return copyJob(client, { schema, job: place.job }, words);
      }),
    ),
  );
}

/** @param prepare answers the number of the job; `null` if there is nothing to open */
async function opened(
  { url, password, waitMs = defaultWaitMs, limits }: Omit<PostgresPlace, "job">,
  settings: Settings,
  prepare: (pool: Pool, words: DatabaseInWords) => Promise<number | null>,
): Promise<Connected | null> {
  const words = databaseInWords(new URL(url));
  // Loaded when it is used: with SQLite nothing of it is.
  const [{ default: pg }, { serverOf }] = await Promise.all([import("pg"), import("./server.ts")]);
  const { config, verified } = serverOf(url);
  if (password !== undefined && !verified) throw new UsageError(tokenNeedsTls);
  const marks = createCommitMarks();
  let job: number | null = null;
  const pool: Pool = new pg.Pool({
    ...config,
    ...(password === undefined ? {} : { password }),
    ...settingsOf(settings, { ...defaultLimits, ...limits }),
    verify: (client, done) => {
      const checked = settings.tables === "shared" ? check(client, job, marks, words) : Promise.resolve();
      checked.then(() => done(), done);
    },
  });
  const close = closerOf(pool);
  const use: Use = { waitMs, tables: settings.tables };
  try {
    job = await prepare(pool, words);
    if (job !== null) {
      return { db: databaseOf(pool, job, marks, words, use), close };
    }
  } catch (error) {
    await close();
    throw stateError(words, error);
  }
  await close();
  return null;
}

/** @param job `null`: it is not known yet, and the server is checked more closely */
async function check(
  client: PoolClient,
  job: number | null,
  marks: CommitMarks,
  words: DatabaseInWords,
): Promise<void> {
  const expected = marks.expected();
  const writes = await prepareToWrite(client);
  if (job === null) return;
  // A connection that is made later may lead to another server. One that is about to become the primary one is waited for.
  if (!writes) throw Object.assign(new Error("the server is a replica"), { code: "25006" });
  await refuseOlderServer(client, job, expected, words);
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
