import type { Json } from "../../domain/json.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import type {
  AccountPerson,
  AccountReport,
  LinkedPerson,
  PeopleQuery,
} from "../../domain/state/account-report.ts";
import {
  type AccountColumns,
  linkedPerson,
  type OwnAccountColumns,
  type OwnPersonColumns,
  type PersonColumns,
  reportedAccount,
} from "../reported-accounts.ts";
import type { Connection } from "./files/database.ts";
import { given, readTogether } from "./tuning.ts";

type AccountRow = AccountColumns & {
  readonly active: number;
  readonly active_known: number;
  /** JSON. */
  readonly department: string | null;
};

type PersonRow = PersonColumns & {
  /** JSON: a list. */
  readonly attributes: string;
  /** JSON; `null` for none. */
  readonly unshown: string | null;
  readonly member: number;
  readonly pending: number;
  readonly former: number;
  /** JSON; `null` for none. */
  readonly groups: string | null;
  readonly events: string | null;
};

/** A person who may have the account `account`, which is not linked; `person_lattice_id` is the one that is linked to the person. */
type PointedRow = PersonRow & { readonly account: string; readonly person_lattice_id: string | null };

interface LastWrite {
  readonly object_id: string;
  readonly at: number | null;
}

type Parameters = { readonly [name: string]: string | number | null };

// `->` leaves a value as JSON: whether it is a text is seen from its first character.
const accountsAfter = `SELECT lattice_id, object_id, user_name, external_id, active, active_known, missing_since,
    attributes -> ('$.' || json_quote(:department)) AS department
  FROM target_user WHERE lattice_id > :after ORDER BY lattice_id LIMIT ${given(":limit")}`;

// Of `source_user` as `s`. A table that has no row is not looked into for each person.
const personColumns = (properties: readonly string[]): string => `s.object_id AS person,
  json_array(${properties.map((_, index) => `s.attributes -> :property${index}`).join()}) AS attributes,
  s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason, coalesce(s.pending, 0) AS pending,
  (:everyone OR s.always_in_scope OR EXISTS (SELECT 1 FROM scope_member WHERE object_id = s.object_id)) AS member,
  CASE WHEN EXISTS (SELECT 1 FROM filter_group_member) THEN
    (SELECT json_group_array(group_name) FROM filter_group_member WHERE object_id = s.object_id HAVING count(*) > 0) END AS groups,
  CASE WHEN EXISTS (SELECT 1 FROM leaving_event) THEN
    (SELECT json_group_array(json_object('event', event, 'since', since)) FROM leaving_event
      WHERE object_id = s.object_id HAVING count(*) > 0) END AS events,
  r.code AS retry_code, r.message AS retry_message, r.next_try_at,
  CASE WHEN EXISTS (SELECT 1 FROM operation INDEXED BY operation_held WHERE status = 'held') THEN
    (SELECT reason FROM operation INDEXED BY operation_held WHERE object_id = s.object_id AND status = 'held'
      ORDER BY id DESC LIMIT 1) END AS held`;

const retries = "LEFT JOIN retry r ON r.object_id = s.object_id";

// Both tables in the order of the object ids: that of the index of one, and of the rows of the other.
const linkedAfter = (person: string): string => `SELECT ${person}, 0 AS former
  FROM target_user t CROSS JOIN source_user s ON s.object_id = t.object_id ${retries}
  WHERE t.object_id > :after ORDER BY t.object_id LIMIT ${given(":limit")}`;

const peopleOf = (person: string): string => `SELECT ${person}, 0 AS former
  FROM source_user s ${retries} WHERE s.object_id IN (SELECT value FROM json_each(:people))`;

const peopleOfUnlinked = (person: string): string => `WITH page AS MATERIALIZED (
    SELECT lattice_id, user_name_key, external_id FROM target_user WHERE lattice_id IN (SELECT value FROM json_each(:accounts))),
  pointed AS (
    SELECT p.lattice_id, s.object_id AS person, 0 AS former FROM page p CROSS JOIN source_user s ON s.user_name_key = p.user_name_key
    UNION ALL SELECT p.lattice_id, s.object_id, 0 FROM page p CROSS JOIN source_user s ON s.external_id_key = p.external_id
    UNION ALL SELECT p.lattice_id, s.object_id, 0 FROM page p CROSS JOIN source_user s ON s.object_id = p.external_id
    UNION ALL SELECT p.lattice_id, l.object_id, coalesce(l.external_id <> p.external_id, 1) FROM page p CROSS JOIN lost_link l ON l.lattice_id = p.lattice_id
    UNION ALL SELECT p.lattice_id, d.object_id, 0 FROM page p CROSS JOIN link_decision d ON d.lattice_id = p.lattice_id
      AND d.what = 'linked'),
  whose AS MATERIALIZED (SELECT lattice_id, person, min(former) AS former FROM pointed GROUP BY lattice_id, person)
  SELECT ${person}, w.former, w.lattice_id AS account,
    (SELECT lattice_id FROM target_user WHERE object_id = s.object_id) AS person_lattice_id
  FROM whose w CROSS JOIN source_user s ON s.object_id = w.person ${retries}
  ORDER BY w.lattice_id, s.object_id`;

const lastWritesOf = `SELECT object_id, max(finished_at) AS at FROM operation INDEXED BY operation_person
  WHERE object_id IN (SELECT value FROM json_each(?)) AND status = 'done' GROUP BY object_id`;
// The latest of each person is found outside of SQLite: with GROUP BY it sorts, which takes twice as long.
const writesInRange = `SELECT object_id, finished_at AS at FROM operation WHERE id BETWEEN ? AND ? AND status = 'done'`;

