import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./tuning.ts";

type StagingMethods = Pick<
  StateStore,
  | "beginScope"
  | "stageScope"
  | "compareScope"
  | "movedInScope"
  | "beginNamedGroups"
  | "stageNamedGroup"
  | "movedInGroups"
>;

/** Members that are compared at a time; the event loop runs in between. */
const sliceSize = 5_000;

/**
 * Staging of the scope, and of the groups that scoping filters or expressions name, while they are read. The staged members are compared
 * with those in force, so that a cycle in which no membership changed writes nothing. Only this connection sees them.
 */
export function stagingMethods(db: Connection): StagingMethods {
  // In memory, because there may be no folder for a temporary file.
  db.pragma("temp_store = MEMORY");
  db.exec(`CREATE TEMP TABLE IF NOT EXISTS scope_staging (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS moved_member (object_id TEXT PRIMARY KEY, entered INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
  const stage = db.prepare<[string]>(
    "INSERT OR IGNORE INTO temp.scope_staging SELECT value FROM json_each(?)",
  );
  const findMoved = comparing(db);
  const clear = ["DELETE FROM temp.scope_staging", "DELETE FROM temp.moved_member"].map((sql) =>
    db.prepare(sql),
  );
  const moved = db.prepare<[string, number], { object_id: string; entered: number }>(
    `SELECT object_id, entered FROM temp.moved_member WHERE object_id > ? ORDER BY object_id LIMIT ${given("?")}`,
  );
  return {
    beginScope: async () => {
      for (const statement of clear) statement.run();
    },
    stageScope: async (objectIds) => {
      stage.run(JSON.stringify(objectIds));
    },
    compareScope: async () => ({ members: (await findMoved()).members }),
    movedInScope: async (after, limit) =>
      moved
        .all(after, limit)
        .map(({ object_id, entered }) => ({ objectId: object_id, entered: entered === 1 })),
    ...groupMethods(db),
  };
}

function groupMethods(
  db: Connection,
): Pick<StateStore, "beginNamedGroups" | "stageNamedGroup" | "movedInGroups"> {
  db.exec(`CREATE TEMP TABLE IF NOT EXISTS group_staging (object_id TEXT NOT NULL, group_name TEXT NOT NULL,
    PRIMARY KEY (object_id, group_name)) STRICT, WITHOUT ROWID`);
  const clear = db.prepare("DELETE FROM temp.group_staging");
  const stage = db.prepare<[string, string]>(
    "INSERT OR IGNORE INTO temp.group_staging (object_id, group_name) SELECT value, ? FROM json_each(?)",
  );
  const missingFrom = (one: string, other: string, entered: number): string =>
    `SELECT object_id, group_name, ${entered} AS entered FROM ${one} AS one WHERE NOT EXISTS
       (SELECT 1 FROM ${other} AS other WHERE other.object_id = one.object_id AND other.group_name = one.group_name)`;
  const moved = db.prepare<[], { object_id: string; group_name: string; entered: number }>(
    `${missingFrom("temp.group_staging", "main.filter_group_member", 1)}
     UNION ALL ${missingFrom("main.filter_group_member", "temp.group_staging", 0)}`,
  );
  return {
    beginNamedGroups: async () => {
      clear.run();
    },
    stageNamedGroup: async (group, objectIds) => {
      stage.run(group, JSON.stringify(objectIds));
    },
    movedInGroups: async () =>
      moved.all().map(({ object_id, group_name, entered }) => ({
        objectId: object_id,
        group: group_name,
        entered: entered === 1,
      })),
  };
}

/** Notes people who are in only one of the two lists. @returns the number of staged people, and of noted ones */
function comparing(db: Connection): () => Promise<{ readonly members: number; readonly moved: number }> {
  const compare = (one: string, other: string, entered: number) => {
    const slice = `SELECT object_id FROM ${one} WHERE object_id > :after ORDER BY object_id LIMIT ${sliceSize}`;
    const next = db.prepare<{ after: string }, { count: number; last: string | null }>(
      `SELECT count(*) AS count, max(object_id) AS last FROM (${slice})`,
    );
    const note = db.prepare<{ after: string }>(
      `INSERT INTO temp.moved_member SELECT object_id, ${entered} FROM (${slice}) AS one
       WHERE NOT EXISTS (SELECT 1 FROM ${other} AS other WHERE other.object_id = one.object_id)`,
    );
    return async (): Promise<{ count: number; noted: number }> => {
      let [count, noted, after] = [0, 0, ""];
      for (;;) {
        const found = next.get({ after });
        if (found === undefined || found.last === null) return { count, noted };
        noted += note.run({ after }).changes;
        count += found.count;
        after = found.last;
        if (found.count === sliceSize) await new Promise(setImmediate);
      }
    };
  };
  const entering = compare("temp.scope_staging", "main.scope_member", 1);
  const leaving = compare("main.scope_member", "temp.scope_staging", 0);
  return async () => {
    const [entered, left] = [await entering(), await leaving()];
    return { members: entered.count, moved: entered.noted + left.noted };
  };
}
