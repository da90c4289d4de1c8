import type { Json } from "../../domain/json.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import { type AttributeWrite, sameAt, valueAt } from "../../domain/target.ts";

/** The value that the account holds at `path`. A value that Lattice accepted and never shows counts as it was sent. */
export function heldAt(link: ConfirmedTarget, path: string): Json {
  return isUnshown(link, path) ? (link.acknowledged[path]?.sent ?? null) : valueAt(link, path);
}

/** `true` if the account holds the value, or Lattice accepted the value and stores it in a form of its own. */
export function holds(link: ConfirmedTarget, path: string, wanted: Json): boolean {
  if (sameAt(path, heldAt(link, path), wanted)) return true;
  const acknowledged = Object.hasOwn(link.acknowledged, path) ? link.acknowledged[path] : undefined;
  return (
    acknowledged !== undefined &&
    sameAt(path, acknowledged.sent, wanted) &&
    sameAt(path, acknowledged.observed, valueAt(link, path))
  );
}

/** `true` if Lattice accepted the value before, but stores and shows another one. */
export function isKeptOtherwise(link: ConfirmedTarget, path: string, wanted: Json): boolean {
  return holds(link, path, wanted) && !sameAt(path, valueAt(link, path), wanted);
}

/** The values that the account holds and Lattice never shows. A PUT, which replaces the whole account, sends them again. */
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