/** Operations in one statement: the event loop runs between two. */
const rangeSize = 10_000;
/** People in one statement. */
const peoplePerPage = 5_000;

/** The columns of people that are asked for, and the parameters of these. */
function asked({ everyoneInScope, properties }: PeopleQuery) {
  const paths = properties.map((name, index) => [`property${index}`, `$."${name}"`]);
  return {
    columns: personColumns(properties),
    parameters: { everyone: everyoneInScope ? 1 : 0, ...Object.fromEntries(paths) } as Parameters,
    personOf: (row: PersonRow) => linkedPerson(row, ownOfPerson, properties),
  };
}

/** Every account with the people to whom it belongs. */
export function accountReportMethods(
  db: Connection,
): Pick<AccountReport, "reportedAccounts" | "linkedPeople" | "lastWrites"> {
  const together = readTogether(db);
  const select = db.prepare<{ department: string | null; after: string; limit: number }, AccountRow>(
    accountsAfter,
  );
  /** People by object id. */
  const lookUp = (ids: readonly string[], query: PeopleQuery): ReadonlyMap<string, LinkedPerson> => {
    if (ids.length === 0) return new Map();
    const { columns, parameters, personOf } = asked(query);
    const found = db
      .prepare<[Parameters], PersonRow>(peopleOf(columns))
      .all({ ...parameters, people: JSON.stringify(ids) });
    return new Map(found.map((row) => [row.person, personOf(row)]));
  };
  /** People who may have accounts without a link, by Lattice id. */
  const pointed = (ids: readonly string[], query: PeopleQuery): ReadonlyMap<string, AccountPerson[]> => {
    if (ids.length === 0) return new Map();
    const { columns, parameters, personOf } = asked(query);
    const found = db
      .prepare<[Parameters], PointedRow>(peopleOfUnlinked(columns))
      .all({ ...parameters, accounts: JSON.stringify(ids) });
    const people = new Map<string, AccountPerson[]>();
    for (const row of found) {
      const person = { ...personOf(row), latticeId: row.person_lattice_id };
      const others = people.get(row.account);
      if (others === undefined) people.set(row.account, [person]);
      else others.push(person);
    }
    return people;
  };
  const writesOf = db.prepare<[string], LastWrite>(lastWritesOf);
  const writesIn = db.prepare<[number, number], LastWrite>(writesInRange);
  const newestId = db.prepare<[], number | null>("SELECT max(id) FROM operation").pluck();
  const oldestId = db.prepare<[], number | null>("SELECT min(id) FROM operation").pluck();
  const everybodysWrites = async (): Promise<Map<string, number>> => {
    const latest = new Map<string, number>();
    const newest = newestId.get() ?? 0;
    for (let from = oldestId.get() ?? 1; from <= newest; from += rangeSize) {
      for (const { object_id, at } of writesIn.all(from, from + rangeSize - 1)) {
        if (at !== null && at > (latest.get(object_id) ?? 0)) latest.set(object_id, at);
      }
      await new Promise(setImmediate);
    }
    return latest;
  };
  return {
    lastWrites: async (people) => {
      if (people === "everybody") return everybodysWrites();
      const found = writesOf.all(JSON.stringify(people));
      return new Map(found.flatMap(({ object_id, at }) => (at === null ? [] : [[object_id, at]])));
    },
    linkedPeople: async ({ limit, ...query }) => {
      const { columns, parameters, personOf } = asked(query);
      const page = db.prepare<[Parameters], PersonRow>(linkedAfter(columns));
      const people = new Map<string, LinkedPerson>();
      for (let after = ""; people.size < limit; ) {
        const size = Math.min(peoplePerPage, limit - people.size);
        const rows = page.all({ ...parameters, after, limit: size });
        for (const row of rows) people.set(row.person, personOf(row));
        if (rows.length < size) break;
        after = rows.at(-1)?.person ?? "";
        await new Promise(setImmediate);
      }
      return people;
    },
    reportedAccounts: async ({ department, people, after, limit, ...query }) =>
      together(() => {
        const rows = select.all({ department, after, limit });
        const owners = rows.map(({ object_id: id }) => (id === null ? undefined : people?.get(id)));
        const unread = rows.flatMap(({ object_id: id }, index) =>
          id === null || owners[index] !== undefined ? [] : [id],
        );
        const unlinked = rows.flatMap((row) => (row.object_id === null ? [row.lattice_id] : []));
        const found = lookUp(unread, query);
        const mayHave = pointed(unlinked, query);
        return rows.map((row, index) => {
          const { lattice_id: latticeId, object_id: id } = row;
          if (id === null) return reportedAccount(row, ownOfAccount, mayHave.get(latticeId) ?? []);
          const owner = owners[index] ?? found.get(id);
          return reportedAccount(row, ownOfAccount, owner === undefined ? [] : [{ ...owner, latticeId }]);
        });
      }),
  };
}

const ownOfAccount: OwnAccountColumns<AccountRow> = {
  active: ({ active, active_known }) => (active_known === 1 ? active === 1 : null),
  department: ({ department }) =>
    department?.startsWith('"') === true ? (JSON.parse(department) as string) : null,
};

const ownOfPerson: OwnPersonColumns<PersonRow> = {
  values: ({ attributes }) => JSON.parse(attributes) as Json[],
  unshown: ({ unshown }) => (unshown === null ? null : (JSON.parse(unshown) as string[])),
  member: ({ member }) => member === 1,
  pending: ({ pending }) => pending === 1,
  former: ({ former }) => former === 1,
  groups: ({ groups }) => (groups === null ? [] : (JSON.parse(groups) as string[])),
  events: ({ events }) =>
    events === null ? [] : (JSON.parse(events) as { event: LeavingEvent; since: number }[]),
};
