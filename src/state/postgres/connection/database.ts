import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient, QueryResult } from "pg";
import { encodeJson, encodeText } from "./codec.ts";
import { type DatabaseInWords, isLost, isTransient, stateError } from "./errors.ts";

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

/**
 * The rows of one job. A connection that breaks is replaced, and what it was asked is asked again. So a statement outside a transaction must
 * do the same when it runs twice.
 * @throws StateError
 */
export interface Database extends Session {
  /**
   * Runs the statements of `action` as one transaction: all of it or nothing, and once. `action` is called again if the transaction was
   * rolled back: it must change nothing but the database. If the answer to COMMIT is lost, the same server knows what became of
   * it; for another one that took over see `wasCommitted`.
   */
  transaction<T>(action: (session: Session) => Promise<T>): Promise<T>;
  /** Visits each row of a statement that has more of them than belong into memory. */
  walk<Row extends object>(
    text: string,
    visit: (row: Row) => void,
    ...values: readonly Value[]
  ): Promise<void>;
  /** Has PostgreSQL look at tables, so that it plans for what is in them. */
  analyze(tables: readonly string[]): Promise<void>;
}

const firstPauseMs = 25;
const longestPauseMs = 1_000;
/** Rows of a walk that are in memory at a time. */
const walkedAtOnce = 2_000;

/**
 * The job's rows in the database.
 * @param waitMs a database that cannot be reached is waited for as long as this
 */
export function databaseOf(pool: Pool, job: number, words: DatabaseInWords, waitMs: number): Database {
  /** Repeats what failed for a reason that passes by itself. */
  const persist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await attempt();
      } catch (error) {
        if (!isTransient(error) || performance.now() - since > waitMs) throw stateError(words, error);
        await sleep(pauseMs);
      }
    }
  };
  const onOne = async <T>(use: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      const result = await use(client);
      client.release();
      return result;
    } catch (error) {
      // A connection that is lost is not used again.
      client.release(isLost(error) ? true : undefined);
      throw error;
    }
  };
  const query = (text: string, values: readonly Value[]) =>
    persist(() => onOne((client) => runOn(client, job, text, values)));
  const outcomeOf = (transaction: string): Promise<boolean> =>
    persist(() => onOne((client) => wasCommitted(client, transaction)));

  return {
    ...sessionOf(query),
    transaction: (action) =>
      persist(async () => {
        let transaction: string | null = null;
        let result: Awaited<ReturnType<typeof action>> | undefined;
        try {
          return await onOne(async (client) => {
            const id = await begin(client);
            try {
              const done = await action(sessionOf((text, values) => runOn(client, job, text, values)));
              result = done;
              transaction = id;
              await client.query("COMMIT");
              return done;
            } catch (error) {
              if (!isLost(error)) await client.query("ROLLBACK");
              throw error;
            }
          });
        } catch (error) {
          // The answer to COMMIT was lost, and perhaps nothing else.
          if (transaction === null || !isLost(error) || !(await outcomeOf(transaction))) throw error;
          return result as Awaited<ReturnType<typeof action>>;
        }
      }),
    analyze: async (tables) => {
      // Another process that looks at them already looks for this one as well.
      await persist(() => onOne((client) => client.query(`ANALYZE (SKIP_LOCKED) ${tables.join(", ")}`)));
    },
    walk: async <Row extends object>(
      text: string,
      visit: (row: Row) => void,
      ...values: readonly Value[]
    ) => {
      try {
        await onOne(async (client) => {
          await client.query("BEGIN READ ONLY");
          try {
            await client.query(`DECLARE walk NO SCROLL CURSOR FOR ${text}`, parameters(job, values));
            for (;;) {
              const { rows } = await client.query(`FETCH ${walkedAtOnce} FROM walk`);
              for (const row of rows) visit(row as Row);
              if (rows.length < walkedAtOnce) break;
            }
          } finally {
            await client.query("ROLLBACK");
          }
        });
      } catch (error) {
        throw stateError(words, error);
      }
    },
  };
}

/** @returns the transaction's number, by which it is found again if its end is not known */
async function begin(client: PoolClient): Promise<string> {
  // One message; the driver gives a list of results for it, which its types do not say.
  const results = [
    await client.query<{ id: string }>("BEGIN; SELECT pg_current_xact_id()::text AS id"),
  ].flat();
  const id = results.at(-1)?.rows[0]?.id;
  if (id === undefined) throw new Error("a transaction has no number");
  return id;
}

/**
 * Waits until the transaction has ended. A server that took over may lack the transaction and have given its number to another one since:
 * then the answer is about that one.
 */
async function wasCommitted(client: PoolClient, transaction: string): Promise<boolean> {
  for (;;) {
    // A server that took over may not have come to the number yet: then it has nothing of the transaction.
    const { rows } = await client.query<{ status: string | null }>(
      `SELECT CASE WHEN $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1::xid8) END AS status`,
      [transaction],
    );
    const status = rows[0]?.status ?? null;
    if (status !== "in progress") return status === "committed";
    await sleep(firstPauseMs);
  }
}

function sessionOf(query: (text: string, values: readonly Value[]) => Promise<QueryResult>): Session {
  return {
    all: async <Row>(text: string, ...values: readonly Value[]) => (await query(text, values)).rows as Row[],
    one: async <Row>(text: string, ...values: readonly Value[]) =>
      (await query(text, values)).rows[0] as Row | undefined,
    run: async (text, ...values) => (await query(text, values)).rowCount ?? 0,
  };
}

function runOn(
  client: PoolClient,
  job: number,
  text: string,
  values: readonly Value[],
): Promise<QueryResult> {
  return client.query({ name: nameOf(text), text, values: parameters(job, values) });
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

function parameters(job: number, values: readonly Value[]): unknown[] {
  return [job, ...values.map(parameter)];
}

function parameter(value: Value): unknown {
  if (typeof value === "string") return encodeText(value);
  if (Array.isArray(value)) return value.map((item) => (typeof item === "string" ? encodeText(item) : item));
  if (typeof value === "object" && value !== null && "json" in value) return encodeJson(value.json);
  return value;
}
