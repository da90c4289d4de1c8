import type { Connection } from "./files/database.ts";

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
export function cycleRanges(db: Connection): (cycleId: number, after?: number) => AsyncGenerator<IdRange> {
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
