import { StateError, type UsageError } from "../../domain/errors.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { StateStore } from "../../domain/state/store.ts";
import {
  type MovedContent,
  type MovedRow,
  type MovedTable,
  movedTables,
  type NewestIds,
} from "../moved-tables.ts";
import { connect, connectToRead } from "./connection/connect.ts";
import type { Session } from "./connection/database.ts";
import type { PostgresPlace } from "./connection/place.ts";
import { checkFence } from "./fence.ts";
import { leaseMethods } from "./lease.ts";
import { readMovedRows, readNewestIds, writeMovedRows, writeNewestIds } from "./moved-rows.ts";
import { unfinishedMethods } from "./unfinished.ts";

/** Reads all rows of a job, as of one moment; `null` if there is no such job. @throws StateError */
export async function readJobRows(
  place: PostgresPlace,
  put: (table: MovedTable, row: MovedRow) => void,
): Promise<NewestIds | null> {
  const connected = await connectToRead(place);
  if (connected === null) return null;
  try {
    return await connected.db.snapshot(async (walk) => {
      for (const table of movedTables) await readMovedRows(walk, table, (row) => put(table, row));
      return readNewestIds(walk);
    });
  } finally {
    await connected.close();
  }
}

/** The content of a job in numbers; `null` if there is no such job, or no cycle has stored anything for it. Changes nothing. @throws StateError */
export async function jobContent(place: PostgresPlace): Promise<MovedContent | null> {
  const connected = await connectToRead(place);
  if (connected === null) return null;
  try {
    return await contentOf(connected.db);
  } finally {
    await connected.close();
  }
}

/** The rows that a job is to have. */
export interface JobRows {
  /** The rows of a table, a batch at a time; from the beginning each time. */
  rowsOf(table: MovedTable): Iterable<readonly MovedRow[]>;
  /** How many there are. */
  countOf(table: MovedTable): number;
  newestIds(): NewestIds;
}

/** A job that rows are written to, under its lease. */
export interface FilledJob {
  readonly lease: Pick<StateStore, "acquireLease" | "renewLease" | "releaseLease" | "openIntents">;
  /**
   * Writes all rows, or none.
   * @param how `taken`: the error for a job that has a state
   * @throws what `taken` gives; LeaseHeldError if the run that the fence names no longer holds the lease; StateError
   */
  fill(
    rows: JobRows,
    how: {
      readonly fence: Fence;
      readonly signal: AbortSignal;
      readonly taken: (content: MovedContent) => UsageError;
    },
  ): Promise<void>;
  /** Removes all rows. The ids go on from the last ones. @throws LeaseHeldError, StateError */
  empty(fence: Fence): Promise<void>;
  close(): Promise<void>;
}

/** Opens the job, and makes or migrates the tables. @throws StateError */
export async function openToFill(place: PostgresPlace): Promise<FilledJob> {
  const { db, lease, close } = await connect(place);
  return {
    lease: { ...leaseMethods(lease, "server"), ...unfinishedMethods(db) },
    fill: async (rows, { fence, signal, taken }) => {
      await db.transaction(async (session) => {
        const content = await contentOf(session);
        if (content !== null) throw taken(content);
        // Notes and events of a program that started here and never ran a cycle.
        await removeRows(session);
        await write(session, rows, signal);
        // The fence is checked last: it locks the row of the lease, which must be renewed until then.
        await checkFence(session, fence);
      });
      await db.analyze(movedTables.map(({ name }) => name));
    },
    empty: (fence) =>
      db.transaction(async (session) => {
        await removeRows(session);
        await checkFence(session, fence);
      }),
    close,
  };
}

const removedAtOnce = 20_000;

async function removeRows(session: Session): Promise<void> {
  for (const { name } of movedTables.toReversed()) {
    // In parts, because the server ends a statement that takes longer than 55 seconds (`statementMs`).
    const some = `DELETE FROM ${name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE job = $1 LIMIT ${removedAtOnce}))`;
    while ((await session.run(some)) > 0);
  }
}

async function write(session: Session, source: JobRows, signal: AbortSignal): Promise<void> {
  for (const table of movedTables) {
    let written = 0;
    for (const rows of source.rowsOf(table)) {
      signal.throwIfAborted();
      written += await writeMovedRows(session, table, rows, written);
    }
    const expected = source.countOf(table);
    if (written !== expected) {
      throw new StateError(`${written} of ${expected} rows of ${table.name} arrived: nothing was written`);
    }
  }
  await writeNewestIds(session, source.newestIds());
}

const counts = `SELECT (SELECT count(*) FROM source_user WHERE job = $1) AS people,
    (SELECT count(*) FROM target_user WHERE job = $1) AS accounts,
    (SELECT count(*) FROM target_user WHERE job = $1 AND object_id IS NOT NULL) AS linked,
    (SELECT count(*) FROM cycle WHERE job = $1) AS cycles,
    (SELECT count(*) FROM decision WHERE job = $1) AS decisions,
    (SELECT count(*) FROM operation WHERE job = $1) AS operations,
    (SELECT count(*) FROM operation WHERE job = $1 AND status = 'held') AS held,
    (SELECT max(started_at) FROM cycle WHERE job = $1) AS "lastCycleAt"`;

interface Counts extends MovedContent {
  readonly accounts: number;
  readonly decisions: number;
}

/** `null` if there is neither a person nor an account nor a cycle nor a decision. */
async function contentOf(session: Session): Promise<MovedContent | null> {
  const row = await session.one<Counts>(counts);
  if (row === undefined) throw new Error("a count gave no row");
  return row.people + row.accounts + row.cycles + row.decisions === 0 ? null : row;
}
