import { type Json, jsonEquals } from "../../src/domain/json.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import type { Account, RevertedAttribute, Reverting, World } from "./world.ts";

/** The attributes of an account that a revert may change. */
export const revertedAttributes: readonly RevertedAttribute[] = ["userName", "active", "title", managerPath];

/** The value of an account; `null` if there is none. */
export function heldIn(account: Account, attribute: RevertedAttribute): Json {
  if (attribute === "userName" || attribute === "active") return account[attribute];
  return account.values[attribute] ?? null;
}

/** A revert writes nothing but what an account had before the reverted cycle. */
export function judgeRevert(
  { broken }: Pick<World, "broken">,
  { before: past, created, logged }: Reverting,
  before: Account,
  next: Account,
): void {
  const earlier = past.get(before.id);
  for (const attribute of revertedAttributes) {
    const value = heldIn(next, attribute);
    if (jsonEquals(value, heldIn(before, attribute))) continue;
    const made = earlier === undefined && created && attribute === "active" && value === false;
    const key = `${before.id} ${attribute}`;
    if (made || (earlier !== undefined && jsonEquals(value, heldIn(earlier, attribute)))) continue;
    if (logged.has(key) && jsonEquals(value, logged.get(key) ?? null)) continue;
    broken.push(
      `a revert writes ${attribute} of ${before.id}, which was not ${JSON.stringify(value)} before`,
    );
  }
}
