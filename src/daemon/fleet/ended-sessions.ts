import { errorText } from "../../domain/errors.ts";
import type { FleetSessions } from "../../domain/fleet.ts";
import type { EndedSessions } from "../http/signed-sessions.ts";
import { repeat } from "./repeat.ts";

const readEveryMs = 2_000;

/** Sessions that users have ended at any of the daemons. Each daemon knows them within a few seconds. */
export function shareEndedSessions(
  fleet: FleetSessions,
  log: { warn(fields: object, message: string): void },
): EndedSessions & { stop(): Promise<void> } {
  let ended: ReadonlySet<string> = new Set();
  const own = new Map<string, number>();
  const fault = (error: unknown): void =>
    log.warn({ error: errorText(error) }, "other daemons may not know yet who has signed out");
  const reading = repeat(
    readEveryMs,
    async () => {
      const told = [...own];
      for (const [session, expiresAt] of told) await fleet.signOut(session, expiresAt);
      ended = new Set(await fleet.signedOut());
      // Only after the read, so that a session that has ended never counts as open in between.
      for (const [session] of told) own.delete(session);
    },
    (error, again) => {
      if (!again) fault(error);
    },
  );
  reading.start();
  return {
    has: (session) => own.has(session) || ended.has(session),
    add: (session, expiresAt) => {
      own.set(session, expiresAt);
      reading.soon();
    },
    stop: reading.stop,
  };
}
