import type { Move } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";

/** Writes changes of membership (of the scope, or of a group), within a commit. */
export function movesWriter(db: Connection): (moves: readonly Move[]) => void {
  const enter = db.prepare<[string]>("INSERT OR IGNORE INTO scope_member (object_id) VALUES (?)");
  const leave = db.prepare<[string]>("DELETE FROM scope_member WHERE object_id = ?");
  const enterGroup = db.prepare<[string, string]>(
    "INSERT OR IGNORE INTO filter_group_member (object_id, group_name) VALUES (?, ?)",
  );
  const leaveGroup = db.prepare<[string, string]>(
    "DELETE FROM filter_group_member WHERE object_id = ? AND group_name = ?",
  );
  return (moves) => {
    for (const { objectId, entered, group } of moves) {
      if (group === undefined) (entered ? enter : leave).run(objectId);
      else (entered ? enterGroup : leaveGroup).run(objectId, group);
    }
  };
}
