import type { ClientBase } from "pg";
import { StateError } from "../../../domain/errors.ts";
import type { DatabaseInWords } from "./errors.ts";
import { queueSchema } from "./place.ts";

interface Found {
  readonly path: string;
  readonly version: number;
  readonly encoding: string;
  readonly replica: boolean;
  readonly read_only: boolean;
}

const look = `SELECT current_setting('search_path') AS path, current_setting('server_version_num')::int AS version,
  current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS replica,
  current_setting('default_transaction_read_only')::boolean AS read_only`;

interface Rights {
  /** To make the tables, or to write those that are there. */
  readonly tables: boolean;
  /** To make temporary tables. */
  readonly temporary: boolean;
  /** To make, or to write, the queue by which daemons share jobs. */
  readonly queue: boolean;
  /** Another user who owns a table; `null` if there is none whose rights this user lacks. */
  readonly owner: string | null;
}

const rightsOf = `SELECT CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege($1, 'USAGE') AND has_schema_privilege($1, 'CREATE') AND NOT EXISTS
      (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
        AND NOT has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')) END AS tables,
  has_database_privilege(current_database(), 'TEMPORARY') AS temporary,
  CASE WHEN to_regnamespace($2) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege($2, 'USAGE') AND has_schema_privilege($2, 'CREATE') END AS queue,
  (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
    AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1) AS owner`;

/**
 * Refuses a user without the rights to make the tables, to change those of an older version, or to write to them.
 * @param outdated the tables are of an older version
 * @returns sentences about missing rights that a sync does not need
 * @throws StateError
 */
export async function checkRights(
  client: ClientBase,
  { name, user }: DatabaseInWords,
  { schema, outdated }: { readonly schema: string; readonly outdated: boolean },
): Promise<string[]> {
  const rights = (await client.query<Rights>(rightsOf, [schema, queueSchema])).rows[0];
  if (rights?.tables !== true) {
    throw new StateError(
      `the user ${user} may not make or write the tables in ${name}: make this user the owner of the schema ${schema}, or allow it to create one`,
    );
  }
  const { temporary, queue, owner } = rights;
  const notOwner = `the tables of the schema ${schema} belong to the user ${owner}: make ${user} their owner, because an owner alone can change them`;
  if (outdated && owner !== null) {
    throw new StateError(`${name} cannot be upgraded for this version, because ${notOwner}`);
  }
  return [
    ...(temporary
      ? []
      : [
          `a dry run is not possible, because the user ${user} may not make temporary tables: GRANT TEMPORARY ON DATABASE allows it`,
        ]),
    ...(queue
      ? []
      : [
          `a daemon cannot run, because the user ${user} may not make its queue of jobs: CREATE SCHEMA ${queueSchema} AUTHORIZATION ${user} allows it. Runs by hand or by a timer do not need it`,
        ]),
    ...(owner === null ? [] : [`a later version cannot upgrade the state, because ${notOwner}`]),
  ];
}

const prepare = `SELECT pg_is_in_recovery() AS replica,
  CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`;

/**
 * Prepares a connection that writes: a commit is answered when it is on the disk, even if the server is set not to wait for that.
 * @returns whether the server can write
 */
export async function prepareToWrite(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ replica: boolean }>(prepare);
  return rows[0]?.replica === false;
}

/** PostgreSQL 13, in its own counting. */
const oldestVersion = 130_000;

/**
 * Refuses a server that cannot keep the state.
 * @param wanted `path`: the search path that the connection asked for. `writing`: rows are going to be written
 * @throws StateError
 */
export async function checkServer(
  client: ClientBase,
  { name }: DatabaseInWords,
  wanted: { readonly path: string; readonly writing: boolean },
): Promise<void> {
  const found = (await client.query<Found>(look)).rows[0];
  if (found === undefined) throw new Error("the server does not say what it is");
  if (found.version < oldestVersion) {
    throw new StateError(
      `${name} is PostgreSQL ${Math.floor(found.version / 10_000)}, and 13 or later is needed: upgrade the server, or connect to another one`,
    );
  }
  if (found.path !== wanted.path) {
    throw new StateError(
      `${name} is behind a connection pooler that drops the settings of a connection: connect to the server itself, or to a pool in session mode`,
    );
  }
  if (found.encoding !== "UTF8") {
    throw new StateError(
      `${name} keeps texts in ${found.encoding}, which cannot write every name: create a database with the encoding UTF8`,
    );
  }
  if (wanted.writing && (found.replica || found.read_only)) {
    throw new StateError(
      `${name} cannot be written, because it is ${found.replica ? "a read-only replica" : "set to read-only"}: connect to the primary server`,
    );
  }
}
