import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient, QueryResult } from "pg";
import { StateError } from "../../../domain/errors.ts";
import { encodeJson, encodeText } from "./codec.ts";
import { beginMarked, type CommitMarks, refuseOlderServer, wasCommitted } from "./commit-marks.ts";
import { type DatabaseInWords, isLost, isStale, isTransient, stateError } from "./errors.ts";

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
 * The rows of one job. If a connection breaks, it is replaced and its statement is repeated, although the first one may have been carried out.
 * So a statement outside a transaction must have the same effect and result when it runs twice.
 * @throws StateError
 */
export interface Database extends Session {
  /**
   * Runs the statements of `action` as one transaction: all of it or nothing, and once. `action` is called again if the transaction was
   * rolled back: it must change only the database. If the answer to COMMIT is lost, the transaction's mark says what became of
   * it, on the same server and on another one that took over.
   */
  transaction<T>(action: (session: Session) => Promise<T>): Promise<T>;
  /** Visits each row of a statement that may return more rows than fit into memory. */
  readonly walk: Walk;
  /**
   * Runs `read`, whose walks all see the rows as they were at one moment. It is not repeated once a row was visited, because the row would
   * be visited twice.
   */
  snapshot<T>(read: (walk: Walk) => Promise<T>): Promise<T>;
  /** Runs ANALYZE on tables, so that PostgreSQL's planner knows what is in them. */
  analyze(tables: readonly string[]): Promise<void>;
}

/** Visits each row of a statement, a few thousand of them in memory at a time. */
export type Walk = <Row extends object>(
  text: string,
  visit: (row: Row) => void,
  ...values: readonly Value[]
) => Promise<void>;

const firstPauseMs = 25;
const longestPauseMs = 1_000;
/** For this long after a database did not come back in time, calls fail at once: a run that ends must not wait for it with each write. */
const restMs = 2_000;
/** Rows of a walk that are in memory at a time. */
const walkedAtOnce = 2_000;

/** The marks of a job in this process, and the connections that were compared with them. */
export interface JobMarks {
  readonly marks: CommitMarks;
  readonly compared: WeakSet<PoolClient>;
}

/** How a database is used. */
export interface Use {
  /** A database that cannot be reached is waited for as long as this from the first failure, milliseconds. */
  readonly waitMs: number;
  /**
   * `shared`: the rows of a job. `read`: these, without writing. `copy`: tables of the only connection, which are gone with it.
   */
  readonly tables: "shared" | "read" | "copy";
}

/** Runs `work` with a connection, for one job. */
export type UseConnection = <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;

