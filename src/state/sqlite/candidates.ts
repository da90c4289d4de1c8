import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { LinkedTarget, LostLink } from "../../domain/state/account.ts";
import type { RejectedChange } from "../../domain/state/decided-change.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { managerOf } from "../manager.ts";
import { type LostLinkRow, lostLink } from "../records.ts";
import { manager } from "../reference-pending.ts";
import type { Connection } from "./files/database.ts";
import {
  linkedTarget,
  type RejectedRow,
  type RetryRow,
  rejectedChange,
  rejectedColumns,
  rejectedTables,
  retryRecord,
  type SourceRow,
  sourceUser,
  type TargetRow,
} from "./rows.ts";
import { given, readTogether } from "./tuning.ts";

/** The person, and the columns of the linked account, which are null if there is none. */
interface CandidateRow
  extends SourceRow,
    Pick<TargetRow, "user_name" | "external_id" | "active" | "active_known"> {
  readonly lattice_id: string | null;
  readonly account_attributes: string;
  readonly acknowledged: string;
  readonly drifted: string;
  readonly user_name_key: string | null;
  readonly external_id_key: string | null;
  readonly shares_external_id: number;
  readonly shares_name: number;
  readonly member: number;
  readonly manager_presence: Presence | null;
  readonly manager_attributes: string | null;
  readonly manager_manager_id: string | null;
  readonly manager_unshown: string | null;
  readonly manager_lattice_id: string | null;
  readonly account_removed: number;
  readonly missing_since: number | null;
  readonly unconfirmed: number;
}

const none: ReadonlyMap<string, string> = new Map();
const noGroups: ReadonlySet<string> = new Set();
const noEvents: ReadonlyMap<LeavingEvent, number> = new Map();
const noLostLinks: readonly LostLink[] = [];
const nothingRejected: readonly RejectedChange[] = [];
const nothingHeld: readonly number[] = [];

type CandidateQuery = Parameters<StateStore["candidates"]>[0];

