import type { ClientBase } from "pg";
import type { DatabaseInWords } from "../connection/errors.ts";
import { beginLong, patiently } from "../connection/settings.ts";
import { migrations, schemaVersion } from "./migrate.ts";

/** Tables with the data that daemons keep about each other. It does not belong to the job. */
const ofDaemons = ["worker", "worker_job", "job_config", "turn", "work", "signed_out"];
/** The tables of the session, those that others refer to first. */
const tables = `SELECT relname AS name FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
  AND NOT relname = ANY($1) ORDER BY oid`;

/**
 * Copies the job's rows, of one moment, into tables that belong to the session alone, and migrates these to this version. The session's
 * search path must be `pg_temp`, so that CREATE TABLE makes a table of the session.
 * @returns the number of the job
 */
export async function copyJob(
  client: ClientBase,
  { schema, job }: { readonly schema: string; readonly job: string },
  words: DatabaseInWords,
): Promise<number> {
  await client.query(beginLong);
  await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  const version = (await schemaVersion(client, schema, words)) ?? 0;
  const known = migrations();
  for (const { sql } of known.filter((one) => one.version <= version)) await client.query(patiently(sql));
  let id = 1;
  if (version > 0) {
    const { rows } = await client.query<{ id: number }>(`SELECT id FROM ${schema}.job WHERE name = $1`, [
      job,
    ]);
    id = rows[0]?.id ?? id;
    if (rows.length > 0) await copyRows(client, schema, id);
  }
  for (const { sql } of known.filter((one) => one.version > version)) await client.query(patiently(sql));
  await client.query("INSERT INTO job (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", [id, job]);
  await client.query("COMMIT");
  return id;
}

async function copyRows(client: ClientBase, schema: string, id: number): Promise<void> {
  const { rows } = await client.query<{ name: string }>(tables, [ofDaemons]);
  for (const { name } of rows) {
    const key = name === "job" ? "id" : "job";
    await client.query(
      patiently(`INSERT INTO ${name} SELECT * FROM ${schema}.${name} WHERE ${key} = $1`, [id]),
    );
    // Autovacuum does not analyze tables of a session, so the planner would not know how many rows they have.
    await client.query(`ANALYZE ${name}`);
  }
}
