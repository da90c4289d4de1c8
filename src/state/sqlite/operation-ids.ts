import { fileNotes } from "../moved-tables.ts";
import type { Connection } from "./files/database.ts";

/** Gives each operation an id above all that were given before, also if the newest rows of the log are gone. */
export interface OperationIds {
  /** The id that is given next. The following ones come after it. */
  next(): number;
  /** To be called before rows go: notes the newest id if it is among them. */
  beforeRemoved(ids: readonly number[]): void;
  /** The same for the rows of whole cycles. */
  beforePruned(cycleIds: readonly number[]): void;
}

export function operationIds(db: Connection): OperationIds {
  const newest = db.prepare<[], { id: number; cycleId: number }>(
    "SELECT id, cycle_id AS cycleId FROM operation ORDER BY id DESC LIMIT 1",
  );
  const noted = db
    .prepare<[string], number | null>("SELECT json_extract(value, '$.operation') FROM meta WHERE key = ?")
    .pluck();
  const note = db.prepare<{ key: string; id: number }>(
    `INSERT INTO meta (key, value) VALUES (:key, json_object('operation', :id))
     ON CONFLICT (key) DO UPDATE SET value = json_set(value, '$.operation', :id)`,
  );
  const last = (): number => Math.max(newest.get()?.id ?? 0, noted.get(fileNotes.newestIds) ?? 0);
  const keep = (): void => {
    note.run({ key: fileNotes.newestIds, id: last() });
  };
  return {
    next: () => last() + 1,
    beforeRemoved: (ids) => {
      const row = newest.get();
      if (row !== undefined && ids.includes(row.id)) keep();
    },
    beforePruned: (cycleIds) => {
      const row = newest.get();
      if (row !== undefined && cycleIds.includes(row.cycleId)) keep();
    },
  };
}
