import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import type { Change } from "../../src/domain/plan.ts";
import { type Connection, openDatabase } from "../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../src/state/sqlite/store.ts";
import { tallyFaults } from "../state/tally.ts";
import type { PlayedState, Questions } from "./played-state.ts";
import { losingPower } from "./power.ts";

/** A real SQLite database in memory, which it closes. */
export function sqliteState(): PlayedState {
  return losingPower(openDatabase(":memory:"), stateOn);
}

/** On a database that does not lose its power. */
export function stateOn(db: Connection): PlayedState {
  const store = storeOn(db, ":memory:");
  const emptied = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'tally'",
    )
    .pluck()
    .all()
    .map((name) => db.prepare(`DELETE FROM "${name}"`));
  // Rows that refer to a deleted one are deleted too, and the tally becomes zero by itself. Switching foreign keys off for this
  // would make SQLite compile every statement of the store again.
  const wipe = db.transaction(() => {
    for (const table of emptied) table.run();
  });
  return {
    store,
    changes: changesOf(db),
    ask: questionsTo(db),
    fault: tallyFaults(db),
    wipe: () => wipe(),
    image: () => createHash("sha256").update(db.serialize()).digest("hex"),
    copy: () => {
      const copy = new Database(db.serialize());
      copy.pragma("foreign_keys = ON");
      return { store: storeOn(copy, ":memory:"), changes: changesOf(copy) };
    },
    close: () => store.close(),
  };
}

/** Counts the rows that a connection has changed. */
function changesOf(db: Connection): () => number {
  const changes = db.prepare<[], number>("SELECT total_changes()").pluck();
  return () => changes.get() ?? 0;
}

interface Row {
  readonly id: number;
  readonly objectId: string;
  readonly latticeId: string | null;
  readonly status: string;
  readonly error: string | null;
  readonly changes: string;
  readonly open: number;
}

function questionsTo(db: Connection): Questions {
  const lost = db.prepare<[number], { latticeId: string; at: number }>(
    "SELECT lattice_id AS latticeId, dissolved_at AS at FROM lost_link WHERE dissolved_at >= ?",
  );
  const cycles = db.prepare<[], number>("SELECT id FROM cycle").pluck();
  const begunAt = db.prepare<[], number | null>("SELECT max(started_at) FROM cycle").pluck();
  const operations = db.prepare<[number | null], Row>(
    `SELECT id, object_id AS objectId, lattice_id AS latticeId, status, error, changes,
       EXISTS (SELECT 1 FROM intent WHERE operation_id = operation.id) AS open
     FROM operation JOIN operation_changes USING (id) WHERE cycle_id > coalesce(?, (SELECT max(id) FROM cycle) - 1) AND status <> 'reported'`,
  );
  const count = db.prepare<[], number>("SELECT count(*) FROM operation").pluck();
  const soon = db
    .prepare<[number], string>("SELECT object_id FROM source_user WHERE look_again_at <= ?")
    .pluck();
  const marked = db.prepare<[], string>("SELECT object_id FROM source_user WHERE pending = 1").pluck();
  const told = db
    .prepare<[], string>(
      `SELECT object_id FROM operation
         WHERE status IN ('held', 'failed', 'reported', 'cancelled') AND cycle_id = (SELECT max(id) FROM cycle)
       UNION SELECT object_id FROM source_user WHERE skip_code IS NOT NULL OR reference_pending IN (1, 2)
       UNION SELECT object_id FROM target_user WHERE read_again IS NOT NULL
       UNION SELECT object_id FROM retry UNION SELECT object_id FROM lost_link UNION SELECT object_id FROM rejected_change`,
    )
    .pluck();
  return {
    cycleIds: () => cycles.all(),
    newestCycleAt: () => begunAt.get() ?? null,
    newestOperations: (after = null) =>
      operations.all(after).map((row) => ({
        ...row,
        changes: JSON.parse(row.changes) as Change[],
        open: row.open === 1,
      })),
    countOperations: () => count.get() ?? 0,
    dissolvedSince: (since) => lost.all(since),
    told: () => told.all(),
    dueBy: (now) => soon.all(now),
    marked: () => marked.all(),
  };
}
