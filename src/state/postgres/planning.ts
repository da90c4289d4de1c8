import type { JsonObject } from "../../domain/json.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Candidate, SharerFilter } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { managerOf } from "../manager.ts";
import {
  type LostLinkRow,
  lostLink,
  type RejectedRow,
  type RetryRow,
  rejectedChange,
  retryRecord,
} from "../records.ts";
import { manager } from "../reference-pending.ts";
import { decodeJson } from "./connection/codec.ts";
import type { Database, Value } from "./connection/database.ts";
import { rejectedColumns, rejectedTables } from "./decisions.ts";
import { linkedTarget, type SourceRow, sourceUser, type TargetRow } from "./rows.ts";

type PlanningMethods = Pick<
  StateStore,
  "candidates" | "sharing" | "managersFound" | "leavingAfter" | "countLeaving"
>;

type Pairs<Key, Member> = readonly (readonly [Key, Member])[];

/** The person, and the columns of the linked account, which are null if there is none. */
interface CandidateRow
  extends SourceRow,
    Pick<TargetRow, "user_name" | "external_id" | "active" | "active_known" | "acknowledged" | "drifted"> {
  readonly lattice_id: string | null;
  readonly account_attributes: JsonObject;
  readonly missing_since: number | null;
  readonly user_name_key: string | null;
  readonly external_id_key: string | null;
  readonly shares_name: boolean;
  readonly shares_external_id: boolean;
  readonly member: boolean;
  readonly account_removed: boolean;
  readonly unconfirmed: boolean;
  readonly groups: readonly string[] | null;
  readonly lost: readonly LostLinkRow[] | null;
  readonly retry: RetryRow | null;
  readonly held: readonly number[] | null;
  readonly rejected: readonly RejectedRow[] | null;
  readonly events: Pairs<LeavingEvent, number> | null;
  readonly released: Pairs<string, string> | null;
  readonly manager_presence: Presence | null;
  /** JSON text. It is parsed only when it is needed, which is rare. */
  readonly manager_attributes: string | null;
  readonly manager_manager_id: string | null;
  readonly manager_unshown: readonly string[] | null;
  readonly manager_lattice_id: string | null;
}

const ofPerson = (table: string): string => `${table} WHERE job = $1 AND object_id = s.object_id`;
const shares = (key: string): string =>
  `EXISTS (SELECT 1 FROM source_user WHERE job = $1 AND ${key} = s.${key} AND object_id <> s.object_id)`;

/** @param where may have a parameter, `$5` */
function selecting(where: string): string {
  return `SELECT s.object_id, s.attributes, s.manager_id, s.presence, s.unshown, s.user_name_key, s.external_id_key,
      s.account_removed, t.lattice_id, t.user_name, t.external_id, t.active, t.active_known,
      t.attributes AS account_attributes, t.acknowledged, t.drifted, t.missing_since,
      ${shares("user_name_key")} AS shares_name, ${shares("external_id_key")} AS shares_external_id,
      ($4::boolean OR s.always_in_scope OR EXISTS (SELECT 1 FROM ${ofPerson("scope_member")})) AS member,
      EXISTS (SELECT 1 FROM ${ofPerson("intent")}) AS unconfirmed,
      (SELECT json_agg(group_name) FROM ${ofPerson("filter_group_member")}) AS groups,
      (SELECT json_agg(l ORDER BY dissolved_at DESC, lattice_id) FROM ${ofPerson("lost_link l")}) AS lost,
      (SELECT to_json(r) FROM ${ofPerson("retry r")}) AS retry,
      (SELECT json_agg(id ORDER BY id) FROM ${ofPerson("operation")} AND status = 'held') AS held,
      (SELECT json_agg(x) FROM (SELECT ${rejectedColumns} FROM ${rejectedTables}
        WHERE c.job = $1 AND c.object_id = s.object_id) x) AS rejected,
      (SELECT json_agg(json_build_array(event, since)) FROM ${ofPerson("leaving_event")}) AS events,
      (SELECT json_agg(json_build_array(attribute, fingerprint)) FROM ${ofPerson("released_change")}) AS released,
      m.presence AS manager_presence, m.attributes::text AS manager_attributes, m.manager_id AS manager_manager_id,
      m.unshown AS manager_unshown, mt.lattice_id AS manager_lattice_id
    FROM source_user s
    LEFT JOIN target_user t ON t.job = s.job AND t.object_id = s.object_id
    LEFT JOIN source_user m ON m.job = s.job AND m.object_id = s.manager_id
    LEFT JOIN target_user mt ON mt.job = s.job AND mt.object_id = s.manager_id
    WHERE s.job = $1 AND s.object_id > $2 AND ${where} ORDER BY s.object_id LIMIT $3`;
}

const marked = selecting("s.pending");
const everybody = selecting("true");
const listed = selecting("s.object_id = ANY($5)");
// A person with an operation of this cycle that is not done (mostly one that the guard holds) is left to the next cycle.
const found = selecting(`s.reference_pending <> 0 AND s.reference_pending = ${manager.found} AND NOT EXISTS
  (SELECT 1 FROM ${ofPerson("operation")} AND cycle_id = $5 AND status <> 'done')`);

