import pg from "pg";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";

/** Runs statements on a connection of its own, as another program does. @returns the rows of the last one */
export async function sql(
  place: Pick<PostgresPlace, "url" | "schema">,
  ...statements: readonly string[]
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: place.url, options: `-c search_path=${place.schema}` });
  await client.connect();
  try {
    let rows: readonly Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}
