import type { StateChange } from "../../domain/state/change.ts";
import type { Database } from "./connection/database.ts";

/** The tables whose rows come in crowds, and how many a change puts into each. */
const added: readonly (readonly [table: string, rows: (change: StateChange) => number | undefined])[] = [
  ["source_user", ({ people }) => people?.put?.length],
  ["target_user", ({ accounts }) => accounts?.put?.length],
  ["operation", ({ operations }) => operations?.add?.length],
  ["scope_member", ({ moves }) => moves?.length],
];
const firstAt = 100;
const growth = 4;

/**
 * Has PostgreSQL look at a table again when it has grown. It does so by itself, but only after a minute: a first run would be planned for
 * empty tables until then, and walk through a whole company for each person.
 * @returns is told each change that was committed
 */
export function statisticsKeeper(db: Database): (change: StateChange) => Promise<void> {
  const seen = added.map(([table, rowsOf]) => ({ table, rowsOf, rows: 0, next: firstAt }));
  return async (change) => {
    const grown: string[] = [];
    for (const one of seen) {
      one.rows += one.rowsOf(change) ?? 0;
      if (one.rows < one.next) continue;
      one.next = one.rows * growth;
      grown.push(one.table);
    }
    if (grown.length > 0) await db.analyze(grown);
  };
}
