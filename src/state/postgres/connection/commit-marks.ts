import { randomUUID } from "node:crypto";
import type { ClientBase } from "pg";
import { type DatabaseInWords, OlderServerError } from "./errors.ts";

/** A writer of transactions, one at a time. Its newest number is written within each transaction. */
export interface CommitMark {
  readonly writer: string;
  /** Of the newest transaction that was begun. */
  number: number;
  /** Of the newest one that was answered as committed; 0: none yet. */
  committed: number;
  /** When that was, by `performance.now()`. */
  committedAt: number;
}

/** The marks of a job in this process: as many as transactions at the same time. */
export interface CommitMarks {
  /** A mark that no other transaction uses, until it is given back. */
  take(): CommitMark;
  giveBack(mark: CommitMark): void;
  /** Notes that the transaction of the mark's newest number was committed. */
  note(mark: CommitMark): void;
  /** The marks that a server must have, as of now. */
  expected(): readonly { readonly writer: string; readonly committed: number }[];
}

const dayMs = 24 * 60 * 60 * 1000;
/** Marks are removed when they are older than this: much later than any process expects them. */
const keptMs = 8 * dayMs;
const serverTime = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const put = `INSERT INTO commit_mark AS known (job, writer, number, at)`;

export function createCommitMarks(): CommitMarks {
  const process = randomUUID();
  const all: CommitMark[] = [];
  const free: CommitMark[] = [];
  const make = (): CommitMark => {
    const mark = { writer: `${process}/${all.length}`, number: 0, committed: 0, committedAt: 0 };
    all.push(mark);
    return mark;
  };
  return {
    take: () => free.pop() ?? make(),
    giveBack: (mark) => {
      free.push(mark);
    },
    note: (mark) => {
      mark.committed = mark.number;
      mark.committedAt = performance.now();
    },
    expected: () =>
      all
        .filter(({ committed, committedAt }) => committed > 0 && performance.now() - committedAt < dayMs)
        .map(({ writer, committed }) => ({ writer, committed })),
  };
}

/** Begins a transaction that has the mark's next number, in one message. */
export async function beginMarked(client: ClientBase, job: number, mark: CommitMark): Promise<void> {
  mark.number += 1;
  await client.query(
    `BEGIN; ${put} VALUES (${job}, '${mark.writer}', ${mark.number}, ${serverTime})
     ON CONFLICT (job, writer) DO UPDATE SET number = excluded.number, at = excluded.at`,
  );
}

/**
 * Tells whether the transaction of the mark's newest number was committed. Waits until it has ended, for as long as `lock_timeout` allows:
 * until then the transaction locks the row of the mark.
 */
export async function wasCommitted(client: ClientBase, job: number, mark: CommitMark): Promise<boolean> {
  const { rows } = await client.query<{ number: number }>(
    `${put} VALUES ($1, $2, 0, ${serverTime}) ON CONFLICT (job, writer) DO UPDATE SET at = known.at RETURNING number`,
    [job, mark.writer],
  );
  return rows[0]?.number === mark.number;
}

/**
 * Refuses a server that lacks a transaction which was answered as committed: it took over with older rows, or a backup was restored.
 * @throws OlderServerError
 */
export async function refuseOlderServer(
  client: ClientBase,
  job: number,
  expected: ReturnType<CommitMarks["expected"]>,
  { name }: DatabaseInWords,
): Promise<void> {
  if (expected.length === 0) return;
  const known = await client.query<{ there: boolean }>(
    "SELECT to_regclass('commit_mark') IS NOT NULL AS there",
  );
  const { rows } =
    known.rows[0]?.there === true
      ? await client.query<{ writer: string; number: number }>(
          "SELECT writer, number FROM commit_mark WHERE job = $1 AND writer = ANY($2::text[])",
          [job, expected.map(({ writer }) => writer)],
        )
      : { rows: [] };
  const found = new Map(rows.map(({ writer, number }) => [writer, number]));
  if (expected.every(({ writer, committed }) => (found.get(writer) ?? 0) >= committed)) return;
  throw new OlderServerError(
    `${name} lacks writes that it had confirmed: a server took over without them, or a backup was restored. Its state is older than Lattice. Stop the program, and do what docs/running.md says for pg_restore before it starts again`,
  );
}

/** Removes the marks of processes that ended long ago. */
export async function pruneMarks(client: ClientBase, job: number): Promise<void> {
  await client.query(`DELETE FROM commit_mark WHERE job = $1 AND at < ${serverTime} - $2`, [job, keptMs]);
}
