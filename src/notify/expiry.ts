import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "../domain/clock.ts";
import type { CredentialExpiry, StateEvent } from "../domain/event.ts";
import { isJsonObject } from "../domain/json.ts";
import { parseJson } from "../domain/parse-json.ts";
import type { StateStore } from "../domain/state/store.ts";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Once a day: checks when credentials expire, and stores an event when one comes near: at `expiryDays`, at 7 days, at 1 day,
 * and on expiry, once each.
 * @param read the known expiries of the credentials in use; empty if none is known
 * @returns the events, for the log
 */
export async function checkExpiry(
  { store, clock }: { readonly store: StateStore; readonly clock: Clock },
  expiryDays: number,
  read: () => Promise<readonly CredentialExpiry[]>,
): Promise<readonly StateEvent[]> {
  const now = clock.now();
  const checkedAt = Number((await store.meta()).expiryCheckedAt ?? 0);
  if (now - checkedAt < dayMs && checkedAt <= now) return [];
  await store.noteTold({ expiryCheckedAt: String(now) });
  const told: StateEvent[] = [];
  for (const { credential, id, name, expiresAt } of await read()) {
    const stage = stageOf(expiresAt - now, expiryDays);
    if (stage === null) continue;
    const event: StateEvent = {
      kind: "credentialExpiring",
      credential,
      name,
      expiresAt,
      expired: stage === 0,
    };
    const once = `credentialExpiring/${credential}/${id}/${expiresAt}/${stage}`;
    if (await store.addEvent(event, { at: now, once })) told.push(event);
  }
  return told;
}

/** The smallest stage that the remaining time is within, in days; 0 for expired, `null` for far away. */
function stageOf(remainingMs: number, expiryDays: number): number | null {
  if (remainingMs <= 0) return 0;
  const stages = [...new Set([1, 7, expiryDays])].filter((days) => days <= expiryDays).sort((a, b) => a - b);
  return stages.find((days) => remainingMs <= days * dayMs) ?? null;
}

/** When the first certificate of a PEM file ends; `null` if there is none that can be read: signing in says why. */
export function certificateExpiry(path: string): CredentialExpiry | null {
  try {
    const { fingerprint256, validToDate } = new X509Certificate(readFileSync(path));
    return { credential: "certificate", id: fingerprint256, name: path, expiresAt: validToDate.getTime() };
  } catch {
    return null;
  }
}

/** The expiry in a token itself: the `exp` of a JSON Web Token (RFC 7519, section 4.1.4); `null` for any other. */
export function tokenExpiry(token: string): CredentialExpiry | null {
  const [header, payload, signature] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined) return null;
  const claims = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  if (!isJsonObject(claims) || typeof claims.exp !== "number" || !Number.isFinite(claims.exp)) return null;
  const id = createHash("sha256").update(token).digest("hex").slice(0, 16);
  return { credential: "latticeToken", id, name: "The key in use", expiresAt: claims.exp * 1000 };
}
