import { matcherOf } from "../../domain/person-search.ts";
import type { StateStore } from "../../domain/state/store.ts";
import {
  foundPerson,
  type Known,
  knownAccount,
  knownName,
  knownPerson,
  type SearchedAccount,
  type SearchedPerson,
  searchFor,
} from "../people-search.ts";
import type { Database } from "./connection/database.ts";
import { linkedTarget, type SourceRow, type TargetRow } from "./rows.ts";

// `->>` gives any value as text, so that a number in a hand-made directory is not an error.
const people = `SELECT s.object_id AS "objectId", s.attributes ->> 'displayName' AS "displayName",
    s.user_principal_name AS "userPrincipalName", s.attributes ->> 'mail' AS mail, s.attributes ->> 'givenName' AS "givenName",
    s.attributes ->> 'surname' AS surname, s.attributes ->> 'employeeId' AS "employeeId", s.external_id_key AS "mappedExternalId",
    t.lattice_id AS "latticeId", t.user_name AS "userName", t.external_id AS "externalId"
  FROM source_user s LEFT JOIN target_user t ON t.job = s.job AND t.object_id = s.object_id WHERE s.job = $1`;
const accounts = `SELECT t.lattice_id AS "latticeId", t.object_id AS "objectId", t.attributes ->> 'displayName' AS "displayName",
    t.user_name AS "userName", t.external_id AS "externalId" FROM target_user t
  WHERE t.job = $1 AND NOT EXISTS (SELECT 1 FROM source_user s WHERE s.job = $1 AND s.object_id = t.object_id)`;
const logged = `SELECT DISTINCT user_name AS "userName", object_id AS "objectId" FROM operation WHERE job = $1`;
const personOf = `SELECT object_id, attributes, manager_id, presence, unshown FROM source_user
  WHERE job = $1 AND object_id = ANY($2)`;
const accountOf =
  "SELECT * FROM target_user WHERE job = $1 AND (object_id = ANY($2) OR lattice_id = ANY($3))";

/** Finds people by part of a name, in the last known data of Entra and Lattice and in the log. */
export function searchMethods(db: Database): Pick<StateStore, "searchPeople"> {
  return {
    searchPeople: async ({ text, limit, concealed = [] }) => {
      const hidden = new Set(concealed);
      const search = searchFor(text, limit);
      if (matcherOf(text) !== null) await walk(db, hidden, search.add);
      const found = search.found();
      const objectIds = found.people.flatMap(({ objectId }) => objectId ?? []);
      const latticeIds = found.people.flatMap(({ latticeId }) => latticeId ?? []);
      const persons = new Map(
        (await db.all<SourceRow>(personOf, objectIds)).map((row) => [row.object_id, row]),
      );
      const rows = await db.all<TargetRow>(accountOf, objectIds, latticeIds);
      const byPerson = new Map(rows.map((row) => [row.object_id, linkedTarget(row)]));
      const byId = new Map(rows.map((row) => [row.lattice_id, linkedTarget(row)]));
      return {
        ...found,
        people: found.people.map((hit) => {
          const account =
            (hit.objectId === null ? undefined : byPerson.get(hit.objectId)) ?? byId.get(hit.latticeId ?? "");
          return foundPerson(hit, persons.get(hit.objectId ?? ""), account, hidden);
        }),
      };
    },
  };
}

/** Object ids of people whose names contain the text, now or in the log. */
export async function peopleNamed(
  db: Database,
  text: string,
  concealed: readonly string[],
): Promise<ReadonlySet<string>> {
  const matcher = matcherOf(text);
  const found = new Set<string>();
  if (matcher === null) return found;
  await walk(db, new Set(concealed), (known) => {
    const { objectId } = known;
    if (objectId !== null && !found.has(objectId) && matcher.matches(known)) found.add(objectId);
  });
  return found;
}

/** Visits everyone in the last known data of Entra or Lattice, then every name in the log unless user names are concealed. */
async function walk(
  db: Database,
  concealed: ReadonlySet<string>,
  visit: (known: Known) => void,
): Promise<void> {
  await db.walk<SearchedPerson>(people, (person) => visit(knownPerson(person, concealed)));
  await db.walk<SearchedAccount>(accounts, (account) => visit(knownAccount(account, concealed)));
  if (concealed.has("userName")) return;
  await db.walk<{ userName: string; objectId: string }>(logged, ({ userName, objectId }) =>
    visit(knownName(userName, objectId)),
  );
}
