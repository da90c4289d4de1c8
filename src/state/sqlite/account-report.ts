import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { AccountReport } from "../../domain/state/account-report.ts";
import { type ReportedRow, reportedAccounts } from "../reported-accounts.ts";
import type { Connection } from "./files/database.ts";
import { sourceUser } from "./rows.ts";
import { given } from "./tuning.ts";

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

/** Every account with the people to whom it belongs. */
export function accountReportMethods(db: Connection): Pick<AccountReport, "reportedAccounts"> {
  const select = db.prepare<
    { everyone: number; department: string | null; after: string; limit: number },
    Row
  >(
    `WITH page AS MATERIALIZED (SELECT lattice_id, object_id, user_name, user_name_key, external_id, active, active_known,
         missing_since, iif(json_type(attributes, '$.' || json_quote(:department)) = 'text',
           json_extract(attributes, '$.' || json_quote(:department)), NULL) AS department
       FROM target_user WHERE lattice_id > :after ORDER BY lattice_id LIMIT ${given(":limit")}),
     whose AS MATERIALIZED (
       SELECT lattice_id, object_id AS person FROM page WHERE object_id IS NOT NULL
       UNION SELECT p.lattice_id, s.object_id FROM page p CROSS JOIN source_user s ON s.user_name_key = p.user_name_key
         WHERE p.object_id IS NULL
       UNION SELECT p.lattice_id, s.object_id FROM page p CROSS JOIN source_user s ON s.external_id_key = p.external_id
         WHERE p.object_id IS NULL
       UNION SELECT p.lattice_id, s.object_id FROM page p CROSS JOIN source_user s ON s.object_id = p.external_id
         WHERE p.object_id IS NULL
       UNION SELECT p.lattice_id, l.object_id FROM page p CROSS JOIN lost_link l ON l.lattice_id = p.lattice_id
         WHERE p.object_id IS NULL
       UNION SELECT p.lattice_id, d.object_id FROM page p CROSS JOIN link_decision d ON d.lattice_id = p.lattice_id
           AND d.what = 'linked'
         WHERE p.object_id IS NULL)
     SELECT p.*, s.object_id AS person, s.attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
       coalesce(s.pending, 0) AS pending,
       (:everyone OR s.always_in_scope OR EXISTS (SELECT 1 FROM scope_member WHERE object_id = s.object_id)) AS member,
       (SELECT json_group_array(group_name) FROM filter_group_member WHERE object_id = s.object_id HAVING count(*) > 0) AS groups,
       (SELECT json_group_array(json_object('event', event, 'since', since)) FROM leaving_event
         WHERE object_id = s.object_id HAVING count(*) > 0) AS events,
       r.code AS retry_code, r.message AS retry_message, r.next_try_at,
       (SELECT reason FROM operation INDEXED BY operation_held WHERE object_id = s.object_id AND status = 'held'
         ORDER BY id DESC LIMIT 1) AS held,
       (SELECT max(finished_at) FROM operation INDEXED BY operation_person
         WHERE object_id = p.object_id AND status = 'done') AS written_at,
       CASE WHEN p.object_id IS NOT NULL THEN p.lattice_id
         ELSE (SELECT lattice_id FROM target_user WHERE object_id = s.object_id) END AS person_lattice_id
     FROM page p LEFT JOIN whose w ON w.lattice_id = p.lattice_id LEFT JOIN source_user s ON s.object_id = w.person
       LEFT JOIN retry r ON r.object_id = s.object_id
     ORDER BY p.lattice_id, s.object_id`,
  );
  return {
    reportedAccounts: async ({ everyoneInScope, department, after, limit }) =>
      reportedAccounts(
        select.all({ everyone: everyoneInScope ? 1 : 0, department, after, limit }).map(reportedRow),
      ),
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
  ...row
}: Row): ReportedRow {
  return {
    ...row,
    active: active_known === 1 ? active === 1 : null,
    source: person === null ? null : sourceUser({ ...row, object_id: person }),
    member: member === 1,
    pending: pending === 1,
    groups: groups === null ? [] : (JSON.parse(groups) as string[]),
    events: events === null ? [] : (JSON.parse(events) as { event: LeavingEvent; since: number }[]),
  };
}
