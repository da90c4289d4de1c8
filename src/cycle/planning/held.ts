import type { Json } from "../../domain/json.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import { type AttributeWrite, sameAt, valueAt } from "../../domain/target.ts";

/** What the account is taken to hold at `path`: a value that was taken and is never shown counts as it was sent. */
export function heldAt(link: ConfirmedTarget, path: string): Json {
  return isUnshown(link, path) ? (link.acknowledged[path]?.sent ?? null) : valueAt(link, path);
}

/** Whether the account holds the value, or has accepted it and keeps it in a form of its own. */
export function holds(link: ConfirmedTarget, path: string, wanted: Json): boolean {
  if (sameAt(path, heldAt(link, path), wanted)) return true;
  const acknowledged = Object.hasOwn(link.acknowledged, path) ? link.acknowledged[path] : undefined;
  return (
    acknowledged !== undefined &&
    sameAt(path, acknowledged.sent, wanted) &&
    sameAt(path, acknowledged.observed, valueAt(link, path))
  );
}

/** Whether the account holds the value only in so far as it was sent before, and the target keeps another. */
export function isKeptOtherwise(link: ConfirmedTarget, path: string, wanted: Json): boolean {
  return holds(link, path, wanted) && !sameAt(path, valueAt(link, path), wanted);
}

/** The values that the account holds and never shows: where it is replaced as a whole they are sent again. */
export function unshown(link: ConfirmedTarget): AttributeWrite[] {
  return Object.keys(link.acknowledged).flatMap((path) =>
    isUnshown(link, path) ? [{ path, value: heldAt(link, path) }] : [],
  );
}

function isUnshown(link: ConfirmedTarget, path: string): boolean {
  const acknowledged = Object.hasOwn(link.acknowledged, path) ? link.acknowledged[path] : undefined;
  if (acknowledged === undefined || acknowledged.refused === true) return false;
  return acknowledged.observed === null && valueAt(link, path) === null;
}
