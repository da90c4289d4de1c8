import type { DepartmentCount, LogQuery } from "../../domain/log.ts";
import { type OperationStatus, operationStatuses } from "../../domain/operation.ts";
import { type Action, actions, type SkipCode, type Skipped } from "../../domain/plan.ts";
import type { History } from "../../domain/state/history.ts";
import { logEntry, type EntryRow as ParsedEntry } from "../operation-row.ts";
import { decisionJson, personDecision } from "./decisions.ts";
import type { Connection } from "./files/database.ts";
import { peopleNamed } from "./person-search.ts";
import { type OperationRow, parsedRow } from "./plan-log.ts";
import { given } from "./tuning.ts";

type EntryRow = OperationRow<ParsedEntry> & {
  /** JSON of a `DecisionRow`. */
  readonly decision: string | null;
};

/** The newest decision about an entry: a release before it was sent, or a release or rejection while a plan held it. */
const decisionOfEntry = `(SELECT ${decisionJson} FROM decided_person p JOIN decision d ON d.id = p.decision_id
  WHERE p.object_id = o.object_id AND iif(o.status IN ('held', 'cancelled'),
    p.what <> 'undone' AND EXISTS (SELECT 1 FROM cycle
      WHERE cycle.plan_id = d.plan_id AND cycle.id BETWEEN coalesce(o.held_since, o.cycle_id) AND o.cycle_id),
    p.what = 'released' AND d.at <= o.at AND EXISTS (SELECT 1 FROM json_each(ch.changes) WHERE json_extract(value, '$.released')))
  ORDER BY p.decision_id DESC LIMIT 1)`;

/** Up to this many people are looked up by index. With more, scanning the log from its end fills a page sooner. */
const fewPeople = 300;

const dayMs = 86_400_000;

