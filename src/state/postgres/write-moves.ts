import type { Move } from "../../domain/state/change.ts";
import type { Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";

const enter = `INSERT INTO scope_member (job, object_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`;
const leave = "DELETE FROM scope_member WHERE job = $1 AND object_id = ANY($2)";
const enterGroup = `INSERT INTO filter_group_member (job, object_id, group_name)
  SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING`;
const leaveGroup = `DELETE FROM filter_group_member m USING unnest($2::text[], $3::text[]) AS r (object_id, group_name)
  WHERE m.job = $1 AND m.object_id = r.object_id AND m.group_name = r.group_name`;

/** Writes who entered or left the scope, or a group, within a commit. */
export async function writeMoves(session: Session, moves: readonly Move[]): Promise<void> {
  const last = lastByKey(moves, ({ objectId, group }) => JSON.stringify([objectId, group]));
  for (const [entered, scope, groups] of [
    [true, enter, enterGroup],
    [false, leave, leaveGroup],
  ] as const) {
    const some = last.filter((move) => move.entered === entered);
    const inScope = some.flatMap(({ objectId, group }) => (group === undefined ? [objectId] : []));
    if (inScope.length > 0) await session.run(scope, inScope);
    const inGroups = some.flatMap(({ objectId, group }) =>
      group === undefined ? [] : [{ objectId, group }],
    );
    if (inGroups.length > 0) {
      const objectIds = inGroups.map(({ objectId }) => objectId);
      const names = inGroups.map(({ group }) => group);
      await session.run(groups, objectIds, names);
    }
  }
}
