import type { Json } from "../../domain/json.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import type { AccountReport } from "../../domain/state/account-report.ts";
import { type OwnColumns, type ReportedRow, reportedAccounts } from "../reported-accounts.ts";
import type { Database } from "./connection/database.ts";
import { type SourceRow, sourceUser } from "./rows.ts";

type Row = ReportedRow &
  Omit<SourceRow, "object_id"> & {
    readonly department: Json;
    readonly active: boolean;
    readonly active_known: boolean;
    readonly member: boolean;
    readonly pending: boolean;
    readonly former: boolean;
    readonly groups: readonly string[] | null;
    readonly events: readonly { readonly event: LeavingEvent; readonly since: number }[] | null;
  };

interface LastWrite {
  readonly object_id: string;
  readonly at: number;
}

// Of `source_user` as `s`. A table that has no row of the job is not looked into for each person.
const person = `s.object_id AS person, s.attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
  coalesce(s.pending, false) AS pending,
  ($2::boolean OR coalesce(s.always_in_scope, false) OR m.object_id IS NOT NULL) AS member,
  CASE WHEN EXISTS (SELECT FROM filter_group_member WHERE job = $1) THEN
    (SELECT json_agg(group_name) FROM filter_group_member WHERE job = $1 AND object_id = s.object_id) END AS groups,
  CASE WHEN EXISTS (SELECT FROM leaving_event WHERE job = $1) THEN
    (SELECT json_agg(json_build_object('event', event, 'since', since)) FROM leaving_event
      WHERE job = $1 AND object_id = s.object_id) END AS events,
  r.code AS retry_code, r.message AS retry_message, r.next_try_at,
  CASE WHEN EXISTS (SELECT FROM operation WHERE job = $1 AND status = 'held') THEN
    (SELECT reason FROM operation WHERE job = $1 AND object_id = s.object_id AND status = 'held'
      ORDER BY id DESC LIMIT 1) END AS held`;
const besides = `LEFT JOIN scope_member m ON m.job = $1 AND m.object_id = s.object_id
  LEFT JOIN retry r ON r.job = $1 AND r.object_id = s.object_id`;
const account = `p.lattice_id, p.object_id, p.user_name, p.external_id, p.active, p.active_known, p.missing_since, p.department`;

// LATERAL with a limit: people are looked up by their key. A join would read everybody for each page. `->` leaves a value as JSON,
// so that a document is parsed once.
const accountsWithPeople = `WITH page AS MATERIALIZED (SELECT lattice_id, object_id, user_name, user_name_key, external_id,
    active, active_known, missing_since, attributes -> $3::text AS department
  FROM target_user WHERE job = $1 AND lattice_id > $4 ORDER BY lattice_id LIMIT $5),
unlinked AS MATERIALIZED (SELECT lattice_id, user_name_key, external_id FROM page WHERE object_id IS NULL),
pointed AS (
  SELECT u.lattice_id, s.object_id AS person, false AS former FROM unlinked u
    JOIN source_user s ON s.job = $1 AND s.user_name_key = u.user_name_key
  UNION ALL SELECT u.lattice_id, s.object_id, false FROM unlinked u
    JOIN source_user s ON s.job = $1 AND s.external_id_key = u.external_id
  UNION ALL SELECT u.lattice_id, s.object_id, false FROM unlinked u
    JOIN source_user s ON s.job = $1 AND s.object_id = u.external_id
  UNION ALL SELECT u.lattice_id, l.object_id, coalesce(l.external_id <> u.external_id, true) FROM unlinked u
    JOIN lost_link l ON l.job = $1 AND l.lattice_id = u.lattice_id
  UNION ALL SELECT u.lattice_id, d.object_id, false FROM unlinked u
    JOIN link_decision d ON d.job = $1 AND d.lattice_id = u.lattice_id AND d.what = 'linked'),
whose AS MATERIALIZED (SELECT lattice_id, person, bool_and(former) AS former FROM pointed GROUP BY lattice_id, person)
SELECT ${account}, ${person}, false AS former, p.lattice_id AS person_lattice_id
FROM page p LEFT JOIN LATERAL (SELECT * FROM source_user WHERE job = $1 AND object_id = p.object_id LIMIT 1) s ON true ${besides}
WHERE p.object_id IS NOT NULL
UNION ALL SELECT ${account}, ${person}, coalesce(w.former, false),
  (SELECT lattice_id FROM target_user WHERE job = $1 AND object_id = s.object_id)
FROM page p LEFT JOIN whose w ON w.lattice_id = p.lattice_id
  LEFT JOIN LATERAL (SELECT * FROM source_user WHERE job = $1 AND object_id = w.person LIMIT 1) s ON true ${besides}
WHERE p.object_id IS NULL
ORDER BY lattice_id, person`;

const lastWritesOf = `SELECT object_id, max(finished_at) AS at FROM operation
  WHERE job = $1 AND object_id = ANY ($2::text[]) AND status = 'done' AND finished_at IS NOT NULL GROUP BY object_id`;
const lastWritesAfter = `SELECT object_id, max(finished_at) AS at FROM operation
  WHERE job = $1 AND object_id > $2 AND status = 'done' AND finished_at IS NOT NULL
  GROUP BY object_id ORDER BY object_id LIMIT $3`;

/** People in one statement. */
const peoplePerPage = 20_000;

/** Every account with the people to whom it belongs. */
export function accountReportMethods(db: Database): Pick<AccountReport, "reportedAccounts" | "lastWrites"> {
  const everybodysWrites = async (): Promise<Map<string, number>> => {
    const latest = new Map<string, number>();
    for (let after = ""; ; ) {
      const page = await db.all<LastWrite>(lastWritesAfter, after, peoplePerPage);
      for (const { object_id, at } of page) latest.set(object_id, at);
      const last = page.at(-1);
      if (last === undefined) return latest;
      after = last.object_id;
    }
  };
  return {
    lastWrites: async (people) => {
      if (people === "everybody") return everybodysWrites();
      const found = await db.all<LastWrite>(lastWritesOf, people);
      return new Map(found.map(({ object_id, at }) => [object_id, at]));
    },
    reportedAccounts: async ({ everyoneInScope, department, after, limit }) => {
      const rows = await db.all<Row>(accountsWithPeople, everyoneInScope, department, after, limit);
      return reportedAccounts(rows, ownColumns);
    },
  };
}

const ownColumns: OwnColumns<Row> = {
  source: ({ person, attributes, manager_id, presence, unshown }) =>
    sourceUser({ object_id: person ?? "", attributes, manager_id, presence, unshown }),
  active: ({ active, active_known }) => (active_known ? active : null),
  department: ({ department }) => (typeof department === "string" ? department : null),
  member: ({ member }) => member,
  pending: ({ pending }) => pending,
  former: ({ former }) => former,
  groups: ({ groups }) => groups ?? [],
  events: ({ events }) => events ?? [],
};
