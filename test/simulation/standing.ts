import type { EvidenceKind, LeavingEvent } from "../../src/domain/plan.ts";
import { plainRules } from "./configuration.ts";
import type { Guarded } from "./manners.ts";
import type { Person, World } from "./world.ts";

// The state of a person, and its consequences, computed without the product's planning.

/** Whether the person should have an active account. */
export function isEntitled(world: World, person: Person): boolean {
  return isInScope(world, person) && person.enabled === true;
}

/** @param at milliseconds since the epoch; default: now */
export function isInScope({ configuration: { rules }, now }: World, person: Person, at = now): boolean {
  const begun = !rules.byDate || (person.startsAt !== null && person.startsAt <= at);
  return person.presence === "present" && person.member && begun;
}

/** A member whose first day, which the scope requires, was never shown. */
function isUndecided({ configuration: { rules } }: World, { member, startsAt }: Person): boolean {
  return member && rules.byDate && startsAt === null;
}

/** Disabled or deleted in the directory, whatever the scope is. */
export function isGone({ enabled, presence }: Pick<Person, "enabled" | "presence">): boolean {
  return enabled === false || presence !== "present";
}

/** The leaving events of a person, the most certain one first. */
export function leavingEvents(world: World, person: Person, at: number): readonly LeavingEvent[] {
  const gone = person.presence !== "present";
  return [
    ...(gone ? (["deleted"] as const) : []),
    ...(person.enabled === false ? (["disabled"] as const) : []),
    ...(!gone && !isInScope(world, person, at) && !isUndecided(world, person)
      ? (["outOfScope"] as const)
      : []),
  ];
}

/** @param detail what a person saw: the reason to leave, or both values; it applies to nothing else */
export function releaseKey(what: Guarded, objectId: string, detail: string): string {
  return `${what} ${objectId} ${detail}`;
}

/**
 * The reason that the engine gives for a deactivation. A release applies to that reason, whatever is added. If events have delays,
 * any of them may be the reason.
 */
export function reasonsToLeave(world: World, person: Person): readonly string[] {
  const kinds: { readonly [event in LeavingEvent]: EvidenceKind } = {
    deleted: "deleted",
    outOfScope: person.member ? "filteredOut" : "leftScope",
    disabled: "accountDisabled",
  };
  const reasons = leavingEvents(world, person, world.cycleAt).map((event) => reasonOf(kinds[event]));
  // If a group is deleted, the scope cannot be read, and the next event may be the reason.
  const { names, members } = world.groups;
  const unread = names.some((name) => !members.has(name));
  return world.configuration.rules === plainRules && !unread ? reasons.slice(0, 1) : reasons;
}

/** A person who is missing from a list and cannot be found is deleted, for good or not. */
export function reasonOf(evidence: EvidenceKind): string {
  return evidence === "softDeleted" ? "deleted" : evidence;
}
