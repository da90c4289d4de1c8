import type { StateStore } from "../../domain/state/store.ts";
import { type LeaseRow, leaseHolder } from "../records.ts";
import type { Database } from "./connection/database.ts";

type LeaseMethods = Pick<StateStore, "acquireLease" | "renewLease" | "releaseLease" | "leaseHolder">;

/**
 * The clock by which a lease expires. `server`: that of the server, because several machines write, and the clock of one may be wrong.
 * `caller`: the time that each method is given, for tests with a clock of their own.
 */
export type LeaseClock = "server" | "caller";

/** Now, milliseconds since the epoch, by the server's clock. */
export const serverTime = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Allows one writer at a time, on whichever machine it runs: the lease is a row of the job. Each new owner begins a new term. */
export function leaseMethods(db: Database, clock: LeaseClock): LeaseMethods {
  // The caller's time is a parameter in both cases, so that each statement takes the same parameters.
  const now = (parameter: string): string =>
    clock === "caller" ? `${parameter}::bigint` : `(${serverTime} + 0 * ${parameter}::bigint)`;
  // If another run has locked the row, PostgreSQL checks the condition again once that run has committed.
  const take = `INSERT INTO lease AS held (job, owner, term, acquired_at, expires_at)
    SELECT $1, $2, 1, t.now, t.now + $4::bigint FROM (SELECT ${now("$3")} AS now) t
    ON CONFLICT (job) DO UPDATE SET owner = excluded.owner, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at,
      term = held.term + (held.owner IS DISTINCT FROM excluded.owner)::int
    WHERE held.owner IS NULL OR held.owner = excluded.owner OR held.expires_at <= excluded.acquired_at
      OR (held.owner = $5 AND held.expires_at = $6::bigint)
    RETURNING owner`;
  const holder = "SELECT owner, acquired_at, expires_at FROM lease WHERE job = $1 AND owner IS NOT NULL";
  const current = `${holder} AND expires_at > ${now("$2")}`;
  const extend = `UPDATE lease SET expires_at = ${now("$3")} + $4::bigint WHERE job = $1 AND owner = $2`;
  const release = "UPDATE lease SET owner = NULL WHERE job = $1 AND owner = $2";
  return {
    acquireLease: async (owner, at, ttlMs, silent) => {
      for (;;) {
        const values = [owner, at, ttlMs, silent?.owner ?? null, silent?.expiresAt ?? null];
        if ((await db.run(take, ...values)) === 1) return { acquired: true };
        const held = await db.one<LeaseRow>(holder);
        // Released in between: it is free.
        if (held !== undefined) return { acquired: false, holder: leaseHolder(held) };
      }
    },
    renewLease: async (owner, at, ttlMs) => (await db.run(extend, owner, at, ttlMs)) === 1,
    releaseLease: async (owner) => {
      await db.run(release, owner);
    },
    leaseHolder: async (at) => {
      const held = await db.one<LeaseRow>(current, at);
      return held === undefined ? null : leaseHolder(held);
    },
  };
}
