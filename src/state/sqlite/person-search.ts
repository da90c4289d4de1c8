import { matcherOf } from "../../domain/person-search.ts";
import type { Presence } from "../../domain/source.ts";
import type { StateStore } from "../../domain/state/store.ts";
import {
  foundPerson,
  type Hit,
  type Known,
  knownAccount,
  knownName,
  knownPerson,
  searchFor,
} from "../people-search.ts";
import type { Connection } from "./files/database.ts";
import { linkedTarget, type SourceRow, sourceUser, type TargetRow } from "./rows.ts";

type PersonRow = readonly [
  objectId: string,
  displayName: string | null,
  userPrincipalName: string | null,
  mail: string | null,
  givenName: string | null,
  surname: string | null,
  employeeId: string | null,
  mappedExternalId: string | null,
  latticeId: string | null,
  userName: string | null,
  externalId: string | null,
];
type AccountRow = readonly [
  latticeId: string,
  objectId: string | null,
  displayName: string | null,
  userName: string,
  externalId: string | null,
];

/** Finds people by part of a name, in the last known data of Entra and Lattice and in the log. */
export function searchMethod(db: Connection): Pick<StateStore, "searchPeople"> {
  const everybody = walk(db);
  const person = db.prepare<[string], SourceRow & { readonly presence: Presence }>(
    "SELECT * FROM source_user WHERE object_id = ?",
  );
  const account = db.prepare<{ objectId: string | null; latticeId: string | null }, TargetRow>(
    "SELECT * FROM target_user WHERE object_id = :objectId OR lattice_id = :latticeId",
  );
  const describe = (hit: Hit, concealed: ReadonlySet<string>) => {
    const inEntra = hit.objectId === null ? undefined : person.get(hit.objectId);
    const inLattice = account.get({ objectId: hit.objectId, latticeId: hit.latticeId });
    return foundPerson(
      hit,
      inEntra === undefined ? undefined : sourceUser(inEntra),
      inLattice === undefined ? undefined : linkedTarget(inLattice),
      concealed,
    );
  };
  return {
    searchPeople: async ({ text, limit, concealed = [] }) =>
      db.transaction(() => {
        const hidden = new Set(concealed);
        const search = searchFor(text, limit);
        if (matcherOf(text) !== null) for (const known of everybody(hidden)) search.add(known);
        const found = search.found();
        return { ...found, people: found.people.map((hit) => describe(hit, hidden)) };
      })(),
  };
}

/** Object ids of people with a text in their names now, or in the log. */
export function peopleNamed(
  db: Connection,
): (text: string, concealed: readonly string[]) => ReadonlySet<string> {
  const everybody = walk(db);
  return (text, concealed) => {
    const matcher = matcherOf(text);
    const found = new Set<string>();
    if (matcher === null) return found;
    for (const known of everybody(new Set(concealed))) {
      const { objectId } = known;
      if (objectId !== null && !found.has(objectId) && matcher.matches(known)) found.add(objectId);
    }
    return found;
  };
}

/** Walks through all people and accounts, then every name in the log. The function takes the fields to leave out (redacted). */
function walk(db: Connection): (concealed: ReadonlySet<string>) => Generator<Known> {
  // `->>` gives any JSON value: a name that is a number in a hand-made directory is not an error.
  const people = db
    .prepare<[], PersonRow>(
      `SELECT s.object_id, s.attributes ->> '$.displayName', s.attributes ->> '$.userPrincipalName', s.attributes ->> '$.mail',
         s.attributes ->> '$.givenName', s.attributes ->> '$.surname', s.attributes ->> '$.employeeId', s.external_id_key,
         t.lattice_id, t.user_name, t.external_id
       FROM source_user s LEFT JOIN target_user t ON t.object_id = s.object_id`,
    )
    .raw();
  const accounts = db
    .prepare<[], AccountRow>(
      `SELECT t.lattice_id, t.object_id, t.attributes ->> '$.displayName', t.user_name, t.external_id FROM target_user t
       WHERE t.object_id IS NULL OR NOT EXISTS (SELECT 1 FROM source_user s WHERE s.object_id = t.object_id)`,
    )
    .raw();
  const logged = db
    .prepare<[], readonly [userName: string, objectId: string]>(
      "SELECT user_name, object_id FROM logged_name",
    )
    .raw();
  return function* (concealed) {
    for (const row of people.iterate()) {
      const [
        objectId,
        displayName,
        userPrincipalName,
        mail,
        givenName,
        surname,
        employeeId,
        mappedExternalId,
        latticeId,
        userName,
        externalId,
      ] = row;
      yield knownPerson(
        {
          objectId,
          displayName,
          userPrincipalName,
          mail,
          givenName,
          surname,
          employeeId,
          mappedExternalId,
          latticeId,
          userName,
          externalId,
        },
        concealed,
      );
    }
    for (const [latticeId, objectId, displayName, userName, externalId] of accounts.iterate()) {
      yield knownAccount({ latticeId, objectId, displayName, userName, externalId }, concealed);
    }
    if (concealed.has("userName")) return;
    for (const [userName, objectId] of logged.iterate()) yield knownName(userName, objectId);
  };
}