/** People to plan, each with all that is known. */
export function candidates(db: Connection): StateStore["candidates"] {
  const select = (where: string) =>
    db.prepare<
      { after: string; limit: number; everyone: number; parameter: string | number | null },
      CandidateRow
    >(
      `SELECT s.object_id, s.attributes, s.manager_id, s.presence, s.unshown, s.user_name_key, s.external_id_key,
         s.account_removed, EXISTS (SELECT 1 FROM intent WHERE object_id = s.object_id) AS unconfirmed,
         t.lattice_id, t.user_name, t.external_id, t.active, t.active_known, t.attributes AS account_attributes, t.acknowledged, t.drifted, t.missing_since,
         EXISTS (SELECT 1 FROM source_user WHERE user_name_key = s.user_name_key AND object_id <> s.object_id) AS shares_name,
         EXISTS (SELECT 1 FROM source_user WHERE external_id_key = s.external_id_key AND object_id <> s.object_id) AS shares_external_id,
         (:everyone OR s.always_in_scope OR EXISTS (SELECT 1 FROM scope_member WHERE object_id = s.object_id)) AS member,
         m.presence AS manager_presence, m.attributes AS manager_attributes, m.manager_id AS manager_manager_id, m.unshown AS manager_unshown,
         mt.lattice_id AS manager_lattice_id
       FROM source_user s
       LEFT JOIN target_user t ON t.object_id = s.object_id
       LEFT JOIN source_user m ON m.object_id = s.manager_id
       LEFT JOIN target_user mt ON mt.object_id = s.manager_id
       WHERE ${where} AND s.object_id > :after ORDER BY s.object_id LIMIT ${given(":limit")}`,
    );
  const marked = select("s.pending = 1 AND :parameter IS NULL");
  const everybody = select(":parameter IS NULL");
  const listed = select("s.object_id IN (SELECT value FROM json_each(:parameter))");
  // A person with an unfinished operation in this cycle (mostly one that the guard holds) is left to the next cycle.
  const resolved = select(
    `s.reference_pending <> 0 AND s.reference_pending = ${manager.found} AND NOT EXISTS (SELECT 1 FROM operation
       WHERE object_id = s.object_id AND cycle_id = ${given(":parameter")} AND status <> 'done')`,
  );
  const retry = db.prepare<[string], RetryRow>("SELECT * FROM retry WHERE object_id = ?");
  const retryOf = (objectId: string): RetryRecord | null => {
    const row = retry.get(objectId);
    return row === undefined ? null : retryRecord(row);
  };
  const groups = db.prepare<[string], { group_name: string }>(
    "SELECT group_name FROM filter_group_member WHERE object_id = ?",
  );
  const groupsOf = (objectId: string): ReadonlySet<string> =>
    new Set(groups.all(objectId).map((row) => row.group_name));
  const events = db.prepare<[string], { event: LeavingEvent; since: number }>(
    "SELECT event, since FROM leaving_event WHERE object_id = ?",
  );
  const eventsOf = (objectId: string): ReadonlyMap<LeavingEvent, number> =>
    new Map(events.all(objectId).map((row) => [row.event, row.since]));
  const lostLinks = db.prepare<[string], LostLinkRow>(
    "SELECT * FROM lost_link WHERE object_id = ? ORDER BY dissolved_at DESC, lattice_id",
  );
  const rejectedOf = db.prepare<[string], RejectedRow>(
    `SELECT ${rejectedColumns} FROM ${rejectedTables} WHERE object_id = ?`,
  );
  const heldOf = db
    .prepare<[string], number>(
      "SELECT id FROM operation INDEXED BY operation_held WHERE object_id = ? AND status = 'held'",
    )
    .pluck();
  // Usually these tables are empty. One query per page then replaces several per person.
  const any = db.prepare<
    [],
    {
      groups: number;
      events: number;
      releases: number;
      rejections: number;
      retries: number;
      lost: number;
      held: number;
    }
  >(
    `SELECT EXISTS (SELECT 1 FROM filter_group_member) AS groups, EXISTS (SELECT 1 FROM leaving_event) AS events,
       EXISTS (SELECT 1 FROM lost_link) AS lost, EXISTS (SELECT 1 FROM rejected_change) AS rejections,
       EXISTS (SELECT 1 FROM released_change) AS releases, EXISTS (SELECT 1 FROM retry) AS retries,
       EXISTS (SELECT 1 FROM operation INDEXED BY operation_held WHERE status = 'held') AS held`,
  );
  const released = db.prepare<[string], { attribute: string; fingerprint: string }>(
    "SELECT attribute, fingerprint FROM released_change WHERE object_id = ?",
  );
  const releasedOf = (objectId: string): ReadonlyMap<string, string> =>
    new Map(released.all(objectId).map((row) => [row.attribute, row.fingerprint]));

  const together = readTogether(db);
  const page = ({ select: selection, after, limit, everyoneInScope }: CandidateQuery): Candidate[] => {
    const [statement, parameter] =
      selection === "marked"
        ? [marked, null]
        : selection === "everybody"
          ? [everybody, null]
          : "only" in selection
            ? [listed, JSON.stringify(selection.only)]
            : [resolved, selection.managerFound.allDoneIn];
    const rows = statement.all({ after, limit, everyone: everyoneInScope ? 1 : 0, parameter });
    const some = any.get();
    return rows.map((row): Candidate => {
      return {
        source: sourceUser(row),
        member: row.member === 1,
        groups: some?.groups === 1 ? groupsOf(row.object_id) : noGroups,
        userNameKey: row.user_name_key,
        sharesName: row.shares_name === 1,
        externalIdKey: row.external_id_key,
        sharesExternalId: row.shares_external_id === 1,
        link: linkOf(row),
        accountRemoved: row.account_removed === 1,
        accountMissingSince: row.missing_since,
        lostLinks: some?.lost === 1 ? lostLinks.all(row.object_id).map(lostLink) : noLostLinks,
        retry: some?.retries === 1 ? retryOf(row.object_id) : null,
        unconfirmed: row.unconfirmed === 1,
        held: some?.held === 1 ? heldOf.all(row.object_id) : nothingHeld,
        rejected:
          some?.rejections === 1 ? rejectedOf.all(row.object_id).map(rejectedChange) : nothingRejected,
        events: some?.events === 1 ? eventsOf(row.object_id) : noEvents,
        released: some?.releases === 1 ? releasedOf(row.object_id) : none,
        manager: row.manager_id === null ? null : managerIn(row, row.manager_id),
      };
    });
  };
  return async (query) => together(() => page(query));
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
          attributes,
          manager_id: row.manager_manager_id,
          unshown: row.manager_unshown,
          presence,
        }),
  );
}
