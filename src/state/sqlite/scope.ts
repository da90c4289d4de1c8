import type { StateStore } from "../../domain/store.ts";
import { markMoved } from "./due.ts";
import type { Connection } from "./files/database.ts";

type ScopeMethods = Pick<StateStore, "beginScope" | "stageScope" | "commitScope" | "setMembership">;

/** Members that are compared at a time; what else waits has its turn in between. */
const sliceSize = 5_000;

/**
 * The scope: replaced as a whole by what was read, by applying the difference alone. What is read is staged in a table that
 * is this connection's, so that a cycle in which nobody came or went writes nothing.
 */
export function scopeMethods(db: Connection): ScopeMethods {
  // A file of its own would be needed where there may be no folder to write to.
  db.pragma("temp_store = MEMORY");
  db.exec(`CREATE TEMP TABLE IF NOT EXISTS scope_staging (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS moved_member (object_id TEXT PRIMARY KEY, entered INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
  const stage = db.prepare<[string]>(
    "INSERT OR IGNORE INTO temp.scope_staging SELECT value FROM json_each(?)",
  );
  const findMoved = comparing(db);
  const clearStaged = db.prepare("DELETE FROM temp.scope_staging");
  const clearMoved = db.prepare("DELETE FROM temp.moved_member");
  const clear = (): void => {
    clearStaged.run();
    clearMoved.run();
  };
  const mark = db.prepare<[number]>(
    `UPDATE source_user SET pending = 1
     WHERE object_id IN (SELECT object_id FROM temp.moved_member WHERE entered = ?)`,
  );
  const follow = [
    ...markMoved("SELECT object_id FROM temp.moved_member"),
    // A run that has lost the lease may have written meanwhile.
    "INSERT OR IGNORE INTO scope_member SELECT object_id FROM temp.moved_member WHERE entered = 1",
    "DELETE FROM scope_member WHERE object_id IN (SELECT object_id FROM temp.moved_member WHERE entered = 0)",
  ].map((sql) => db.prepare(sql));
  const apply = db.transaction(() => {
    const [entered, left] = [mark.run(1).changes, mark.run(0).changes];
    for (const statement of follow) statement.run();
    return { entered, left };
  });
  return {
    setMembership: settingMembership(db),
    beginScope: async () => clear(),
    stageScope: async (objectIds) => {
      stage.run(JSON.stringify(objectIds));
    },
    commitScope: async () => {
      const { members, moved } = await findMoved();
      const change = moved === 0 ? { entered: 0, left: 0 } : apply.immediate();
      clear();
      return { members, ...change };
    },
  };
}

/** Notes who is in one of the two lists alone. @returns how many were staged, and how many were noted */
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

function settingMembership(db: Connection): StateStore["setMembership"] {
  const enter = db.prepare<[string]>("INSERT OR IGNORE INTO scope_member (object_id) VALUES (?)");
  const leave = db.prepare<[string]>("DELETE FROM scope_member WHERE object_id = ?");
  const mark = db.prepare<{ id: string }>(
    `UPDATE source_user SET pending = 1 WHERE object_id = :id
       OR user_name_key = (SELECT user_name_key FROM source_user WHERE object_id = :id)
       OR external_id_key = (SELECT external_id_key FROM source_user WHERE object_id = :id)`,
  );
  const retryNow = db.prepare<[string]>("UPDATE retry SET next_try_at = 0 WHERE object_id = ?");
  const move = (statement: typeof enter, objectId: string): void => {
    if (statement.run(objectId).changes === 0) return;
    mark.run({ id: objectId });
    retryNow.run(objectId);
  };
  return async ({ members, others }) => {
    db.transaction(() => {
      for (const objectId of members) move(enter, objectId);
      for (const objectId of others) move(leave, objectId);
    })();
  };
}
