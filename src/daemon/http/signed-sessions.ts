import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../domain/secret.ts";
import { type Sessions, sessionLifetimeSeconds } from "./sessions.ts";

/** Sessions that ended before their time, by a hash of their id. */
export interface EndedSessions {
  has(session: string): boolean;
  /** @param expiresAt milliseconds since the epoch */
  add(session: string, expiresAt: number): void;
}

/**
 * Sessions that are valid at every daemon with the same token, not only at the one that opened them: the id holds the time at which the
 * session ends, and is signed with a key that is made from the token. Another token ends all of them.
 * @param now milliseconds since the epoch
 */
export function createSignedSessions(token: Secret, ended: EndedSessions, now: () => number): Sessions {
  const key = createHmac("sha256", token.reveal()).update("sessions of the dashboard").digest();
  const signatureOf = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const hashOf = (id: string): string => createHash("sha256").update(id).digest("base64");
  /** When a right id ends; `null` for any other text. */
  const endOf = (id: string): number | null => {
    const [, text = "", end = "", signature = ""] = /^((\d{1,16})\.[\w-]{22})\.([\w-]{43})$/.exec(id) ?? [];
    const given = Buffer.from(signature, "base64url");
    const right = signatureOf(text);
    return given.length === right.length && timingSafeEqual(given, right) ? Number(end) : null;
  };
  return {
    open: () => {
      const text = `${now() + sessionLifetimeSeconds * 1000}.${randomBytes(16).toString("base64url")}`;
      return `${text}.${signatureOf(text).toString("base64url")}`;
    },
    has: (id) => {
      const end = endOf(id);
      return end !== null && end > now() && !ended.has(hashOf(id));
    },
    close: (id) => {
      const end = endOf(id);
      if (end !== null) ended.add(hashOf(id), end);
    },
  };
}
