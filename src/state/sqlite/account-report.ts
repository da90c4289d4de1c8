import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { AccountReport } from "../../domain/state/account-report.ts";
import { type OwnColumns, type ReportedRow, reportedAccounts } from "../reported-accounts.ts";
import type { Connection } from "./files/database.ts";
import { sourceUser } from "./rows.ts";
import { given, readTogether } from "./tuning.ts";

type Row = ReportedRow & {
  readonly active: number;
  readonly active_known: number;
  /** JSON. */
  readonly department: string | null;
  readonly attributes: string;
  readonly manager_id: string | null;
  readonly presence: Presence;
  readonly unshown: string | null;
  readonly member: number;
  readonly pending: number;
  readonly former: number;
  /** JSON; `null` for none. */
  readonly groups: string | null;
  readonly events: string | null;
};

/** A row without the columns of the account, for the account `account`. */
type PersonRow = Omit<Row, AccountColumn> & { readonly account: string };
interface LastWrite {
  readonly object_id: string;
  readonly at: number | null;
}
type AccountColumn =
  | "lattice_id"
  | "object_id"
  | "user_name"
  | "external_id"
  | "active"
  | "active_known"
  | "department"
  | "missing_since";

// Of `source_user` as `s`. A table that has no row is not looked into for each person.
const person = `s.object_id AS person, s.attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
  coalesce(s.pending, 0) AS pending,
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

// `->` leaves a value as JSON: whether it is a text is seen from its first character, and the document is parsed once.
const accountsWithOwners = `SELECT t.lattice_id, t.object_id, t.user_name, t.external_id, t.active, t.active_known, t.missing_since,
    t.attributes -> ('$.' || json_quote(:department)) AS department,
    0 AS former, t.lattice_id AS person_lattice_id, ${person}
  FROM target_user t LEFT JOIN source_user s ON s.object_id = t.object_id LEFT JOIN retry r ON r.object_id = s.object_id
  WHERE t.lattice_id > :after ORDER BY t.lattice_id LIMIT ${given(":limit")}`;

const peopleOfUnlinked = `WITH page AS MATERIALIZED (
    SELECT lattice_id, user_name_key, external_id FROM target_user WHERE lattice_id IN (SELECT value FROM json_each(:accounts))),
  pointed AS (
    SELECT p.lattice_id, s.object_id AS person, 0 AS former FROM page p CROSS JOIN source_user s ON s.user_name_key = p.user_name_key
    UNION ALL SELECT p.lattice_id, s.object_id, 0 FROM page p CROSS JOIN source_user s ON s.external_id_key = p.external_id
    UNION ALL SELECT p.lattice_id, s.object_id, 0 FROM page p CROSS JOIN source_user s ON s.object_id = p.external_id
    UNION ALL SELECT p.lattice_id, l.object_id, coalesce(l.external_id <> p.external_id, 1) FROM page p CROSS JOIN lost_link l ON l.lattice_id = p.lattice_id
    UNION ALL SELECT p.lattice_id, d.object_id, 0 FROM page p CROSS JOIN link_decision d ON d.lattice_id = p.lattice_id
      AND d.what = 'linked'),
  whose AS MATERIALIZED (SELECT lattice_id, person, min(former) AS former FROM pointed GROUP BY lattice_id, person)
  SELECT w.lattice_id AS account, w.former,
    (SELECT lattice_id FROM target_user WHERE object_id = s.object_id) AS person_lattice_id, ${person}
  FROM whose w CROSS JOIN source_user s ON s.object_id = w.person LEFT JOIN retry r ON r.object_id = s.object_id
  ORDER BY w.lattice_id, s.object_id`;

const lastWritesOf = `SELECT object_id, max(finished_at) AS at FROM operation INDEXED BY operation_person
  WHERE object_id IN (SELECT value FROM json_each(?)) AND status = 'done' GROUP BY object_id`;
// The latest of each person is found outside of SQLite: with GROUP BY it sorts, which takes twice as long.
const writesInRange = `SELECT object_id, finished_at AS at FROM operation WHERE id BETWEEN ? AND ? AND status = 'done'`;

/** Operations in one statement: the event loop runs between two. */
const rangeSize = 10_000;

/** Every account with the people to whom it belongs. */
export function accountReportMethods(db: Connection): Pick<AccountReport, "reportedAccounts" | "lastWrites"> {
  const together = readTogether(db);
  const select = db.prepare<
    { everyone: number; department: string | null; after: string; limit: number },
    Row
  >(accountsWithOwners);
  const ofUnlinked = db.prepare<{ everyone: number; accounts: string }, PersonRow>(peopleOfUnlinked);
  /** The rows of a page, with those of people who may have the accounts without a link. */
  const withPeople = (page: readonly Row[], everyone: number): readonly Row[] => {
    const unlinked = page.filter((row) => row.object_id === null).map((row) => row.lattice_id);
    if (unlinked.length === 0) return page;
    const found = ofUnlinked.all({ everyone, accounts: JSON.stringify(unlinked) });
    const people = Map.groupBy(found, ({ account }) => account);
    return page.flatMap((row) => people.get(row.lattice_id)?.map((one) => ({ ...row, ...one })) ?? row);
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
    reportedAccounts: async ({ everyoneInScope, department, after, limit }) => {
      const everyone = everyoneInScope ? 1 : 0;
      const rows = together(() => withPeople(select.all({ everyone, department, after, limit }), everyone));
      return reportedAccounts(rows, ownColumns);
    },
  };
}

const ownColumns: OwnColumns<Row> = {
  source: ({ person, attributes, manager_id, presence, unshown }) =>
    sourceUser({ object_id: person ?? "", attributes, manager_id, presence, unshown }),
  active: ({ active, active_known }) => (active_known === 1 ? active === 1 : null),
  department: ({ department }) =>
    department?.startsWith('"') === true ? (JSON.parse(department) as string) : null,
  member: ({ member }) => member === 1,
  pending: ({ pending }) => pending === 1,
  former: ({ former }) => former === 1,
  groups: ({ groups }) => (groups === null ? [] : (JSON.parse(groups) as string[])),
  events: ({ events }) =>
    events === null ? [] : (JSON.parse(events) as { event: LeavingEvent; since: number }[]),
};
