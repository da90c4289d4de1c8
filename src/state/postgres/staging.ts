import type { Move } from "../../domain/state/change.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Database } from "./connection/database.ts";

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

/** Members that one statement reads. */
const pageSize = 20_000;

const members =
  "SELECT object_id FROM scope_member WHERE job = $1 AND object_id > $2 ORDER BY object_id LIMIT $3";
const groupMembers = `SELECT object_id, group_name FROM filter_group_member
  WHERE job = $1 AND (object_id, group_name) > ($2, $3) ORDER BY object_id, group_name LIMIT $4`;

interface GroupMember {
  readonly object_id: string;
  readonly group_name: string;
}

/**
 * Stages the scope, and the groups that scoping filters or expressions name, in this process while they are read, and compares them with
 * those in force. So a cycle in which no one came or went writes nothing.
 */
export function stagingMethods(db: Database): StagingMethods {
  let scope = new Set<string>();
  let moved: readonly Move[] = [];
  let groups = new Map<string, Set<string>>();
  return {
    beginScope: async () => {
      scope = new Set();
      moved = [];
    },
    stageScope: async (objectIds) => {
      for (const objectId of objectIds) scope.add(objectId);
    },
    compareScope: async () => {
      moved = await compareScope(db, scope);
      return { members: scope.size };
    },
    movedInScope: async (after, limit) => page(moved, after, limit),
    beginNamedGroups: async () => {
      groups = new Map();
    },
    stageNamedGroup: async (group, objectIds) => {
      const staged = groups.get(group) ?? new Set();
      groups.set(group, staged);
      for (const objectId of objectIds) staged.add(objectId);
    },
    movedInGroups: () => compareGroups(db, groups),
  };
}

/** @returns the people who moved, in the order of their object ids */
async function compareScope(db: Database, staged: ReadonlySet<string>): Promise<readonly Move[]> {
  const moves: Move[] = [];
  const entering = new Set(staged);
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows: readonly { readonly object_id: string }[] = await db.all(members, after, pageSize);
    for (const { object_id: objectId } of rows) {
      if (!entering.delete(objectId)) moves.push({ objectId, entered: false });
    }
    after = rows.length === pageSize ? rows.at(-1)?.object_id : undefined;
  }
  for (const objectId of entering) moves.push({ objectId, entered: true });
  return moves.sort((one, other) => (one.objectId < other.objectId ? -1 : 1));
}

/** A page of moves that are in the order of their object ids. */
function page(moves: readonly Move[], after: string, limit: number): readonly Move[] {
  let [low, high] = [0, moves.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moves[middle]?.objectId ?? "") > after) high = middle;
    else low = middle + 1;
  }
  return moves.slice(low, low + limit);
}

async function compareGroups(
  db: Database,
  staged: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<readonly Move[]> {
  const moves: Move[] = [];
  const entering = new Map([...staged].map(([group, ids]) => [group, new Set(ids)]));
  for (let after: GroupMember | undefined = { object_id: "", group_name: "" }; after !== undefined; ) {
    const rows: readonly GroupMember[] = await db.all(
      groupMembers,
      after.object_id,
      after.group_name,
      pageSize,
    );
    for (const { object_id: objectId, group_name: group } of rows) {
      if (entering.get(group)?.delete(objectId) !== true) moves.push({ objectId, entered: false, group });
    }
    after = rows.length === pageSize ? rows.at(-1) : undefined;
  }
  for (const [group, ids] of entering) {
    for (const objectId of ids) moves.push({ objectId, entered: true, group });
  }
  return moves;
}