/** Searches and counts of the provisioning log, and the people who are skipped. */
export function historyMethods(db: Connection): History {
  const find = finder(db);
  const entries = db.prepare<[string], EntryRow>(
    `SELECT o.*, ch.changes, c.plan_id, c.kind, ${decisionOfEntry} AS decision
     FROM json_each(?) k CROSS JOIN operation o ON o.id = k.value CROSS JOIN operation_changes ch ON ch.id = o.id
       CROSS JOIN cycle c ON c.id = o.cycle_id
     ORDER BY o.id DESC`,
  );
  const counts = db.prepare<
    [number],
    { day: number; action: Action; outcome: OperationStatus; count: number }
  >(
    `SELECT at / ${dayMs} AS day, action, status AS outcome, count(*) AS count
     FROM operation INDEXED BY operation_at WHERE at >= ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
  const departments = db.prepare<{ cycleId: number; path: string }, DepartmentCount>(
    `SELECT coalesce(
         (SELECT json_extract(c.value, '$.after') FROM json_each(ch.changes) c
          WHERE json_extract(c.value, '$.attribute') = :path AND json_extract(c.value, '$.logged') IS NULL),
         json_extract(t.attributes, '$.' || json_quote(:path)),
         json_extract(s.attributes, '$.department')) AS department,
       o.action, count(*) AS count
     FROM operation o CROSS JOIN operation_changes ch ON ch.id = o.id LEFT JOIN target_user t ON t.object_id = o.object_id LEFT JOIN source_user s ON s.object_id = o.object_id
     WHERE o.cycle_id = :cycleId AND o.status <> 'reported' GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const skipped = db.prepare<
    { after: string; limit: number; only: string | null; code: SkipCode | null },
    { object_id: string; user_name: string | null; skip_code: SkipCode; skip_reason: string }
  >(
    `SELECT object_id, skip_name AS user_name, skip_code, skip_reason
     FROM source_user WHERE skip_code IS NOT NULL AND object_id > :after
       AND (:only IS NULL OR object_id IN (SELECT value FROM json_each(:only)))
       AND (:code IS NULL OR skip_code = :code)
     ORDER BY object_id LIMIT ${given(":limit")}`,
  );
  const countSkipped = db.prepare<[], { skip_code: SkipCode; count: number }>(
    "SELECT skip_code, count(*) AS count FROM source_user WHERE skip_code IS NOT NULL GROUP BY skip_code",
  );
  return {
    departments: async (cycleId, path) =>
      departments
        .all({ cycleId, path })
        .map((row) => ({ ...row, department: row.department === null ? null : String(row.department) })),
    history: async (query) =>
      // One transaction, so that the rows belong to the ids that were found.
      db.transaction(() =>
        entries
          .all(JSON.stringify(find(query)))
          .map((row) =>
            logEntry(
              parsedRow<ParsedEntry>(row),
              row.decision === null ? null : personDecision(row.decision),
            ),
          ),
      )(),
    skipped: async (query) =>
      skipped
        .all({
          after: query.after,
          limit: query.limit,
          only: query.only === undefined ? null : JSON.stringify(query.only),
          code: query.code ?? null,
        })
        .map(
          (row): Skipped => ({
            objectId: row.object_id,
            userName: row.user_name ?? "",
            code: row.skip_code,
            reason: row.skip_reason,
          }),
        ),
    countSkipped: async () => new Map(countSkipped.all().map((row) => [row.skip_code, row.count])),
    dailyCounts: async (since) =>
      counts.all(since).map((row) => ({ ...row, day: new Date(row.day * dayMs).toISOString().slice(0, 10) })),
  };
}

/**
 * Ids of the newest entries that match the query. Times and cycles become bounds of the id, which grows with both. Then the
 * index of the most selective filter is read from the newest entry down, and the other filters are checked for each row.
 */
function finder(db: Connection): (query: LogQuery) => readonly number[] {
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  const prepare = (sql: string) => db.prepare<Parameters, readonly [number, string]>(sql).raw();
  /** @param among only entries of these people; they may be most of the company */
  const walk = (
    index: string,
    where: readonly string[],
    parameters: Parameters,
    limit: number,
    among: ReadonlySet<string> | null = null,
  ): readonly number[] => {
    const sql = `SELECT id, object_id FROM operation ${index} WHERE ${where.join(" AND ")} ORDER BY id DESC`;
    const statement = prepared.get(sql) ?? prepare(sql);
    prepared.set(sql, statement);
    const found: number[] = [];
    for (const [id, objectId] of statement.iterate(parameters)) {
      if (found.length === limit) break;
      if (among === null || among.has(objectId)) found.push(id);
    }
    return found;
  };
  const boundsOf = bounds(db);
  const objectIdsOf = people(db);
  const peopleWith = peopleNamed(db);

  return (query) => {
    const range = boundsOf(query);
    if (range === null) return [];
    const { person, text, limit } = query;
    const { where, parameters } = filters(query, range);
    const named = text === undefined ? null : peopleWith(text, query.concealed ?? []);
    const few = person !== undefined ? objectIdsOf(person) : named;
    if (few !== null && (person !== undefined || few.size <= fewPeople)) {
      const objectIds = JSON.stringify([...few]);
      return walk(
        "INDEXED BY operation_person",
        ["object_id IN (SELECT value FROM json_each(:objectIds))", ...where],
        { ...parameters, objectIds },
        limit,
        named,
      );
    }
    if (query.actions === undefined && query.outcomes === undefined) {
      return walk("NOT INDEXED", where, parameters, limit, named);
    }
    // One scan for each pair of action and outcome: within a pair, the index is in the order of ids.
    const kinds = (query.actions ?? actions).flatMap((action) =>
      (query.outcomes ?? operationStatuses).map((outcome) => ({ action, outcome })),
    );
    return kinds
      .flatMap((kind) =>
        walk(
          "INDEXED BY operation_kind",
          ["action = :action", "status = :outcome", ...where],
          { ...parameters, ...kind },
          limit,
          named,
        ),
      )
      .sort((left, right) => right - left)
      .slice(0, limit);
  };
}

type Parameters = { readonly [name: string]: string | number };

interface Range {
  /** First and last id, both included. */
  readonly first: number;
  readonly last: number;
}

function filters(query: LogQuery, range: Range): { where: readonly string[]; parameters: Parameters } {
  const where = ["id BETWEEN :first AND :last"];
  const parameters: Record<string, string | number> = { ...range };
  const add = (condition: string, values: Parameters): void => {
    where.push(condition);
    Object.assign(parameters, values);
  };
  if (query.cycleId !== undefined) add("cycle_id = :cycleId", { cycleId: query.cycleId });
  if (query.since !== undefined) add("at >= :since", { since: query.since });
  if (query.until !== undefined) add("at <= :until", { until: query.until });
  const among = (column: string, values: readonly string[]): void =>
    add(`+${column} IN (SELECT value FROM json_each(:${column}s))`, {
      [`${column}s`]: JSON.stringify(values),
    });
  if (query.actions !== undefined) among("action", query.actions);
  if (query.outcomes !== undefined) among("status", query.outcomes);
  return { where, parameters };
}

/** The range of ids that contains every possible match; `null` if there can be none. */
function bounds(db: Connection): (query: LogQuery) => Range | null {
  const firstSince = db.prepare<[number], { id: number | null }>(
    "SELECT min(id) AS id FROM operation INDEXED BY operation_at WHERE at >= ?",
  );
  // No entry is earlier than the start of its cycle.
  const lastUntil = db.prepare<[number], { id: number | null }>(
    `SELECT max(id) AS id FROM operation INDEXED BY operation_order WHERE cycle_id =
       (SELECT max(cycle_id) FROM operation WHERE cycle_id <= (SELECT max(id) FROM cycle WHERE started_at <= ?))`,
  );
  const ofCycle = db.prepare<[number], { first: number | null; last: number | null }>(
    "SELECT min(id) AS first, max(id) AS last FROM operation INDEXED BY operation_order WHERE cycle_id = ?",
  );
  return ({ since, until, cycleId, before }) => {
    const ranges: { first?: number | null | undefined; last?: number | null | undefined }[] = [
      { first: 0, last: before === undefined ? Number.MAX_SAFE_INTEGER : before - 1 },
    ];
    if (since !== undefined) ranges.push({ first: firstSince.get(since)?.id });
    if (until !== undefined) ranges.push({ last: lastUntil.get(until)?.id });
    if (cycleId !== undefined) ranges.push(ofCycle.get(cycleId) ?? { first: null });
    let first = 0;
    let last = Number.MAX_SAFE_INTEGER;
    for (const range of ranges) {
      if (Object.values(range).some((bound) => bound === null || bound === undefined)) return null;
      first = Math.max(first, range.first ?? first);
      last = Math.min(last, range.last ?? last);
    }
    return first > last ? null : { first, last };
  };
}

/** Object ids of people who have that object id, or had that user name when an entry was written into the log. */
function people(db: Connection): (person: string) => ReadonlySet<string> {
  const named = db.prepare<[string], string>("SELECT object_id FROM logged_name WHERE user_name = ?").pluck();
  return (person) => new Set([person, person.toLowerCase(), ...named.all(person)]);
}
