import type { AccountReport } from "../../domain/state/account-report.ts";
import { type ReportedRow, reportedAccounts } from "../reported-accounts.ts";
import type { Database } from "./connection/database.ts";
import { type SourceRow, sourceUser } from "./rows.ts";

type Row = Omit<ReportedRow, "active" | "source" | "groups" | "events"> &
  Omit<SourceRow, "object_id"> & {
    readonly active: boolean;
    readonly active_known: boolean;
    readonly person: string | null;
    readonly groups: ReportedRow["groups"] | null;
    readonly events: ReportedRow["events"] | null;
  };

// LATERAL with a limit: people are looked up by their key. A join would read everybody for each page.
const accountsWithPeople = `WITH page AS MATERIALIZED (SELECT lattice_id, object_id, user_name, user_name_key, external_id,
    active, active_known, missing_since,
    CASE WHEN json_typeof(attributes -> $3::text) = 'string' THEN attributes ->> $3::text END AS department
  FROM target_user WHERE job = $1 AND lattice_id > $4 ORDER BY lattice_id LIMIT $5),
whose AS MATERIALIZED (
  SELECT lattice_id, object_id AS person FROM page WHERE object_id IS NOT NULL
  UNION SELECT p.lattice_id, s.object_id FROM page p
    JOIN source_user s ON s.job = $1 AND s.user_name_key = p.user_name_key WHERE p.object_id IS NULL
  UNION SELECT p.lattice_id, s.object_id FROM page p
    JOIN source_user s ON s.job = $1 AND s.external_id_key = p.external_id WHERE p.object_id IS NULL
  UNION SELECT p.lattice_id, s.object_id FROM page p
    JOIN source_user s ON s.job = $1 AND s.object_id = p.external_id WHERE p.object_id IS NULL
  UNION SELECT p.lattice_id, l.object_id FROM page p
    JOIN lost_link l ON l.job = $1 AND l.lattice_id = p.lattice_id WHERE p.object_id IS NULL
  UNION SELECT p.lattice_id, d.object_id FROM page p
    JOIN link_decision d ON d.job = $1 AND d.lattice_id = p.lattice_id AND d.what = 'linked' WHERE p.object_id IS NULL)
SELECT p.*, s.object_id AS person, s.attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
  coalesce(s.pending, false) AS pending,
  ($2::boolean OR coalesce(s.always_in_scope, false) OR m.object_id IS NOT NULL) AS member,
  (SELECT json_agg(group_name) FROM filter_group_member WHERE job = $1 AND object_id = s.object_id) AS groups,
  (SELECT json_agg(json_build_object('event', event, 'since', since)) FROM leaving_event
    WHERE job = $1 AND object_id = s.object_id) AS events,
  r.code AS retry_code, r.message AS retry_message, r.next_try_at,
  (SELECT reason FROM operation WHERE job = $1 AND object_id = s.object_id AND status = 'held'
    ORDER BY id DESC LIMIT 1) AS held,
  (SELECT max(finished_at) FROM operation WHERE job = $1 AND object_id = p.object_id AND status = 'done') AS written_at,
  CASE WHEN p.object_id IS NOT NULL THEN p.lattice_id
    ELSE (SELECT lattice_id FROM target_user WHERE job = $1 AND object_id = s.object_id) END AS person_lattice_id
FROM page p LEFT JOIN whose w ON w.lattice_id = p.lattice_id
  LEFT JOIN LATERAL (SELECT * FROM source_user WHERE job = $1 AND object_id = w.person LIMIT 1) s ON true
  LEFT JOIN scope_member m ON m.job = $1 AND m.object_id = s.object_id
  LEFT JOIN retry r ON r.job = $1 AND r.object_id = s.object_id
ORDER BY p.lattice_id, s.object_id`;

/** Every account with the people to whom it belongs. */
export function accountReportMethods(db: Database): Pick<AccountReport, "reportedAccounts"> {
  return {
    reportedAccounts: async ({ everyoneInScope, department, after, limit }) => {
      const rows = await db.all<Row>(accountsWithPeople, everyoneInScope, department, after, limit);
      return reportedAccounts(rows.map(reportedRow));
    },
  };
}

function reportedRow({ active, active_known, person, groups, events, ...row }: Row): ReportedRow {
  return {
    ...row,
    active: active_known ? active : null,
    source: person === null ? null : sourceUser({ ...row, object_id: person }),
    groups: groups ?? [],
    events: events ?? [],
  };
}
