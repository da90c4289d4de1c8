import type { JsonObject } from "../../domain/json.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import { sameAt, type TargetUser, valueAt } from "../../domain/target.ts";

/**
 * Finds drift: values that the target shows otherwise than they were confirmed, although no other value was sent.
 * @returns the confirmed value by path
 * @param known the account as stored, earlier drift included
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
      // `active` was never confirmed.
      if (path === "active" && known.active === null) return [];
      // An externalId that Lattice does not show may still be there.
      if (path === "externalId" && found.externalId === null) return [];
      const earlier = Object.hasOwn(known.drifted, path) ? known.drifted[path] : undefined;
      const now = valueAt(found, path);
      const before = valueAt(known, path);
      if (earlier === undefined && (sameAt(path, before, now) || (now === null && emptied.has(path))))
        return [];
      const acknowledged = Object.hasOwn(known.acknowledged, path) ? known.acknowledged[path] : undefined;
      // `null` can be confirmed too: then there was no value, and a value was added by hand.
      const last = acknowledged === undefined ? before : acknowledged.sent;
      const confirmed = earlier === undefined ? last : earlier;
      return sameAt(path, confirmed, now) ? [] : [[path, confirmed]];
    }),
  );
}

/** The acknowledgements that still hold. One ends when Lattice shows the value that was sent. */
export function stillAcknowledged(
  acknowledged: LinkedTarget["acknowledged"],
  found: TargetUser,
): LinkedTarget["acknowledged"] {
  return Object.fromEntries(
    Object.entries(acknowledged).filter(([path, { sent }]) => !sameAt(path, valueAt(found, path), sent)),
  );
}

/** The account as found. If Lattice does not show `active` or the userName, the last confirmed value stays. */
export function keepUnshown<User extends TargetUser>(found: User, confirmed: TargetUser | undefined): User {
  const active = found.active ?? confirmed?.active ?? null;
  const userName = found.userName === "" ? (confirmed?.userName ?? "") : found.userName;
  return active === found.active && userName === found.userName ? found : { ...found, active, userName };
}
