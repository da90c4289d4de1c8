import type Database from "better-sqlite3";

// Tricks that make the store fast and change nothing that it promises. Those that several files share are below; the others stand
// where they are used. A figure was measured (most are in docs/performance.md); a trick without one was not measured by itself.
// - Indexes that have all columns of a question, so that no row is read: `operation_at` (at, action, status) for the counts of
//   days and of the log, `operation_order` (cycle_id, wave, id) for the span of a cycle. `INDEXED BY` names an index where
//   SQLite would choose another one.
// - Partial indexes of the few rows that matter (`source_user_pending`, `operation_held`, `operation_weighed` ...): a cycle in
//   which nothing changed looks at none of a million people.
// - `tally`: the counts of the company, kept by triggers, because they are asked for in each cycle and every few seconds. It
//   replaces four scans of the company.
// - `source_user_skipped` has all that a report says of a skipped person, the name in a column that triggers keep (030): to list
//   2,900 of 100,000 people takes 2 ms instead of 21.
// - `operation_changes`: what is written once of an operation is apart from what changes (plan-log.ts): 0.8 pages are written for
//   each account instead of 2.6.
// - Accounts are in the order in which they came, and not of their random ids: 0.4 pages for each account instead of 2.3.
// - Tables that are mostly empty are asked once for a page of people, or once in a commit, and not for each person (candidates.ts,
//   write-outcomes.ts, write-decisions.ts): that was half of the cost of recording an outcome.
// - The scope is staged in memory, and only the difference is written (staging.ts): 200,000 members in the file took 4 s.
// - A row that stays as it is is not written (write-plan.ts), and values of a list come as one JSON parameter (`json_each`).
// - Pages of the directory, of accounts and of a plan do not wait for the disk (`onDisk`): the commit of the watermark, or the
//   one that begins the first write, does, also for them.
// - Queries of the dashboard run on a thread of their own (reader.ts).

const cacheKibibytes = 32 * 1_024;
const checkpointPages = 4_000;

/** Settings of a connection that change how fast it is, and nothing that it promises. */
export function tune(db: Database.Database): void {
  // People are looked up by random ids.
  db.pragma(`cache_size = -${cacheKibibytes}`);
  // The write-ahead log is copied into the file at 16 MB instead of 4 MB, because consecutive commits write the same pages:
  // in a first run of 5,000 people 15 % less is written (260 MB instead of 307 MB), and the statements take a third less time.
  db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
}

/**
 * A number as a parameter of SQL that is compiled only once. To choose a plan, SQLite looks at a parameter that stands alone
 * after LIMIT, or next to `=` if the table has a partial index, and compiles the statement again for each new value: that
 * takes fifty times as long as finding a row, and a page of two rows takes 7 µs instead of 3. It does not look at a parameter
 * within a sum.
 * @param parameter `?` or `:name`
 */
export function given(parameter: string): string {
  return `0 + ${parameter}`;
}

/** The same for a text: to look for a userName takes 1.6 µs instead of 11, as often as a person without an account is planned. */
export function givenText(parameter: string): string {
  return `'' || ${parameter}`;
}

/** The answer of `PRAGMA synchronous` for FULL: a commit waits for the disk. */
const full = 2;

/**
 * Makes commits that wait for the disk, and some that do not. A later one that waits brings those along, because all are in the same
 * log. Of planning 20,000 people without changes it saves 3 of 36 µs a person, and the time until the disk answers for each page.
 */
export function onDisk(db: Database.Database): (commit: () => void, mayBeLost: boolean) => void {
  // A copy for a dry run never waits.
  if (db.pragma("synchronous", { simple: true }) !== full) return (commit) => commit();
  let waits = true;
  const wait = (): void => {
    db.pragma("synchronous = FULL");
    waits = true;
  };
  return (commit, mayBeLost) => {
    if (!waits) wait();
    if (!mayBeLost) return commit();
    db.pragma("synchronous = NORMAL");
    waits = false;
    try {
      commit();
    } finally {
      try {
        wait();
      } catch {
        // The commit's own error says more. The next commit sets it back first.
      }
    }
  };
}

/**
 * Runs many small reads in one transaction. Outside of one, each read takes and releases the file's locks: a row
 * takes 3.3 µs instead of 1.4.
 */
export function readTogether(db: Database.Database): <T>(read: () => T) => T {
  const transaction = db.transaction((read: () => unknown) => read());
  return <T>(read: () => T): T => transaction(read) as T;
}

/** Ids from `from` to `to`, both included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

const rangeSize = 5_000;

/**
 * Ranges of ids that cover the operations of a cycle with an id above `after`. Most ids of a cycle follow one another. The
 * event loop runs between two ranges, so that the lease and the dashboard get their turn.
 */
export function cycleRanges(
  db: Database.Database,
): (cycleId: number, after?: number) => AsyncGenerator<IdRange> {
  const span = db.prepare<[number], { first: number | null; last: number | null }>(
    "SELECT min(id) AS first, max(id) AS last FROM operation WHERE cycle_id = ?",
  );
  return async function* (cycleId, after = 0) {
    const { first, last } = span.get(cycleId) ?? { first: null, last: null };
    if (first === null || last === null) return;
    for (let from = Math.max(first, after + 1); from <= last; from += rangeSize) {
      const to = Math.min(last, from + rangeSize - 1);
      yield { from, to };
      if (to < last) await new Promise(setImmediate);
    }
  };
}
