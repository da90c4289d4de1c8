import type Database from "better-sqlite3";
import type { LeaseHolder } from "../../domain/state/lease.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { heldByOlderVersion } from "../lease-errors.ts";
import { type LeaseRow, leaseHolder } from "../records.ts";
import type { FileInWords } from "./files/errors.ts";

type Connection = Database.Database;

type LeaseMethods = Pick<StateStore, "acquireLease" | "renewLease" | "releaseLease" | "leaseHolder">;

/** One writer at a time, whichever process or container it runs in: the lease is a row in the shared file. */
export function leaseMethods(db: Connection): LeaseMethods {
  const select = db.prepare<[], LeaseRow>(
    "SELECT owner, acquired_at, expires_at FROM lease WHERE name = 'cycle'",
  );
  const take = db.prepare<[string, number, number]>(
    `INSERT INTO lease (name, owner, acquired_at, expires_at) VALUES ('cycle', ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at`,
  );
  const extend = db.prepare<[number, string]>(
    "UPDATE lease SET expires_at = ? WHERE name = 'cycle' AND owner = ?",
  );
  const release = db.prepare<[string]>("DELETE FROM lease WHERE name = 'cycle' AND owner = ?");

  const acquire = db.transaction((owner: string, now: number, ttlMs: number, silent?: LeaseHolder) => {
    const held = select.get();
    const dead = held?.owner === silent?.owner && held?.expires_at === silent?.expiresAt;
    if (held !== undefined && held.owner !== owner && held.expires_at > now && !dead) {
      return { acquired: false as const, holder: leaseHolder(held) };
    }
    take.run(owner, now, now + ttlMs);
    return { acquired: true as const };
  });

  return {
    acquireLease: async (owner, now, ttlMs, silent) => acquire.immediate(owner, now, ttlMs, silent),
    renewLease: async (owner, now, ttlMs) => extend.run(now + ttlMs, owner).changes === 1,
    releaseLease: async (owner) => {
      release.run(owner);
    },
    leaseHolder: async (now) => {
      const held = select.get();
      return held !== undefined && held.expires_at > now ? leaseHolder(held) : null;
    },
  };
}

/** No lease lasts longer than this. One that seems to dates from before the clock was set back. */
const longestLeaseMs = 10 * 60_000;

/** `false` for a lease that dates from before the clock was set back. @param now milliseconds since the epoch */
export function isPlausible({ expires_at: expiresAt }: Pick<LeaseRow, "expires_at">, now: number): boolean {
  return expiresAt - now <= longestLeaseMs;
}

/**
 * Refuses to change the tables while a run of the older version works with them.
 * @param now milliseconds since the epoch
 * @throws LeaseHeldError
 */
export function refuseUnderLease(
  db: Connection,
  file: FileInWords,
  now: number,
  hasEnded: (holder: LeaseHolder) => boolean,
): void {
  const held = db
    .prepare<[], LeaseRow>("SELECT owner, acquired_at, expires_at FROM lease WHERE name = 'cycle'")
    .get();
  if (held === undefined || held.expires_at <= now || !isPlausible(held, now)) return;
  if (hasEnded(leaseHolder(held))) return;
  throw heldByOlderVersion(file.name, held);
}