const sharers = (key: string): string => `SELECT s.${key} AS key, s.object_id FROM source_user s
  WHERE s.job = $1 AND s.${key} = ANY($2) AND s.presence = $3
    AND (NOT $4::boolean OR s.always_in_scope OR EXISTS (SELECT 1 FROM ${ofPerson("scope_member")}))
    AND (NOT $5::boolean OR s.enabled OR EXISTS (SELECT 1 FROM ${ofPerson("target_user")}))
  ORDER BY s.object_id`;
const sharing: { readonly [By in SharerFilter["by"]]: string } = {
  userName: sharers("user_name_key"),
  externalId: sharers("external_id_key"),
};
const managersFound = `SELECT object_id FROM source_user report
  WHERE job = $1 AND reference_pending <> 0 AND reference_pending IN (${manager.awaited}, ${manager.presumed}) AND object_id > $2 AND EXISTS
    (SELECT 1 FROM target_user WHERE job = $1 AND object_id = report.manager_id AND missing_since IS NULL)
  ORDER BY object_id LIMIT $3`;
const leavingAfter = `SELECT object_id, json_agg(json_build_array(event, since)) AS events FROM leaving_event
  WHERE job = $1 AND object_id IN (SELECT object_id FROM leaving_event WHERE job = $1 AND since > $2) AND object_id > $3
  GROUP BY object_id ORDER BY object_id LIMIT $4`;
const countLeaving = `SELECT count(*) AS count FROM leaving_event e
  JOIN target_user t ON t.job = e.job AND t.object_id = e.object_id
  WHERE e.job = $1 AND e.event = $2 AND e.since >= $3 AND t.active`;

/** Reads people for the planner. */
export function planningMethods(db: Database): PlanningMethods {
  return {
    candidates: async ({ select, everyoneInScope, after, limit }) => {
      const [text, ...parameter] = selected(select);
      const rows = await db.all<CandidateRow>(text, after, limit, everyoneInScope, ...parameter);
      return rows.map(candidate);
    },
    sharing: async (keys, { by, presence, membersOnly, disabledOnlyLinked }) => {
      const people = new Map(keys.map((key): [string, string[]] => [key, []]));
      const rows = await db.all<{ key: string; object_id: string }>(
        sharing[by],
        keys,
        presence,
        membersOnly,
        disabledOnlyLinked,
      );
      for (const { key, object_id } of rows) people.get(key)?.push(object_id);
      return people;
    },
    managersFound: async (after, limit) =>
      (await db.all<{ object_id: string }>(managersFound, after, limit)).map((row) => row.object_id),
    leavingAfter: async (time, after, limit) => {
      const rows = await db.all<{ object_id: string; events: Pairs<LeavingEvent, number> }>(
        leavingAfter,
        time,
        after,
        limit,
      );
      return rows.map((row) => ({ objectId: row.object_id, events: new Map(row.events) }));
    },
    countLeaving: async (event, since) =>
      (await db.one<{ count: number }>(countLeaving, event, since))?.count ?? 0,
  };
}

/** The statement, and its fifth parameter if it has one. */
function selected(
  select: Parameters<StateStore["candidates"]>[0]["select"],
): readonly [text: string, ...parameter: Value[]] {
  if (select === "marked") return [marked];
  if (select === "everybody") return [everybody];
  return "only" in select ? [listed, select.only] : [found, select.managerFound.allDoneIn];
}

function candidate(row: CandidateRow): Candidate {
  return {
    source: sourceUser(row),
    member: row.member,
    groups: new Set(row.groups),
    userNameKey: row.user_name_key,
    sharesName: row.shares_name,
    externalIdKey: row.external_id_key,
    sharesExternalId: row.shares_external_id,
    link: linkOf(row),
    accountRemoved: row.account_removed,
    accountMissingSince: row.missing_since,
    lostLinks: (row.lost ?? []).map(lostLink),
    retry: row.retry === null ? null : retryRecord(row.retry),
    unconfirmed: row.unconfirmed,
    held: row.held ?? [],
    rejected: (row.rejected ?? []).map(rejectedChange),
    events: new Map(row.events),
    released: new Map(row.released),
    manager: row.manager_id === null ? null : managerIn(row, row.manager_id),
  };
}

function linkOf(row: CandidateRow): LinkedTarget | null {
  if (row.lattice_id === null) return null;
  return linkedTarget({ ...row, lattice_id: row.lattice_id, attributes: row.account_attributes });
}

function managerIn(row: CandidateRow, objectId: string): NonNullable<Candidate["manager"]> {
  const { manager_attributes: attributes, manager_presence: presence } = row;
  return managerOf({ objectId, presence, latticeId: row.manager_lattice_id }, () =>
    attributes === null || presence === null
      ? null
      : sourceUser({
          object_id: objectId,
          attributes: decodeJson(attributes) as JsonObject,
          manager_id: row.manager_manager_id,
          unshown: row.manager_unshown,
          presence,
        }),
  );
}
