import {
  type Closeness,
  closeness,
  type FoundPerson,
  folded,
  matcherOf,
  type SearchedFields,
} from "../../domain/person-search.ts";
import type { Presence } from "../../domain/source.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";

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

/** A person or an account with the fields that the search compares. A person has a further one for each name in the log. */
interface Known extends SearchedFields {
  readonly objectId: string | null;
  readonly latticeId: string | null;
  /** A name in the log, which may be a former one. */
  readonly loggedName: string | null;
}

/** A match. It keeps few values, because everybody may match. */
interface Hit extends Pick<Known, "objectId" | "latticeId" | "loggedName"> {
  readonly close: Closeness;
  /** Folded, to put hits in order. */
  readonly label: string;
}

/** Finds people by part of a name, in the last known data of Entra and Lattice and in the log. */
export function searchMethod(db: Connection): Pick<StateStore, "searchPeople"> {
  const everybody = walk(db);
  const person = db.prepare<[string], { attributes: string; presence: Presence }>(
    "SELECT attributes, presence FROM source_user WHERE object_id = ?",
  );
  const account = db.prepare<
    { objectId: string | null; latticeId: string | null },
    {
      lattice_id: string;
      user_name: string;
      attributes: string;
      active: number;
      active_known: number;
    }
  >(
    "SELECT lattice_id, user_name, attributes, active, active_known FROM target_user WHERE object_id = :objectId OR lattice_id = :latticeId",
  );

  const describe = (hit: Hit, concealed: ReadonlySet<string>): FoundPerson => {
    const inEntra = hit.objectId === null ? undefined : person.get(hit.objectId);
    const inLattice = account.get({ objectId: hit.objectId, latticeId: hit.latticeId });
    const texts = (json: string | undefined) => {
      const values: { readonly [name: string]: unknown } = json === undefined ? {} : JSON.parse(json);
      return (name: string): string | null => {
        const value = values[name];
        return typeof value === "string" && value !== "" && !concealed.has(name) ? value : null;
      };
    };
    const [ofPerson, ofAccount] = [texts(inEntra?.attributes), texts(inLattice?.attributes)];
    const userName = concealed.has("userName") ? null : (inLattice?.user_name ?? hit.loggedName);
    return {
      objectId: hit.objectId,
      latticeId: inLattice?.lattice_id ?? null,
      displayName:
        ofPerson("displayName") ??
        join(ofPerson("givenName"), ofPerson("surname")) ??
        ofAccount("displayName"),
      userName: ofPerson("userPrincipalName") ?? userName,
      jobTitle: ofPerson("jobTitle"),
      department: ofPerson("department"),
      presence: inEntra?.presence ?? null,
      active: inLattice?.active_known === 1 ? inLattice.active === 1 : null,
    };
  };

  return {
    searchPeople: async ({ text, limit, concealed = [] }) =>
      db.transaction(() => {
        const hidden = new Set(concealed);
        const found = closest(text, everybody(hidden), limit);
        return { ...found, people: found.people.map((hit) => describe(hit, hidden)) };
      })(),
  };
}

/** Each person once, by the closest of the names. For people beyond `limit` only the id is kept. */
function closest(
  text: string,
  everybody: Iterable<Known>,
  limit: number,
): { readonly people: readonly Hit[]; readonly total: number; readonly equal: number } {
  const matcher = matcherOf(text);
  const closenessOf = new Map<string, Closeness>();
  const people: Hit[] = [];
  let equal = 0;
  for (const known of matcher === null ? [] : everybody) {
    const close = matcher?.closenessOf(known) ?? null;
    if (close === null) continue;
    const { objectId, latticeId, loggedName, names } = known;
    const key = idOf(known);
    const before = closenessOf.get(key);
    // A former name, which only the log has, counts only if it is a closer match.
    if (before !== undefined && before <= close) continue;
    closenessOf.set(key, close);
    if (close === closeness.equal) equal += 1;
    if (before !== undefined) {
      const index = people.findIndex((hit) => idOf(hit) === key);
      if (index !== -1) people.splice(index, 1);
    }
    const label = folded(names.find((name) => name !== null) ?? key);
    const hit = { close, label, objectId, latticeId, loggedName };
    const last = people[limit - 1];
    if (last !== undefined && order(last, hit) < 0) continue;
    people.push(hit);
    people.sort(order);
    people.length = Math.min(people.length, limit);
  }
  return { people, total: closenessOf.size, equal };
}

function order(left: Hit, right: Hit): number {
  return left.close - right.close || compare(left.label, right.label) || compare(idOf(left), idOf(right));
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
    const open = (name: string, value: string | null): string | null =>
      value === null || concealed.has(name) ? null : String(value);
    for (const row of people.iterate()) {
      const [
        objectId,
        displayName,
        principal,
        mail,
        given,
        surname,
        employee,
        key,
        latticeId,
        userName,
        external,
      ] = row;
      yield {
        objectId,
        latticeId,
        loggedName: null,
        names: [
          open("displayName", displayName) ?? join(open("givenName", given), open("surname", surname)),
          open("userPrincipalName", principal),
          open("mail", mail),
          open("userName", userName),
        ],
        ids: [
          objectId,
          latticeId,
          open("employeeId", employee),
          open("externalId", key),
          open("externalId", external),
        ],
      };
    }
    for (const [latticeId, objectId, displayName, userName, external] of accounts.iterate()) {
      yield {
        objectId,
        latticeId,
        loggedName: null,
        names: [open("displayName", displayName), open("userName", userName)],
        ids: [latticeId, open("externalId", external)],
      };
    }
    if (concealed.has("userName")) return;
    for (const [userName, objectId] of logged.iterate()) {
      yield { objectId, latticeId: null, loggedName: userName, names: [userName], ids: [objectId] };
    }
  };
}

function idOf({ objectId, latticeId }: Pick<Known, "objectId" | "latticeId">): string {
  return objectId ?? latticeId ?? "";
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function join(first: string | null, last: string | null): string | null {
  const words = [first, last].filter((word) => word !== null && word !== "");
  return words.length === 0 ? null : words.join(" ");
}
