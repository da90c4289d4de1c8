import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientBase } from "pg";
import { StateError } from "../../../domain/errors.ts";
import { packageRoot } from "../../../process/package-root.ts";
import { heldByOlderVersion } from "../../lease-errors.ts";
import type { DatabaseInWords } from "../connection/errors.ts";
import { beginLong, patiently } from "../connection/settings.ts";

const folder = join(packageRoot, "src/state/postgres/schema/migrations");

/** The lock under which programs that start at the same time migrate one after the other. Any number that no other program is likely to use. */
const lockClass = 1_095_517_005;

/** SQL that makes the tables of a version from those of the version before. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

export function migrations(): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 3)),
      sql: readFileSync(join(folder, name), "utf8"),
    }));
}

let newestKnown: number | undefined;

/** The version of the tables that this program works with. */
export function newestVersion(): number {
  newestKnown ??= newestOf(migrations());
  return newestKnown;
}

function newestOf(some: readonly Migration[]): number {
  return some.at(-1)?.version ?? 0;
}

/**
 * Makes the schema if it is missing, and migrates its tables to this version. If the schema is there, rights on it are enough.
 * @throws StateError if a newer version of this program made it, or another program did; LeaseHeldError while a run of the older
 * version works with the tables
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  words: DatabaseInWords,
  known = migrations(),
): Promise<void> {
  const newest = newestOf(known);
  if ((await schemaVersion(client, schema, words, newest)) === newest) return;
  await client.query(beginLong);
  try {
    await client.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [lockClass, schema]);
    const version = await schemaVersion(client, schema, words, newest);
    if (version !== newest && version) await refuseUnderLease(client, words);
    if (version === null) await client.query(`CREATE SCHEMA ${schema}`);
    if (!version) await client.query("CREATE TABLE schema_version (version int NOT NULL)");
    for (const migration of known.filter((one) => one.version > (version ?? 0))) {
      await client.query(patiently(migration.sql));
      await client.query("DELETE FROM schema_version");
      await client.query("INSERT INTO schema_version VALUES ($1)", [migration.version]);
    }
    await client.query("COMMIT");
  } catch (error) {
    // If the connection is lost, the server rolls back. The first error says why.
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/**
 * The tables as compared with those of this version.
 * @throws StateError if a newer version of this program made them, or another program did
 */
export async function schemaState(
  client: ClientBase,
  schema: string,
  words: DatabaseInWords,
): Promise<"missing" | "outdated" | "current"> {
  const version = await schemaVersion(client, schema, words);
  if (!version) return "missing";
  return version === newestVersion() ? "current" : "outdated";
}

/**
 * @returns the version of the tables; 0 for a schema without any, `null` if there is no such schema
 * @throws StateError
 */
export async function schemaVersion(
  client: ClientBase,
  schema: string,
  words: DatabaseInWords,
  newest = newestVersion(),
): Promise<number | null> {
  const { rows: schemas } = await client.query<{ relations: number; ours: boolean }>(
    `SELECT (SELECT count(*)::int FROM pg_class WHERE relnamespace = n.oid) AS relations,
       EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid AND relname = 'schema_version') AS ours
     FROM pg_namespace n WHERE nspname = $1`,
    [schema],
  );
  const found = schemas[0];
  if (found === undefined) return null;
  if (found.relations === 0) return 0;
  if (!found.ours) {
    throw new StateError(
      `the schema ${schema} in ${words.name} belongs to another program: set state.url (ALS_STATE_URL) to another database`,
    );
  }
  const { rows } = await client.query<{ version: number }>(`SELECT version FROM ${schema}.schema_version`);
  const version = rows[0]?.version ?? 0;
  if (version > newest) {
    throw new StateError(
      `${words.name} was written by a newer version of azure-lattice-sync (schema ${version}; this version knows ${newest}): install that version`,
    );
  }
  return version;
}

/** @throws LeaseHeldError */
async function refuseUnderLease(client: ClientBase, { name }: DatabaseInWords): Promise<void> {
  const { rows } = await client.query<{ owner: string; expires_at: string }>(
    `SELECT owner, expires_at FROM lease
     WHERE owner IS NOT NULL AND expires_at > extract(epoch FROM clock_timestamp()) * 1000 ORDER BY expires_at DESC LIMIT 1`,
  );
  const held = rows[0];
  if (held !== undefined) {
    throw heldByOlderVersion(name, { owner: held.owner, expires_at: Number(held.expires_at) });
  }
}
