import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { AccountReport } from "../../domain/state/account-report.ts";
import { type ReportedRow, reportedAccounts } from "../reported-accounts.ts";
import type { Connection } from "./files/database.ts";
import { sourceUser } from "./rows.ts";
import { given, readTogether } from "./tuning.ts";

type Row = Omit<ReportedRow, "active" | "source" | "member" | "groups" | "events" | "pending"> & {
  readonly active: number;
  readonly active_known: number;
  readonly person: string | null;
  readonly attributes: string;
  readonly manager_id: string | null;
  readonly presence: Presence;
  readonly unshown: string | null;
  readonly member: number;
  readonly pending: number;
  /** JSON; `null` for none. */
  readonly groups: string | null;
  readonly events: string | null;
};

/** A row without the columns of the account, for the account `account`. */
type PersonRow = Omit<Row, AccountColumn> & { readonly account: string };
type AccountColumn =
  | "lattice_id"
  | "object_id"
  | "user_name"
  | "external_id"
  | "active"
  | "active_known"
  | "department"
  | "missing_since"
  | "written_at";

/** Of `source_user` as `s`. */
const person = `s.object_id AS person, s.attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
  coalesce(s.pending, 0) AS pending,
  (:everyone OR s.always_in_scope OR EXISTS (SELECT 1 FROM scope_member WHERE object_id = s.object_id)) AS member,
  (SELECT json_group_array(group_name) FROM filter_group_member WHERE object_id = s.object_id HAVING count(*) > 0) AS groups,
  (SELECT json_group_array(json_object('event', event, 'since', since)) FROM leaving_event
    WHERE object_id = s.object_id HAVING count(*) > 0) AS events,
  r.code AS retry_code, r.message AS retry_message, r.next_try_at,
  (SELECT reason FROM operation INDEXED BY operation_held WHERE object_id = s.object_id AND status = 'held'
    ORDER BY id DESC LIMIT 1) AS held`;

// `->` leaves a value as JSON: whether it is a text is seen from its first character, and the document is parsed once.
const accountsWithOwners = `SELECT t.lattice_id, t.object_id, t.user_name, t.external_id, t.active, t.active_known, t.missing_since,
    t.attributes -> ('$.' || json_quote(:department)) AS department,
    (SELECT max(finished_at) FROM operation INDEXED BY operation_person
      WHERE object_id = t.object_id AND status = 'done') AS written_at,
    t.lattice_id AS person_lattice_id, ${person}
  FROM target_user t LEFT JOIN source_user s ON s.object_id = t.object_id LEFT JOIN retry r ON r.object_id = s.object_id
  WHERE t.lattice_id > :after ORDER BY t.lattice_id LIMIT ${given(":limit")}`;

const peopleOfUnlinked = `WITH page AS MATERIALIZED (
    SELECT lattice_id, user_name_key, external_id FROM target_user WHERE lattice_id IN (SELECT value FROM json_each(:accounts))),
  whose AS MATERIALIZED (
    SELECT p.lattice_id, s.object_id AS person FROM page p CROSS JOIN source_user s ON s.user_name_key = p.user_name_key
    UNION SELECT p.lattice_id, s.object_id FROM page p CROSS JOIN source_user s ON s.external_id_key = p.external_id
    UNION SELECT p.lattice_id, s.object_id FROM page p CROSS JOIN source_user s ON s.object_id = p.external_id
    UNION SELECT p.lattice_id, l.object_id FROM page p CROSS JOIN lost_link l ON l.lattice_id = p.lattice_id
    UNION SELECT p.lattice_id, d.object_id FROM page p CROSS JOIN link_decision d ON d.lattice_id = p.lattice_id
      AND d.what = 'linked')
  SELECT w.lattice_id AS account,
    (SELECT lattice_id FROM target_user WHERE object_id = s.object_id) AS person_lattice_id, ${person}
  FROM whose w CROSS JOIN source_user s ON s.object_id = w.person LEFT JOIN retry r ON r.object_id = s.object_id
  ORDER BY w.lattice_id, s.object_id`;

/** Every account with the people to whom it belongs. */
export function accountReportMethods(db: Connection): Pick<AccountReport, "reportedAccounts"> {
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
  return {
    reportedAccounts: async ({ everyoneInScope, department, after, limit }) => {
      const everyone = everyoneInScope ? 1 : 0;
      const rows = together(() => withPeople(select.all({ everyone, department, after, limit }), everyone));
      return reportedAccounts(rows.map(reportedRow));
    },
  };
}

function reportedRow({
  active,
  active_known,
  person,
  groups,
  events,
  member,
  pending,
  department,
  ...row
}: Row): ReportedRow {
  return {
    ...row,
    department: department?.startsWith('"') === true ? (JSON.parse(department) as string) : null,
    active: active_known === 1 ? active === 1 : null,
    source: person === null ? null : sourceUser({ ...row, object_id: person }),
    member: member === 1,
    pending: pending === 1,
    groups: groups === null ? [] : (JSON.parse(groups) as string[]),
    events: events === null ? [] : (JSON.parse(events) as { event: LeavingEvent; since: number }[]),
  };
}