/** The job's rows in the database. @param marks those that each connection is compared with before the job uses it */
export function databaseOf(
  connection: UseConnection,
  job: number,
  { marks, compared }: JobMarks,
  words: DatabaseInWords,
  { waitMs, tables }: Use,
): Database {
  let copyIsLost = false;
  /** The database did not come back in time: later calls fail after one attempt, and at once for a while. */
  let givenUp: { readonly at: number; readonly error: unknown } | null = null;
  const passes = (error: unknown): boolean => {
    if (tables === "copy" && isLost(error)) copyIsLost = true;
    return isTransient(error) && tables !== "copy" && !(tables === "read" && isStale(error));
  };
  /** Repeats a call that failed for a passing reason. */
  const persist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    let since: number | undefined;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      if (copyIsLost) throw lostCopy(words);
      if (givenUp !== null && performance.now() - givenUp.at < restMs) throw givenUp.error;
      try {
        const result = await attempt();
        givenUp = null;
        return result;
      } catch (error) {
        // Counted from the first failure: one attempt with a server that hangs may take longer than `waitMs`.
        since ??= performance.now();
        if (!passes(error)) throw copyIsLost ? lostCopy(words, error) : stateError(words, error);
        if (givenUp !== null || performance.now() - since > waitMs) {
          givenUp = { at: performance.now(), error: stateError(words, error) };
          throw givenUp.error;
        }
        await sleep(pauseMs);
      }
    }
  };
  const onOne: UseConnection = (use) =>
    connection(async (client) => {
      if (tables === "shared" && !compared.has(client)) {
        await refuseOlderServer(client, job, marks.expected(), words);
        compared.add(client);
      }
      return use(client);
    });
  const query = (text: string, values: readonly Value[]) =>
    persist(() => onOne((client) => runOn(client, job, text, values)));
  const reading = <T>(begin: string, read: (walk: Walk) => Promise<T>): Promise<T> =>
    persist(() =>
      onOne(async (client) => {
        const visits = { begun: false };
        try {
          await client.query(begin);
          const result = await read(walkOn(client, job, visits));
          await client.query("ROLLBACK");
          return result;
        } catch (error) {
          await rollBack(client, error);
          // A row that was visited must not be visited again.
          throw visits.begun ? stateError(words, error) : error;
        }
      }),
    );

  return {
    ...sessionOf(query),
    transaction: (action) =>
      persist(async () => {
        const mark = marks.take();
        let ending = false;
        let result: Awaited<ReturnType<typeof action>> | undefined;
        try {
          return await onOne(async (client) => {
            try {
              await beginMarked(client, job, mark);
              const done = await action(sessionOf((text, values) => runOn(client, job, text, values)));
              result = done;
              ending = true;
              await commit(client);
              marks.note(mark);
              return done;
            } catch (error) {
              await rollBack(client, error);
              throw error;
            }
          });
        } catch (error) {
          // If only the answer to COMMIT was lost, the transaction is committed.
          if (!ending || !isLost(error) || tables === "copy") throw error;
          if (!(await persist(() => onOne((client) => wasCommitted(client, job, mark))))) throw error;
          marks.note(mark);
          return result as Awaited<ReturnType<typeof action>>;
        } finally {
          marks.giveBack(mark);
        }
      }),
    analyze: async (names) => {
      // A table that another process is analyzing is skipped: its result serves this process too.
      await persist(() => onOne((client) => client.query(`ANALYZE (SKIP_LOCKED) ${names.join(", ")}`)));
    },
    walk: (text, visit, ...values) => reading("BEGIN READ ONLY", (walk) => walk(text, visit, ...values)),
    snapshot: (read) => reading("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", read),
  };
}

/** Walks within the transaction that is open. @param visits notes whether a row was visited */
function walkOn(client: PoolClient, job: number, visits: { begun: boolean }): Walk {
  return async <Row extends object>(
    text: string,
    visit: (row: Row) => void,
    ...values: readonly Value[]
  ): Promise<void> => {
    await client.query(`DECLARE walk NO SCROLL CURSOR FOR ${text}`, parameters(job, values));
    for (;;) {
      const { rows } = await client.query(`FETCH ${walkedAtOnce} FROM walk`);
      visits.begun ||= rows.length > 0;
      for (const row of rows) visit(row as Row);
      if (rows.length < walkedAtOnce) break;
    }
    await client.query("CLOSE walk");
  };
}

/**
 * Commits the transaction. COMMIT may wait for a replica, without a time limit of the server: if the server stopped the wait, it would report
 * the transaction as committed although no replica has it.
 */
async function commit(client: PoolClient): Promise<void> {
  await client.query("SET LOCAL statement_timeout = 0; COMMIT");
}

/** Ends a transaction that failed, so that the connection can be used again; if that fails too, the connection is discarded later. */
async function rollBack(client: PoolClient, error: unknown): Promise<void> {
  if (isLost(error)) return;
  await client.query("ROLLBACK").catch(() => {});
}

function lostCopy({ name }: DatabaseInWords, cause?: unknown): StateError {
  return new StateError(
    `the connection to ${name} was lost, and with it the copy of the state that a dry run plans on: run again. Nothing was written`,
    { cause },
  );
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
