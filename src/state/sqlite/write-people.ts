import type { PersonRow, StateChange } from "../../domain/state/change.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { Connection } from "./files/database.ts";

/** Writes people of the directory, within a commit. */
export interface PeopleWriter {
  /** @param marked people who are marked if they are new */
  put(people: NonNullable<StateChange["people"]>, marked: ReadonlySet<string>): void;
  forget(objectIds: readonly string[]): void;
  lookAgain(people: NonNullable<StateChange["lookAgain"]>): void;
}

export function peopleWriter(db: Connection): PeopleWriter {
  const put = db.prepare<PersonColumns & { readonly pending: number }>(
    `INSERT INTO source_user (object_id, attributes, manager_id, presence, unshown, user_name_key, external_id_key, always_in_scope, read_in, pending)
     VALUES (:objectId, :attributes, :managerId, :presence, :unshown, :userNameKey, :externalIdKey, :alwaysInScope, :readIn, :pending)
     ON CONFLICT (object_id) DO UPDATE SET attributes = excluded.attributes, manager_id = excluded.manager_id,
       presence = excluded.presence, unshown = excluded.unshown, user_name_key = excluded.user_name_key,
       external_id_key = excluded.external_id_key, always_in_scope = excluded.always_in_scope, read_in = excluded.read_in`,
  );
  const seen = db.prepare<[number, string]>("UPDATE source_user SET read_in = ? WHERE object_id = ?");
  const forget = db.prepare<[string]>(
    "DELETE FROM source_user WHERE object_id IN (SELECT value FROM json_each(?))",
  );
  const lookAgain = db.prepare<[number | null, string]>(
    "UPDATE source_user SET look_again_at = ? WHERE object_id IN (SELECT value FROM json_each(?))",
  );
  return {
    put: (people, marked) => {
      for (const row of people.put ?? []) {
        put.run({ ...columns(row, people.readIn), pending: marked.has(row.source.objectId) ? 1 : 0 });
      }
      for (const objectId of people.seen ?? []) seen.run(people.readIn, objectId);
    },
    forget: (objectIds) => {
      forget.run(JSON.stringify(objectIds));
    },
    lookAgain: ({ objectIds, at }) => {
      lookAgain.run(at, JSON.stringify(objectIds));
    },
  };
}

interface PersonColumns {
  readonly objectId: string;
  readonly attributes: string;
  readonly managerId: string | null;
  readonly presence: string;
  readonly unshown: string | null;
  readonly userNameKey: string | null;
  readonly externalIdKey: string | null;
  readonly alwaysInScope: number;
  readonly readIn: number;
}

function columns({ source, ...derived }: PersonRow, readIn: number): PersonColumns {
  return {
    objectId: source.objectId,
    attributes: canonicalJson(source.attributes),
    managerId: source.managerId,
    presence: source.presence,
    unshown: source.unshown === undefined ? null : JSON.stringify(source.unshown),
    userNameKey: derived.userNameKey,
    externalIdKey: derived.externalIdKey,
    alwaysInScope: derived.alwaysInScope ? 1 : 0,
    readIn,
  };
}
