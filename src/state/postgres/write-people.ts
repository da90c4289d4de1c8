import type { JsonObject } from "../../domain/json.ts";
import type { PersonRow, StateChange } from "../../domain/state/change.ts";
import { inOrder } from "../canonical-json.ts";
import { peopleMarked } from "../marked-people.ts";
import { asJson, type Session } from "./connection/database.ts";
import { lastByKey } from "./last-by-key.ts";
import { textOf } from "./rows.ts";

const putPeople = `INSERT INTO source_user (job, object_id, attributes, user_principal_name, enabled, manager_id, presence, unshown,
    user_name_key, external_id_key, always_in_scope, pending, read_in)
  SELECT $1, object_id, attributes, user_principal_name, enabled, manager_id, presence, unshown,
    user_name_key, external_id_key, always_in_scope, pending, $3
  FROM json_to_recordset($2::json) AS r (object_id text, attributes json, user_principal_name text, enabled boolean,
    manager_id text, presence text, unshown json, user_name_key text, external_id_key text, always_in_scope boolean, pending boolean)
  ON CONFLICT (job, object_id) DO UPDATE SET attributes = excluded.attributes,
    user_principal_name = excluded.user_principal_name, enabled = excluded.enabled, manager_id = excluded.manager_id,
    presence = excluded.presence, unshown = excluded.unshown, user_name_key = excluded.user_name_key,
    external_id_key = excluded.external_id_key, always_in_scope = excluded.always_in_scope, read_in = excluded.read_in`;
const seen = "UPDATE source_user SET read_in = $3 WHERE job = $1 AND object_id = ANY($2)";
const forget = "DELETE FROM source_user WHERE job = $1 AND object_id = ANY($2)";
const lookAgain = "UPDATE source_user SET look_again_at = $3 WHERE job = $1 AND object_id = ANY($2)";

/** Writes people of the directory, within a commit. */
export async function writePeople(
  session: Session,
  { people, forgotten = [], marks }: Pick<StateChange, "people" | "forgotten" | "marks">,
): Promise<void> {
  const { put: rows = [], seen: unchanged = [], readIn = 0 } = people ?? {};
  if (rows.length > 0) {
    const last = lastByKey(rows, ({ source }) => source.objectId);
    const marked = peopleMarked(marks);
    const put = last.map((row) => ({ ...columns(row), pending: marked.has(row.source.objectId) }));
    await session.run(putPeople, asJson(put), readIn);
  }
  if (unchanged.length > 0) await session.run(seen, unchanged, readIn);
  if (forgotten.length > 0) await session.run(forget, forgotten);
}

/** Writes when people are to be looked at again, within a commit. */
export async function writeLookAgain(
  session: Session,
  { objectIds, at }: NonNullable<StateChange["lookAgain"]>,
): Promise<void> {
  if (objectIds.length > 0) await session.run(lookAgain, objectIds, at);
}

/** Columns that copy what is in the attributes of a person, to find and count people by. */
export function copiedColumns({ accountEnabled, userPrincipalName }: JsonObject): {
  readonly user_principal_name: string | null;
  readonly enabled: boolean;
} {
  return {
    user_principal_name: textOf(userPrincipalName),
    enabled: accountEnabled !== false && accountEnabled !== 0,
  };
}

function columns({ source, ...derived }: PersonRow): object {
  return {
    object_id: source.objectId,
    attributes: inOrder(source.attributes),
    ...copiedColumns(source.attributes),
    manager_id: source.managerId,
    presence: source.presence,
    unshown: source.unshown,
    user_name_key: derived.userNameKey,
    external_id_key: derived.externalIdKey,
    always_in_scope: derived.alwaysInScope,
  };
}
