import type { StateStore } from "../../domain/state/store.ts";
import { askedTogether } from "./asked-together.ts";
import type { Database } from "./connection/database.ts";
import { accountRow, linkedTarget, matchedTarget, type TargetRow } from "./rows.ts";

type AccountMethods = Pick<
  StateStore,
  | "accountRows"
  | "accountsReportingTo"
  | "unreadAccounts"
  | "toReadAgain"
  | "missingAccounts"
  | "otherAccounts"
  | "soundAccounts"
  | "accountOf"
  | "linkOf"
  | "ownerOf"
  | "latticeIdOf"
  | "latticeIdsOf"
  | "identitiesOf"
  | "countAcknowledged"
  | "countLostLinks"
>;

type Ids = Pick<TargetRow, "lattice_id" | "object_id">;

const rows = `SELECT * FROM target_user WHERE job = $1 AND lattice_id = ANY($2)
  UNION ALL SELECT * FROM target_user WHERE job = $1 AND object_id = ANY($3) AND lattice_id <> ALL($2)`;
const reporting = `SELECT * FROM target_user WHERE job = $1 AND (manager = $2 OR object_id IN
  (SELECT s.object_id FROM target_user t JOIN source_user s ON s.job = t.job AND s.manager_id = t.object_id
   WHERE t.job = $1 AND t.lattice_id = $2))`;
const unread = `SELECT lattice_id, object_id, user_name FROM target_user
  WHERE job = $1 AND read_in < $2 AND lattice_id > $3 ORDER BY lattice_id LIMIT $4`;
const again = `SELECT lattice_id, object_id FROM target_user WHERE job = $1 AND read_again IS NOT NULL AND lattice_id > $2
  ORDER BY lattice_id LIMIT $3`;
const missing = `SELECT lattice_id, missing_since FROM target_user
  WHERE job = $1 AND missing_since IS NOT NULL AND missing_since <= $2 AND lattice_id > $3 ORDER BY lattice_id LIMIT $4`;
const others = `SELECT lattice_id FROM target_user WHERE job = $1 AND lattice_id <> $2 AND missing_since IS NULL
  ORDER BY object_id IS NULL, active DESC, lattice_id LIMIT $3`;
const sound = `SELECT lattice_id FROM target_user t WHERE job = $1 AND object_id IS NOT NULL AND missing_since IS NULL
    AND object_id <> ALL($2)
    AND NOT EXISTS (SELECT 1 FROM retry WHERE job = $1 AND object_id = t.object_id)
    AND NOT EXISTS (SELECT 1 FROM intent WHERE job = $1 AND object_id = t.object_id)
  ORDER BY lattice_id LIMIT $3`;
const byId = "SELECT * FROM target_user WHERE job = $1 AND lattice_id = $2";
const byPerson = "SELECT * FROM target_user WHERE job = $1 AND object_id = $2";
const current = `SELECT object_id, lattice_id FROM target_user
  WHERE job = $1 AND object_id = ANY($2) AND missing_since IS NULL`;
const owners = "SELECT lattice_id, object_id FROM target_user WHERE job = $1 AND lattice_id = ANY($2)";
const identities = `SELECT lattice_id, user_name, external_id, object_id FROM target_user
  WHERE job = $1 AND lattice_id = ANY($2)`;
const acknowledged = `SELECT a.key AS attribute, count(*) AS accounts, 
    count(*) FILTER (WHERE json_typeof(a.value -> 'observed') <> 'null') AS observed
  FROM target_user, json_each(acknowledged) a
  WHERE job = $1 AND acknowledged IS NOT NULL AND object_id IS NOT NULL GROUP BY 1 ORDER BY 1`;
const shown = `SELECT name FROM unnest($2::text[]) AS name WHERE EXISTS (SELECT 1 FROM target_user
  WHERE job = $1 AND object_id IS NOT NULL AND attributes -> name IS NOT NULL)`;
const lost = "SELECT count(*) AS count FROM lost_link WHERE job = $1 AND dissolved_at >= $2";

/** Lattice as last confirmed, and which account is whose. */
export function accountMethods(db: Database): AccountMethods {
  const account = (latticeId: string) => db.one<TargetRow>(byId, latticeId);
  const latticeIds = async (objectIds: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const found = await db.all<{ object_id: string; lattice_id: string }>(current, objectIds);
    return new Map(found.map((row) => [row.object_id, row.lattice_id]));
  };
  // Both are asked for each write that is sent.
  const ownerOf = askedTogether(
    async (ids) => new Map((await db.all<Ids>(owners, ids)).map((row) => [row.lattice_id, row.object_id])),
  );
  const latticeIdOf = askedTogether(latticeIds);
  return {
    accountRows: async ({ latticeIds: ids, objectIds }) =>
      (await db.all<TargetRow>(rows, ids, objectIds)).map(accountRow),
    accountsReportingTo: async (latticeId) => (await db.all<TargetRow>(reporting, latticeId)).map(accountRow),
    unreadAccounts: async (cycleId, after, limit) =>
      (await db.all<Ids & Pick<TargetRow, "user_name">>(unread, cycleId, after, limit)).map((row) => ({
        ...idsOf(row),
        userName: row.user_name,
      })),
    toReadAgain: async (after, limit) => (await db.all<Ids>(again, after, limit)).map(idsOf),
    missingAccounts: async (before, after, limit) =>
      (await db.all<{ lattice_id: string; missing_since: number }>(missing, before, after, limit)).map(
        (row) => ({ latticeId: row.lattice_id, missingSince: row.missing_since }),
      ),
    otherAccounts: async (latticeId, limit) =>
      (await db.all<Ids>(others, latticeId, limit)).map((row) => row.lattice_id),
    soundAccounts: async (except, limit) =>
      (await db.all<Ids>(sound, except, limit)).map((row) => row.lattice_id),
    accountOf: async (latticeId) => {
      const row = await account(latticeId);
      return row === undefined ? null : { ...matchedTarget(row), readIn: row.read_in };
    },
    linkOf: async (objectId) => {
      const row = await db.one<TargetRow>(byPerson, objectId);
      return row === undefined ? null : linkedTarget(row);
    },
    ownerOf: async (latticeId) => (await ownerOf(latticeId)) ?? null,
    latticeIdOf: async (objectId) => (await latticeIdOf(objectId)) ?? null,
    latticeIdsOf: latticeIds,
    identitiesOf: async (ids) =>
      new Map(
        (await db.all<Ids & Pick<TargetRow, "user_name" | "external_id">>(identities, ids)).map((row) => [
          row.lattice_id,
          { userName: row.user_name, externalId: row.external_id, linkedTo: row.object_id },
        ]),
      ),
    countAcknowledged: async () => {
      const counts = await db.all<{ attribute: string; accounts: number; observed: number }>(acknowledged);
      const names = counts.flatMap(({ attribute, observed }) => (observed > 0 ? [] : [attribute]));
      const found = names.length === 0 ? [] : await db.all<{ name: string }>(shown, names);
      const seen = new Set(found.map(({ name }) => name));
      return counts.map(({ attribute, accounts, observed }) => ({
        attribute,
        accounts,
        shown: observed > 0 || seen.has(attribute),
      }));
    },
    countLostLinks: async (since) => (await db.one<{ count: number }>(lost, since))?.count ?? 0,
  };
}

function idsOf(row: Ids): { readonly latticeId: string; readonly objectId: string | null } {
  return { latticeId: row.lattice_id, objectId: row.object_id };
}
