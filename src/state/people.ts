import { closeness, type FoundPerson, folded, matcherOf } from "../domain/person-search.ts";
import type { Presence } from "../domain/source.ts";
import type { StateStore } from "../domain/store.ts";
import type { Connection } from "./database.ts";

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

/** Somebody in whose names the text is; few values, because there may be as many as there are people. */
interface Hit {
  readonly close: number;
  /** Folded, to put hits in order. */
  readonly label: string;
  readonly objectId: string | null;
  readonly latticeId: string | null;
  /** Known to the log alone. */
  readonly loggedName: string | null;
}

/** People by a part of a name: of either picture, and of the log. */
export function peopleMethods(db: Connection): Pick<StateStore, "searchPeople"> {
  // Values as JSON has them: text of any kind, so that a number of a hand-made directory is no error.
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
    .prepare<[], readonly [userName: string, objectId: string, isPresent: number]>(
      `SELECT l.user_name, l.object_id, EXISTS (SELECT 1 FROM source_user s WHERE s.object_id = l.object_id) FROM logged_name l`,
    )
    .raw();
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

  function* hits(text: string, concealed: ReadonlySet<string>): Generator<Hit> {
    const closenessOf = matcherOf(text);
    if (closenessOf === null) return;
    const open = (name: string, value: string | null): string | null =>
      value === null || concealed.has(name) ? null : String(value);
    const found = new Set<string>();
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
      const shown = open("displayName", displayName);
      const close = closenessOf({
        names: [
          shown ?? join(open("givenName", given), open("surname", surname)),
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
      });
      if (close === null) continue;
      found.add(objectId);
      yield { close, label: folded(shown ?? objectId), objectId, latticeId, loggedName: null };
    }
    for (const [latticeId, objectId, displayName, userName, external] of accounts.iterate()) {
      const names = [open("displayName", displayName), open("userName", userName)];
      const close = closenessOf({ names, ids: [latticeId, open("externalId", external)] });
      if (close === null) continue;
      if (objectId !== null) found.add(objectId);
      yield { close, label: folded(names[0] ?? latticeId), objectId, latticeId, loggedName: null };
    }
    if (concealed.has("userName")) return;
    // Former names, and those of people whom both pictures have lost.
    const former = new Map<string, Hit>();
    for (const [userName, objectId, isPresent] of logged.iterate()) {
      if (found.has(objectId)) continue;
      const close = closenessOf({ names: [userName], ids: [objectId] });
      if (close === null || close >= (former.get(objectId)?.close ?? Number.POSITIVE_INFINITY)) continue;
      const loggedName = isPresent === 1 ? null : userName;
      former.set(objectId, { close, label: folded(userName), objectId, latticeId: null, loggedName });
    }
    yield* former.values();
  }

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
        const all = [...hits(text, hidden)].sort(
          (left, right) =>
            left.close - right.close || compare(left.label, right.label) || compare(idOf(left), idOf(right)),
        );
        return {
          people: all.slice(0, limit).map((hit) => describe(hit, hidden)),
          total: all.length,
          equal: all.filter(({ close }) => close === closeness.equal).length,
        };
      })(),
  };
}

function idOf({ objectId, latticeId }: Hit): string {
  return objectId ?? latticeId ?? "";
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function join(first: string | null, last: string | null): string | null {
  const words = [first, last].filter((word) => word !== null && word !== "");
  return words.length === 0 ? null : words.join(" ");
}
