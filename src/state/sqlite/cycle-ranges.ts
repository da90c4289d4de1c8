import type { Connection } from "./files/database.ts";

/** Ids from `from` to `to`, both included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

const rangeSize = 5_000;

/**
 * The operations of a cycle with an id above `after`, so many ids at a time: they were written one after the other. What else waits (the lease, the
 * dashboard) has its turn between two ranges.
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
