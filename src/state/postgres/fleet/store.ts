import type { FleetReader, FleetSessions, FleetStore } from "../../../domain/fleet.ts";
import { connectToAll, connectToReadAll } from "../connection/connect.ts";
import type { Database } from "../connection/database.ts";
import type { PostgresPlace } from "../connection/place.ts";
import { serverTime } from "../lease.ts";
import { turnMethods } from "./turns.ts";
import { all } from "./words.ts";
import { workerMethods } from "./workers.ts";
import { workMethods } from "./works.ts";

/** Opens the data that daemons of a database keep about each other; makes or migrates the tables first. @throws StateError */
export async function openFleetStore(place: Omit<PostgresPlace, "job">): Promise<FleetStore> {
  const { db, close } = await connectToAll(place);
  return { ...workerMethods(db), ...turnMethods(db), ...workMethods(db), ...sessionMethods(db), close };
}

/**
 * Opens it only to read; `null` if there are no tables, or those of an older version.
 * @throws StateError
 */
export async function openFleetReader(place: Omit<PostgresPlace, "job">): Promise<FleetReader | null> {
  const connected = await connectToReadAll(place);
  if (connected === null) return null;
  const { workers, jobs } = workerMethods(connected.db);
  return { workers, jobs, close: connected.close };
}

/** A session is kept as signed out for this long after its end. */
const keptMs = 86_400_000;
const signOut = `INSERT INTO signed_out (session, expires_at) SELECT $2, $3 WHERE ${all} ON CONFLICT DO NOTHING`;
// A daemon whose clock is behind accepts a session for longer than the others: until it ends there too, the session must be kept as signed out.
const forget = `DELETE FROM signed_out WHERE ${all} AND expires_at < ${serverTime} - ${keptMs}`;
const signedOut = `SELECT session FROM signed_out WHERE ${all}`;

function sessionMethods(db: Database): FleetSessions {
  return {
    signOut: async (session, expiresAt) => {
      await db.run(signOut, session, expiresAt);
    },
    signedOut: async () => {
      await db.run(forget);
      return (await db.all<{ session: string }>(signedOut)).map(({ session }) => session);
    },
  };
}
