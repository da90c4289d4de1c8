import type { DailyCount, DepartmentCount, LogQuery } from "../../domain/log.ts";
import type { SkipCode, Skipped } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { type EntryRow, logEntry } from "../operation-row.ts";
import type { Database, Value } from "./connection/database.ts";
import { type DecisionRow, decisionJson, decisionTables, personDecision } from "./decisions.ts";
import { peopleNamed } from "./search.ts";

type HistoryMethods = Pick<
  StateStore,
  "history" | "dailyCounts" | "departments" | "skipped" | "countSkipped"
>;

/** The newest decision about an entry: a release before it was sent, or a release or rejection while a plan held it. */
const decisionOfEntry = `(SELECT ${decisionJson} FROM ${decisionTables}
  WHERE p.job = $1 AND p.object_id = o.object_id AND CASE WHEN o.status IN ('held', 'cancelled')
    THEN p.what <> 'undone' AND EXISTS (SELECT 1 FROM cycle
      WHERE cycle.job = $1 AND cycle.plan_id = d.plan_id AND cycle.id BETWEEN coalesce(o.held_since, o.cycle_id) AND o.cycle_id)
    ELSE p.what = 'released' AND d.at <= o.at AND EXISTS
      (SELECT 1 FROM json_array_elements(o.changes) change WHERE change ->> 'released' = 'true') END
  ORDER BY p.decision_id DESC LIMIT 1)`;

const dayMs = 86_400_000;

const counts = `SELECT at / ${dayMs} AS day, action, status AS outcome, count(*) AS count FROM operation
  WHERE job = $1 AND at >= $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
const departments = `SELECT coalesce(
      (SELECT c ->> 'after' FROM json_array_elements(o.changes) c
       WHERE c ->> 'attribute' = $3 AND c -> 'logged' IS NULL LIMIT 1),
      t.attributes ->> $3, s.attributes ->> 'department') COLLATE "C" AS department, o.action, count(*) AS count
  FROM operation o LEFT JOIN target_user t ON t.job = o.job AND t.object_id = o.object_id
    LEFT JOIN source_user s ON s.job = o.job AND s.object_id = o.object_id
  WHERE o.job = $1 AND o.cycle_id = $2 AND o.status <> 'reported' GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2`;
const skippedPeople = `SELECT object_id AS "objectId", coalesce(user_principal_name, '') AS "userName", skip_code AS code,
    skip_reason AS reason FROM source_user
  WHERE job = $1 AND skip_code IS NOT NULL AND object_id > $2 AND ($4::text[] IS NULL OR object_id = ANY($4))
    AND ($5::text IS NULL OR skip_code = $5) ORDER BY object_id LIMIT $3`;
const countSkipped = `SELECT skip_code AS code, count(*) AS count FROM source_user
  WHERE job = $1 AND skip_code IS NOT NULL GROUP BY skip_code`;

/** Searches and counts of the provisioning log, and who is skipped. */
export function historyMethods(db: Database): HistoryMethods {
  return {
    history: async (query) => {
      const named =
        query.text === undefined ? null : await peopleNamed(db, query.text, query.concealed ?? []);
      const { where, values } = filters(query, named);
      const text = `SELECT o.*, c.plan_id, c.kind, ${decisionOfEntry} AS decision
        FROM operation o JOIN cycle c ON c.job = o.job AND c.id = o.cycle_id
        WHERE o.job = $1 AND ${where.join(" AND ")} ORDER BY o.id DESC LIMIT $2`;
      const rows = await db.all<EntryRow & { readonly decision: DecisionRow | null }>(text, ...values);
      return rows.map((row) => logEntry(row, row.decision && personDecision(row.decision)));
    },
    dailyCounts: async (since) =>
      (await db.all<Omit<DailyCount, "day"> & { readonly day: number }>(counts, since)).map((row) => ({
        ...row,
        day: new Date(row.day * dayMs).toISOString().slice(0, 10),
      })),
    departments: (cycleId, path) => db.all<DepartmentCount>(departments, cycleId, path),
    skipped: ({ after, limit, only, code }) =>
      db.all<Skipped>(skippedPeople, after, limit, only ?? null, code ?? null),
    countSkipped: async () => {
      const rows = await db.all<{ code: SkipCode; count: number }>(countSkipped);
      return new Map(rows.map((row) => [row.code, row.count]));
    },
  };
}

/** The conditions of a search, and their values after the job: `$2` is the limit. */
function filters(
  query: LogQuery,
  named: ReadonlySet<string> | null,
): { readonly where: readonly string[]; readonly values: readonly Value[] } {
  const values: Value[] = [query.limit];
  const where: string[] = ["true"];
  const add = (value: Value | undefined, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition(`$${values.length + 1}`));
  };
  add(query.before, (parameter) => `o.id < ${parameter}`);
  add(query.cycleId, (parameter) => `o.cycle_id = ${parameter}`);
  add(query.since, (parameter) => `o.at >= ${parameter}`);
  add(query.until, (parameter) => `o.at <= ${parameter}`);
  add(query.actions, (parameter) => `o.action = ANY(${parameter})`);
  add(query.outcomes, (parameter) => `o.status = ANY(${parameter})`);
  // The person with this object id, and people who had this user name in any entry of the log.
  add(
    query.person,
    (
      parameter,
    ) => `o.object_id IN (SELECT ${parameter} UNION SELECT lower(${parameter}) UNION SELECT object_id FROM operation
      WHERE job = $1 AND lower(user_name COLLATE "C") = lower(${parameter} COLLATE "C"))`,
  );
  add(named === null ? undefined : [...named], (parameter) => `o.object_id = ANY(${parameter})`);
  return { where, values };
}
