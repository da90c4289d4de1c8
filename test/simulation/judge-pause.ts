import { withoutManager } from "./accounts.ts";
import { isGone } from "./standing.ts";
import type { Account, OrderedPause, World } from "./world.ts";

/** The pause in force; `null` if there is none. */
export function pauseNow({ pause: ordered, now, skewMs }: World): OrderedPause | null {
  return ordered === null || (ordered.until !== null && ordered.until <= now + skewMs) ? null : ordered;
}

/**
 * While sending is paused, no one is written but people who are disabled or deleted, and they only to be switched off; and those
 * whose operations were under way when it was paused.
 */
export function judgePaused(
  world: World,
  before: Account | null,
  next: Account,
  people: readonly string[],
): void {
  const paused = pauseNow(world);
  const { underWay } = world;
  if (paused === null || underWay === "everything" || people.some((id) => underWay?.has(id))) return;
  if (paused.leaversToo) {
    world.broken.push(`${next.userName} is written although sending is paused, for leavers too`);
    return;
  }
  const left = people.some((id) => world.statesOf(id).some(isGone));
  if (!left || before === null || !switchesOff(before, next)) {
    world.broken.push(`${next.userName} is written although sending is paused, and is no leaver`);
  }
}

/** Whether nothing but `active` becomes another one, and what Lattice itself takes from an account that is switched off. */
function switchesOff(before: Account, next: Account): boolean {
  const wanted = { ...before, active: false };
  return [wanted, withoutManager(wanted)].some((one) => JSON.stringify(one) === JSON.stringify(next));
}
