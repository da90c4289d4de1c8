import type { StateStore } from "../../src/domain/state/store.ts";
import { type Connected, connect } from "../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../src/state/postgres/connection/place.ts";
import { openScratchStore, openStore } from "../../src/state/postgres/store.ts";
import type { CountedStore, LoggedRow, PlayedState, Questions } from "./played-state.ts";

/** A real PostgreSQL database, by the caller's clock. */
export async function postgresState(place: PostgresPlace): Promise<PlayedState> {
  const options = { leaseClock: "caller" } as const;
  const counted = countWrites(await openStore(place, options));
  const beside = await connect(place);
  // Marks are no part of the state: they say which transactions a process has committed.
  const tables = await beside.db.all<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'job'
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'commit_mark' AND $1 > 0 ORDER BY c.oid DESC`,
  );
  const rows = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, string_agg(t::text, ' ' ORDER BY t::text) AS rows FROM ${name} t WHERE job = $1`,
  );
  const image = `SELECT md5(string_agg(name || coalesce(rows, ''), ' ' ORDER BY name)) AS image
    FROM (${rows.join(" UNION ALL ")}) tables`;
  return {
    ...counted,
    ask: questionsTo(beside),
    fault: () => null,
    wipe: () =>
      beside.db.transaction(async (session) => {
        for (const { name } of tables) await session.run(`DELETE FROM ${name} WHERE job = $1`);
        await session.run(
          `UPDATE job SET last_cycle = 0, last_operation = 0, last_decision = 0, last_event = 0, last_failure = 0
           WHERE id = $1`,
        );
      }),
    image: async () => (await beside.db.one<{ image: string }>(image))?.image ?? "",
    copy: async () => countWrites(await openScratchStore(place)),
    close: async () => {
      await beside.close();
      await counted.store.close();
    },
  };
}

/** Methods that write; a commit of nothing counts as well. */
const writing: ReadonlySet<PropertyKey> = new Set<keyof StateStore>([
  "commit",
  "beginCycle",
  "replaceOlderValues",
  "addEvent",
  "noteTold",
  "addressEvents",
  "claimDelivery",
  "settleDelivery",
]);

function countWrites(store: StateStore): CountedStore {
  let writes = 0;
  const counting = new Proxy(store, {
    get(target, property, receiver) {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function" || !writing.has(property)) return member;
      return async (...args: unknown[]) => {
        const answer: unknown = await member(...args);
        writes += 1;
        return answer;
      };
    },
  });
  return { store: counting, changes: () => writes };
}

function questionsTo({ db }: Connected): Questions {
  const ids = async (text: string, ...values: readonly number[]) =>
    (await db.all<{ object_id: string }>(text, ...values)).map((row) => row.object_id);
  const newest = "(SELECT max(id) FROM cycle WHERE job = $1)";
  const others = ["retry", "lost_link", "rejected_change"].map(
    (table) => `UNION SELECT object_id FROM ${table} WHERE job = $1`,
  );
  return {
    cycleIds: async () =>
      (await db.all<{ id: number }>("SELECT id FROM cycle WHERE job = $1")).map(({ id }) => id),
    newestCycleAt: async () =>
      (await db.one<{ at: number | null }>("SELECT max(started_at) AS at FROM cycle WHERE job = $1"))?.at ??
      null,
    newestOperations: (after = null) =>
      db.all<LoggedRow>(
        `SELECT id, object_id AS "objectId", lattice_id AS "latticeId", status, error, changes,
           EXISTS (SELECT 1 FROM intent i WHERE i.job = $1 AND i.operation_id = o.id) AS open
         FROM operation o WHERE job = $1 AND cycle_id > coalesce($2::bigint, ${newest} - 1) AND status <> 'reported'`,
        after,
      ),
    countOperations: async () =>
      (await db.one<{ count: number }>("SELECT count(*) AS count FROM operation WHERE job = $1"))?.count ?? 0,
    dissolvedSince: (since) =>
      db.all(
        `SELECT lattice_id AS "latticeId", dissolved_at AS at FROM lost_link WHERE job = $1 AND dissolved_at >= $2`,
        since,
      ),
    told: () =>
      ids(
        `SELECT object_id FROM operation
           WHERE job = $1 AND status IN ('held', 'failed', 'reported', 'cancelled') AND cycle_id = ${newest}
         UNION SELECT object_id FROM source_user WHERE job = $1 AND (skip_code IS NOT NULL OR reference_pending IN (1, 2))
         UNION SELECT object_id FROM target_user WHERE job = $1 AND read_again IS NOT NULL ${others.join(" ")}`,
      ),
    dueBy: (now) => ids("SELECT object_id FROM source_user WHERE job = $1 AND look_again_at <= $2", now),
    marked: () => ids("SELECT object_id FROM source_user WHERE job = $1 AND pending"),
  };
}
