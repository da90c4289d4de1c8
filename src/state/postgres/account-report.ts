import type { Json } from "../../domain/json.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import type { AccountReport, PeopleQuery, ReportedAccount } from "../../domain/state/account-report.ts";
import {
  type AccountColumns,
  linkedPerson,
  type OwnAccountColumns,
  type OwnPersonColumns,
  type PersonColumns,
  reportedAccount,
} from "../reported-accounts.ts";
import type { Database } from "./connection/database.ts";

type AccountRow = AccountColumns & {
  readonly department: Json;
  readonly active: boolean;
  readonly active_known: boolean;
};

type PersonRow = PersonColumns & {
  readonly attributes: readonly Json[];
  readonly unshown: readonly string[] | null;
  readonly member: boolean;
  readonly pending: boolean;
  readonly former: boolean;
  readonly groups: readonly string[] | null;
  readonly events: readonly { readonly event: LeavingEvent; readonly since: number }[] | null;
};

/** An account with one of its people, or with none; `person_lattice_id` is the account that is linked to the person. */
type Row = AccountRow &
  ((PersonRow & { readonly person_lattice_id: string | null }) | { readonly person: null });

interface LastWrite {
  readonly object_id: string;
  readonly at: number;
}

// From `source_user` as `s`. A table without a row of the job is not read for each person.
const personColumns = (
  properties: readonly string[],
  firstProperty: number,
): string => `s.object_id AS person,
  CASE WHEN s.object_id IS NOT NULL THEN json_build_array(${properties.map((_, index) => `s.attributes -> $${firstProperty + index}::text`).join()}) END AS attributes, s.manager_id, s.presence, s.unshown, s.skip_code, s.skip_reason,
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
// The semi join reads both tables once, in any order.
const linked = (person: string): string => `SELECT ${person}, false AS former FROM source_user s ${besides}
  WHERE s.job = $1 AND EXISTS (SELECT FROM target_user WHERE job = $1 AND object_id = s.object_id) LIMIT $3`;

// `->` keeps a value as JSON, so that a text can be distinguished from any other value.
const account = (
  department: string,
): string => `t.lattice_id, t.object_id, t.user_name, t.external_id, t.active, t.active_known,
  t.missing_since, t.attributes -> ${department}::text AS department`;
const accountsAfter = `SELECT ${account("$2")} FROM target_user t WHERE t.job = $1 AND t.lattice_id > $3 ORDER BY t.lattice_id LIMIT $4`;

// LATERAL with a limit: people are looked up by their key. A join would read everybody for each page.
const personOf = (id: string): string =>
  `LEFT JOIN LATERAL (SELECT * FROM source_user WHERE job = $1 AND object_id = ${id} LIMIT 1) s ON true ${besides}`;
const accountsWithPeople = (person: string): string => `WITH t AS MATERIALIZED (SELECT * FROM target_user
  WHERE job = $1 AND lattice_id = ANY ($4::text[])),
unlinked AS MATERIALIZED (SELECT lattice_id, user_name_key, external_id FROM t WHERE object_id IS NULL),
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
SELECT ${account("$3")}, ${person}, false AS former, t.lattice_id AS person_lattice_id
FROM t ${personOf("t.object_id")} WHERE t.object_id IS NOT NULL
UNION ALL SELECT ${account("$3")}, ${person}, coalesce(w.former, false),
  (SELECT lattice_id FROM target_user WHERE job = $1 AND object_id = s.object_id)
FROM t LEFT JOIN whose w ON w.lattice_id = t.lattice_id ${personOf("w.person")} WHERE t.object_id IS NULL
ORDER BY lattice_id, person`;

const lastWritesOf = `SELECT object_id, max(finished_at) AS at FROM operation
  WHERE job = $1 AND object_id = ANY ($2::text[]) AND status = 'done' AND finished_at IS NOT NULL GROUP BY object_id`;
const lastWritesAfter = `SELECT object_id, max(finished_at) AS at FROM operation
  WHERE job = $1 AND object_id > $2 AND status = 'done' AND finished_at IS NOT NULL
  GROUP BY object_id ORDER BY object_id LIMIT $3`;

/** People that one statement reads. */
const peoplePerPage = 20_000;

/** Every account with the people to whom it belongs. */
export function accountReportMethods(
  db: Database,
): Pick<AccountReport, "reportedAccounts" | "linkedPeople" | "lastWrites"> {
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
  /** Accounts with the people to whom they belong or may belong, by Lattice id. */
  const withPeople = async (
    ids: readonly string[],
    department: string | null,
    { everyoneInScope, properties }: PeopleQuery,
  ): Promise<ReadonlyMap<string, ReportedAccount>> => {
    const accounts = new Map<string, ReportedAccount>();
    if (ids.length === 0) return accounts;
    const text = accountsWithPeople(personColumns(properties, 5));
    const rows = await db.all<Row>(text, everyoneInScope, department, ids, ...properties);
    for (const [id, ofAccount] of Map.groupBy(rows, ({ lattice_id }) => lattice_id)) {
      const people = ofAccount.flatMap((row) =>
        row.person === null
          ? []
          : [{ ...linkedPerson(row, ownOfPerson, properties), latticeId: row.person_lattice_id }],
      );
      const [row] = ofAccount;
      if (row !== undefined) accounts.set(id, reportedAccount(row, ownOfAccount, people));
    }
    return accounts;
  };
  return {
    lastWrites: async (people) => {
      if (people === "everybody") return everybodysWrites();
      const found = await db.all<LastWrite>(lastWritesOf, people);
      return new Map(found.map(({ object_id, at }) => [object_id, at]));
    },
    linkedPeople: async ({ everyoneInScope, properties, limit }) => {
      const text = linked(personColumns(properties, 4));
      const rows = await db.all<PersonRow>(text, everyoneInScope, limit, ...properties);
      return new Map(rows.map((row) => [row.person, linkedPerson(row, ownOfPerson, properties)]));
    },
    reportedAccounts: async ({ department, people, after, limit, ...query }) => {
      const page = await db.all<AccountRow>(accountsAfter, department, after, limit);
      const owners = page.map(({ object_id: id }) => (id === null ? undefined : people?.get(id)));
      const asked = page.flatMap((row, index) => (owners[index] === undefined ? [row.lattice_id] : []));
      // Read again, because they may have changed since: each account with its people is as of one moment.
      const looked = await withPeople(asked, department, query);
      return page.flatMap((row, index) => {
        const owner = owners[index];
        if (owner === undefined) return looked.get(row.lattice_id) ?? [];
        return reportedAccount(row, ownOfAccount, [{ ...owner, latticeId: row.lattice_id }]);
      });
    },
  };
}

const ownOfAccount: OwnAccountColumns<AccountRow> = {
  active: ({ active, active_known }) => (active_known ? active : null),
  department: ({ department }) => (typeof department === "string" ? department : null),
};

const ownOfPerson: OwnPersonColumns<PersonRow> = {
  values: ({ attributes }) => attributes,
  unshown: ({ unshown }) => unshown,
  member: ({ member }) => member,
  pending: ({ pending }) => pending,
  former: ({ former }) => former,
  groups: ({ groups }) => groups ?? [],
  events: ({ events }) => events ?? [],
};
