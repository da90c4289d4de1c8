import type { JsonObject } from "../../domain/json.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import { sameAt, type TargetUser, valueAt } from "../../domain/target.ts";

/**
 * What the target shows otherwise than it was confirmed, although nobody sent it: by path, the confirmed value.
 * @param known the account as the picture has it, earlier drift included
 * @param sent paths of this write, which are confirmed now
 * @param emptied paths that the target may have emptied by itself: a value that is newly missing there is no drift
 */
export function driftOf(
  known: LinkedTarget,
  found: TargetUser,
  sent: ReadonlySet<string>,
  emptied: ReadonlySet<string>,
): JsonObject {
  const paths = new Set([
    "userName",
    "externalId",
    "active",
    ...Object.keys(known.values),
    ...Object.keys(found.values),
    ...Object.keys(known.drifted),
  ]);
  return Object.fromEntries(
    [...paths].flatMap((path) => {
      if (sent.has(path)) return [];
      // Nothing was ever confirmed of it.
      if (path === "active" && known.active === null) return [];
      // An id that is not shown may be there.
      if (path === "externalId" && found.externalId === null) return [];
      const earlier = Object.hasOwn(known.drifted, path) ? known.drifted[path] : undefined;
      const now = valueAt(found, path);
      const before = valueAt(known, path);
      if (earlier === undefined && (sameAt(path, before, now) || (now === null && emptied.has(path))))
        return [];
      const acknowledged = Object.hasOwn(known.acknowledged, path) ? known.acknowledged[path] : undefined;
      // `null` is a value that was confirmed too: there was none, and somebody has added one.
      const last = acknowledged === undefined ? before : acknowledged.sent;
      const confirmed = earlier === undefined ? last : earlier;
      return sameAt(path, confirmed, now) ? [] : [[path, confirmed]];
    }),
  );
}

/** What the account still keeps otherwise than it was sent: an acknowledgement ends when the value that was sent is shown. */
export function stillAcknowledged(
  acknowledged: LinkedTarget["acknowledged"],
  found: TargetUser,
): LinkedTarget["acknowledged"] {
  return Object.fromEntries(
    Object.entries(acknowledged).filter(([path, { sent }]) => !sameAt(path, valueAt(found, path), sent)),
  );
}

/** The account as found, where an `active` or a userName that is not shown stays what was confirmed last. */
export function keepUnshown<User extends TargetUser>(found: User, confirmed: TargetUser | undefined): User {
  const active = found.active ?? confirmed?.active ?? null;
  const userName = found.userName === "" ? (confirmed?.userName ?? "") : found.userName;
  return active === found.active && userName === found.userName ? found : { ...found, active, userName };
}
