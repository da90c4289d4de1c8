import type { Pool, PoolClient } from "pg";
import { encodeJson, encodeText } from "./codec.ts";

/** A value of a statement: a list of texts or numbers is an array of PostgreSQL. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly (string | null)[]
  | readonly number[]
  /** Rows or a document, as JSON. */
  | Json;

/** A value that a statement takes as JSON. */
export interface Json {
  readonly json: unknown;
}

/** Values that a statement takes as JSON: rows for `json_to_recordset`, or a document. */
export function asJson(value: unknown): Json {
  return { json: value };
}

/** Runs statements, each of them prepared once for a connection. `$1` is always the job. */
export interface Session {
  /** @returns the rows */
  all<Row extends object>(text: string, ...values: readonly Value[]): Promise<readonly Row[]>;
  /** @returns the only row, if there is one */
  one<Row extends object>(text: string, ...values: readonly Value[]): Promise<Row | undefined>;
  /** @returns how many rows it changed */
  run(text: string, ...values: readonly Value[]): Promise<number>;
}

/** The rows of one job. A statement outside a transaction is one of its own, on any free connection. */
export interface Database extends Session {
  /** Runs the statements of `action` as one transaction: all of it or nothing. */
  transaction<T>(action: (session: Session) => Promise<T>): Promise<T>;
}

/** The job's rows in the database that the pool connects to. */
export function databaseOf(pool: Pool, job: number): Database {
  const session = sessionOn(pool, job);
  return {
    ...session,
    transaction: async (action) => {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("BEGIN");
        const result = await action(sessionOn(client, job));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        // A connection that cannot even roll back is not used again.
        await client.query("ROLLBACK").catch((fault: Error) => {
          broken = fault;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

function sessionOn(on: Pick<PoolClient, "query"> | Pick<Pool, "query">, job: number): Session {
  const query = (text: string, values: readonly Value[]) =>
    on.query({ name: nameOf(text), text, values: [job, ...values.map(parameter)] });
  return {
    all: async <Row>(text: string, ...values: readonly Value[]) => (await query(text, values)).rows as Row[],
    one: async <Row>(text: string, ...values: readonly Value[]) =>
      (await query(text, values)).rows[0] as Row | undefined,
    run: async (text, ...values) => (await query(text, values)).rowCount ?? 0,
  };
}

/** A statement's text never changes while the program runs: each has one name, by which a connection prepares it once. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `als${names.size + 1}`;
  names.set(text, name);
  return name;
}

function parameter(value: Value): unknown {
  if (typeof value === "string") return encodeText(value);
  if (Array.isArray(value)) return value.map((item) => (typeof item === "string" ? encodeText(item) : item));
  if (typeof value === "object" && value !== null && "json" in value) return encodeJson(value.json);
  return value;
}
