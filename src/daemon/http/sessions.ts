import { createHash, randomBytes } from "node:crypto";

/** The sessions of the page, in memory: a restart of the daemon signs all users out. */
export interface Sessions {
  /** @returns the id to give to the browser */
  open(): string;
  has(id: string): boolean;
  close(id: string): void;
}

export const sessionLifetimeSeconds = 12 * 60 * 60;
const mostSessions = 1_000;

/** @param now milliseconds since the epoch */
export function createSessions(now: () => number): Sessions {
  /** By the hash of the id, so that the time of a look-up reveals nothing about an id. The oldest first. */
  const expiries = new Map<string, number>();
  const keyOf = (id: string): string => createHash("sha256").update(id).digest("base64");
  return {
    open: () => {
      for (const [key, expiresAt] of expiries) {
        if (expiresAt <= now() || expiries.size >= mostSessions) expiries.delete(key);
      }
      const id = randomBytes(32).toString("base64url");
      expiries.set(keyOf(id), now() + sessionLifetimeSeconds * 1000);
      return id;
    },
    has: (id) => {
      const expiresAt = expiries.get(keyOf(id));
      return expiresAt !== undefined && expiresAt > now();
    },
    close: (id) => {
      expiries.delete(keyOf(id));
    },
  };
}
