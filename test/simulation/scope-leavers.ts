import { mayHaveLeftScope } from "../../src/cycle/leavers/scope-leavers.ts";
import { fallen, mayEndWith, portsOf, type Stage } from "./cycles.ts";
import { parseScopeWatermark, removedSince } from "./ends.ts";
import { accountOf } from "./expectation.ts";
import { createDoom, type Fate } from "./fate.ts";
import { theGroup } from "./groups.ts";
import { settingsOf } from "./settings.ts";

/**
 * Asks as the daemon does between two cycles whether a person may have left the scope, so that a cycle of everybody begins at once.
 * @param hasAskedFor the cycle that the last answer asked for has just ended, undisturbed
 * @returns the answer, `null` if it broke off in a permitted way, or what is wrong with it
 */
export async function askWhoLeftScope(
  stage: Stage,
  fate: Fate,
  { hasAskedFor = false }: { readonly hasAskedFor?: boolean } = {},
): Promise<boolean | string | null> {
  const { world, history, store } = stage;
  const doom = createDoom(fate, () => {}, null);
  const settings = settingsOf(history, world.configuration);
  const { signal } = new AbortController();
  const { scopeWatermark = "" } = await store.meta();
  let asks: boolean;
  try {
    asks = await mayHaveLeftScope(portsOf(world, { doom, settings, stopped: () => false, store }), signal);
  } catch (error) {
    return mayEndWith(error) ? null : fallen(error);
  }
  if (asks) {
    if (hasAskedFor) return "a cycle begins at once again, although one has just read the scope";
    const removed =
      scopeWatermark === "" ? [] : [...removedSince(world, parseScopeWatermark(scopeWatermark))];
    return removed.length > 0 || "a cycle begins at once, although nobody was removed from a group";
  }
  const missed = scopeWatermark === "" || doom.disturbed ? null : await missedLeaver(stage, scopeWatermark);
  return missed === null ? false : `${missed} has left the scope, and no cycle begins at once`;
}

/**
 * A person with an active account who was removed from a group after the scope was last read, or while it was read, and is in none
 * any more.
 */
async function missedLeaver(
  { world, history, store }: Stage,
  scopeWatermark: string,
): Promise<string | null> {
  const { outOfScope } = world.configuration.rules.events;
  const { at, groups } = parseScopeWatermark(scopeWatermark);
  if (at < world.oldestRemoval || outOfScope.do !== "deactivate" || outOfScope.afterMs > 0) return null;
  // A manual change in Lattice is seen by a full comparison only.
  if (history.drift === "report") return null;
  for (const { group, id } of world.removals.slice(Math.min(at, world.scopeReadFrom))) {
    const person = world.people.get(id);
    const tracked = groups.includes(group) && (group === theGroup || world.groups.members.has(group));
    if (!tracked || person === undefined || person.presence !== "present" || person.member) continue;
    const account = accountOf(world, id);
    const link = await store.linkOf(id);
    if (account?.active !== true || link?.latticeId !== account.id || link.active === false) continue;
    if (world.deniedSince.has(account.id)) continue;
    // A cycle has read that, and broke off: the next one deactivates, which follows within minutes.
    if ((await store.membersAmong([id])).has(id)) return id;
  }
  return null;
}
