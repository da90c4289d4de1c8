import type { AccountIdentity, Accounts, Links } from "../../domain/state/accounts.ts";
import type { AccountRow } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";
import { linkedTarget, matchedTarget, type TargetRow } from "./rows.ts";
import { given, readTogether } from "./tuning.ts";

/** Lattice's accounts as last read and confirmed, and their links. */
export function accountMethods(db: Connection): Accounts & Links {
  const together = readTogether(db);
  const unread = db.prepare<
    [number, string, number],
    Pick<TargetRow, "lattice_id" | "object_id" | "user_name">
  >(
    `SELECT lattice_id, object_id, user_name FROM target_user
     WHERE read_in < ? AND lattice_id > ? ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const reporting = db.prepare<{ latticeId: string }, TargetRow>(
    `SELECT * FROM target_user WHERE manager = :latticeId
     UNION
     SELECT t.* FROM source_user s JOIN target_user t ON t.object_id = s.object_id
     WHERE s.manager_id = (SELECT object_id FROM target_user WHERE lattice_id = :latticeId)`,
  );
  const toReadAgain = db.prepare<[string, number], { lattice_id: string; object_id: string | null }>(
    `SELECT lattice_id, object_id FROM target_user WHERE read_again IS NOT NULL AND lattice_id > ?
     ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const linkOf = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE object_id = ?");
  const sound = db
    .prepare<[string, number], string>(
      `SELECT lattice_id FROM target_user t WHERE object_id IS NOT NULL AND missing_since IS NULL
         AND object_id NOT IN (SELECT value FROM json_each(?))
         AND NOT EXISTS (SELECT 1 FROM retry WHERE object_id = t.object_id)
         AND NOT EXISTS (SELECT 1 FROM intent WHERE object_id = t.object_id)
       ORDER BY lattice_id LIMIT ?`,
    )
    .pluck();
  const byId = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE lattice_id = ?");
  const idOf = db.prepare<[string], { lattice_id: string }>(
    "SELECT lattice_id FROM target_user WHERE object_id = ? AND missing_since IS NULL",
  );
  const missingNow = db.prepare<[number, string, number], { lattice_id: string; missing_since: number }>(
    `SELECT lattice_id, missing_since FROM target_user
     WHERE missing_since IS NOT NULL AND missing_since <= ? AND lattice_id > ? ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const others = db.prepare<[string, number], { lattice_id: string }>(
    `SELECT lattice_id FROM target_user WHERE lattice_id <> ? AND missing_since IS NULL
     ORDER BY object_id IS NULL, active = 0, lattice_id LIMIT ${given("?")}`,
  );
  const acknowledged = db.prepare<[], { attribute: string; accounts: number; observed: number }>(
    `SELECT a.key AS attribute, count(*) AS accounts, count(json_extract(a.value, '$.observed')) AS observed
     FROM target_user, json_each(acknowledged) a
     WHERE acknowledged <> '{}' AND object_id IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const shows = db
    .prepare<[string], number>(
      `SELECT EXISTS (SELECT 1 FROM target_user WHERE object_id IS NOT NULL
         AND EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ?))`,
    )
    .pluck();
  const lost = db.prepare<[number], { count: number }>(
    "SELECT count(*) AS count FROM lost_link WHERE dissolved_at >= ?",
  );
  const identity = db.prepare<[string], Pick<TargetRow, "user_name" | "external_id" | "object_id">>(
    "SELECT user_name, external_id, object_id FROM target_user WHERE lattice_id = ?",
  );
  return {
    accountRows: async ({ latticeIds, objectIds }) =>
      together(() => {
        const rows = new Map<string, AccountRow>();
        const add = (row: TargetRow | undefined): void => {
          if (row !== undefined) rows.set(row.lattice_id, accountRow(row));
        };
        for (const latticeId of latticeIds) add(byId.get(latticeId));
        for (const objectId of objectIds) add(linkOf.get(objectId));
        return [...rows.values()];
      }),
    accountsReportingTo: async (latticeId) => reporting.all({ latticeId }).map(accountRow),
    unreadAccounts: async (cycleId, after, limit) =>
      unread.all(cycleId, after, limit).map((row) => ({
        latticeId: row.lattice_id,
        objectId: row.object_id,
        userName: row.user_name,
      })),
    toReadAgain: async (after, limit) =>
      toReadAgain.all(after, limit).map((row) => ({ latticeId: row.lattice_id, objectId: row.object_id })),
    missingAccounts: async (before, after, limit) =>
      missingNow
        .all(before, after, limit)
        .map((row) => ({ latticeId: row.lattice_id, missingSince: row.missing_since })),
    otherAccounts: async (latticeId, limit) => others.all(latticeId, limit).map((row) => row.lattice_id),
    countAcknowledged: async () =>
      acknowledged.all().map(({ attribute, accounts, observed }) => ({
        attribute,
        accounts,
        shown: observed > 0 || shows.get(attribute) === 1,
      })),
    countLostLinks: async (since) => lost.get(since)?.count ?? 0,
    latticeIdOf: async (objectId) => idOf.get(objectId)?.lattice_id ?? null,
    latticeIdsOf: async (objectIds) =>
      together(
        () =>
          new Map(
            objectIds.flatMap((objectId): [string, string][] => {
              const row = idOf.get(objectId);
              return row === undefined ? [] : [[objectId, row.lattice_id]];
            }),
          ),
      ),
    soundAccounts: async (except, limit) => sound.all(JSON.stringify(except), limit),
    linkOf: async (objectId) => {
      const row = linkOf.get(objectId);
      return row === undefined ? null : linkedTarget(row);
    },
    ownerOf: async (latticeId) => byId.get(latticeId)?.object_id ?? null,
    accountOf: async (latticeId) => {
      const row = byId.get(latticeId);
      return row === undefined ? null : { ...matchedTarget(row), readIn: row.read_in };
    },
    identitiesOf: async (latticeIds) =>
      together(
        () =>
          new Map(
            latticeIds.flatMap((latticeId): [string, AccountIdentity][] => {
              const row = identity.get(latticeId);
              if (row === undefined) return [];
              return [
                [
                  latticeId,
                  { userName: row.user_name, externalId: row.external_id, linkedTo: row.object_id },
                ],
              ];
            }),
          ),
      ),
  };
}

function accountRow(row: TargetRow): AccountRow {
  return {
    ...linkedTarget(row),
    objectId: row.object_id,
    readIn: row.read_in,
    readAgain: row.read_again === null ? null : (JSON.parse(row.read_again) as string[]),
    missingSince: row.missing_since,
  };
}
