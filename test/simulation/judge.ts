import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs } from "./accounts.ts";
import { carriedOf, heirsNow, mayOwn, sharersOf, sharesIds } from "./identity.ts";
import type { Guarded } from "./manners.ts";
import { isEntitled, isInScope, reasonsToLeave, releaseKey } from "./standing.ts";
import { hoursOfAbsence } from "./trouble.ts";
import type { Account, Person, World } from "./world.ts";

const hourMs = 3_600_000;

// Writes that are forbidden, whatever failed before them. They are judged by what the cycle under way may have read.

/**
 * @param people the people for whom it may be made
 * @returns the person for whom it is made
 */
export function judgeCreate(world: World, next: Account, people: readonly string[]): string | null {
  const judged = (people.length === 0 ? [null] : people).map((owner) => ({
    owner,
    faults: faultsOfCreate(world, next, owner),
  }));
  const best = judged.find(({ faults }) => faults.length === 0) ?? judged[0];
  world.broken.push(...(best?.faults ?? []));
  return best?.owner ?? null;
}

function faultsOfCreate(world: World, next: Account, owner: string | null): readonly string[] {
  const { actions } = world.configuration;
  const states = world.statesOf(owner ?? "");
  const faults: string[] = [];
  const rule = ruleOf(faults);
  rule(actions.create, `an account is made for ${owner}, although actions.create is off`);
  rule(states.length > 0, `an account is made for ${next.userName}, who is nobody of the directory`);
  rule(
    states.some((state) => isEntitled(world, state)),
    `an account is made for ${owner}, who is not in scope and enabled`,
  );
  rule(
    states.some(({ userName }) => userName.toLowerCase() === next.userName.toLowerCase()),
    `an account is made for ${owner} under the name ${next.userName}, which the directory has not shown`,
  );
  const twins = [...world.accounts.values()].filter((other) => isTwin(world, next, owner, other));
  rule(twins.length === 0, `a second account is made for ${owner}`);
  rule(
    world.configuration.titleIsMapped || next.values.title === undefined,
    `the title of ${owner} is written, which is not mapped`,
  );
  const others =
    owner === null || world.onDemand !== null || !sharesIds(world) ? [] : sharersOf(world, owner);
  rule(
    others.length === 0,
    `an account is made for ${owner}, who shares the externalId with ${others.join(", ")}`,
  );
  return faults;
}

/** Whether there is an account already when one is made: the person's own, or one that carries the externalId. */
function isTwin(world: World, next: Account, owner: string | null, other: Account): boolean {
  const same = other.externalId === next.externalId;
  if (!sharesIds(world)) return same || world.ownerOf(other) === owner;
  // The engine cannot know about manual changes since the last listing.
  if (same && world.carried.get(other.id) === other.externalId && world.onDemand === null) return true;
  return world.ownerOf(other) === owner && mayOwn(world, other).length === 1;
}

/**
 * @param claimants the people whose account it is, or may become with this write; first the one who had it last
 * @returns those for whom nothing in the change is wrong
 */
export function judgeChange(
  world: World,
  before: Account,
  next: Account,
  claimants: readonly string[],
): readonly string[] {
  const judged = (claimants.length === 0 ? [null] : claimants).map((person) => ({
    person,
    ...judgeFor(world, before, next, person),
  }));
  const clean = judged.filter(({ faults }) => faults.length === 0);
  const best = clean[0] ?? judged[0];
  if (best === undefined) return [];
  world.broken.push(...best.faults);
  world.carriedOut.push(...best.counted);
  return (clean.length === 0 ? [best] : clean).flatMap(({ person }) => person ?? []);
}

interface Judged {
  readonly faults: readonly string[];
  /** The parts of it that the guard counts. */
  readonly counted: World["carriedOut"];
}

/** @param person the person whose account it is, or becomes with this write; `null` if it stays unlinked */
function judgeFor(world: World, before: Account, next: Account, person: string | null): Judged {
  const { actions, titleIsMapped, matching } = world.configuration;
  // A leaver's account that refuses the externalId is deactivated nevertheless, by the matching name.
  const named = next.externalId === null && !next.active ? whoIsNamed(world, before.userName) : "";
  const owner = person ?? named;
  const linkedUnwritten = !sharesIds(world) && mayOwn(world, before).includes(owner);
  const owned = world.ownerOf(before) !== null || linkedUnwritten;
  const states = world.statesOf(owner);
  const faults: string[] = [];
  const rule = ruleOf(faults);
  rule(states.length > 0, `the account ${before.userName} is written, which is nobody's of the directory`);
  rule(
    (before.externalId === null && !owned) ||
      before.externalId === next.externalId ||
      (owned && states.some(({ externalId }) => externalId === next.externalId)),
    `the account of ${before.externalId} is given to ${next.externalId}`,
  );
  if (before.externalId === null && !owned) {
    rule(
      matching !== "externalIdAlone",
      `the stranger ${before.userName} is adopted for ${owner}, although only the externalId is looked at`,
    );
    rule(
      states.some((state) => state.userName.toLowerCase() === before.userName.toLowerCase()),
      `the stranger ${before.userName} is adopted for ${owner}, who has another name`,
    );
  }
  const leaving = before.active && !next.active;
  if (leaving) {
    rule(actions.deactivate, `${owner} is deactivated, although actions.deactivate is off`);
    rule(
      states.some((state) => world.isDue(state)),
      `${owner} is deactivated without evidence, before its time, or although that is ignored`,
    );
    // A person who is disabled or deleted leaves whatever the groups are.
    const byGroups = states.every(
      ({ presence, member, enabled }) => presence === "present" && enabled !== false && !member,
    );
    rule(
      !(world.groups.doubted.has(owner) && byGroups) ||
        world.released.has(releaseKey("deactivations", owner, "leftScope")),
      `${owner} is deactivated because a group was emptied, and nobody released that`,
    );
  }
  if (before.active && (owned || before.externalId !== null)) {
    rule(
      states.some((state) => isEntitled(world, state) || world.isDue(state)),
      `the account of ${owner} is written, although it is to be left as it is`,
    );
  }
  if (!before.active && next.active) {
    rule(actions.create, `${owner} is reactivated, although actions.create is off`);
    rule(
      states.some((state) => isEntitled(world, state)),
      `${owner} is reactivated although not in scope and enabled`,
    );
  }
  const inScope = states.some((state) => isInScope(world, state));
  // A leaver's userName follows the directory, so that the old one becomes free.
  const temporary = world.breaksRings && next.userName.startsWith("als-rename-");
  // For a deleted person the directory shows no later name than the last one before the deletion.
  const earlier =
    states.some(({ presence }) => presence !== "present") &&
    world.log.some(({ id, before: state }) => id === owner && state?.userName === next.userName);
  const isShown =
    temporary ||
    earlier ||
    states.some((state) => state.userName.toLowerCase() === next.userName.toLowerCase());
  const others = { ...next, active: before.active };
  const activeAlone = JSON.stringify(others) === JSON.stringify(before);
  const nameAlone =
    JSON.stringify({ ...others, userName: isShown ? before.userName : next.userName }) ===
    JSON.stringify(before);
  rule(
    inScope || nameAlone,
    `${owner} is out of scope, and more than active and the name that the directory has is written`,
  );
  rule(
    before.userName === next.userName || isShown,
    `${owner} is renamed to ${next.userName}, which the directory has not shown`,
  );
  rule(
    world.manners.missesClears ||
      before.values.title === next.values.title ||
      states.some((state) => hasTitle(world, state, next)),
    `the title of ${owner} becomes ${String(next.values.title)}, which the directory has not shown`,
  );
  rule(
    before.values[managerPath] === undefined ||
      next.values[managerPath] !== undefined ||
      !states.every((state) => managerStands(world, state, before)),
    `the manager of ${owner} is cleared, whom the directory has shown`,
  );
  const made = world.applied.some((write) => write.before === null && write.after.id === before.id);
  // An account that this cycle has made may still get the values of its create.
  rule(
    actions.update || activeAlone || made,
    `more than active is written to the account of ${owner}, although actions.update is off`,
  );
  rule(
    titleIsMapped || before.values.title === next.values.title,
    `the title of ${owner} is written, which is not mapped`,
  );
  const counted: World["carriedOut"] = [];
  const count = (what: Guarded, happened: boolean, ...same: readonly string[]): void => {
    if (happened && !same.some((detail) => world.released.has(releaseKey(what, owner, detail)))) {
      counted.push({ what, at: world.now, objectId: owner });
    }
  };
  count("deactivations", leaving, ...states.flatMap((state) => reasonsToLeave(world, state)));
  // The step away from a temporary name ends a rename that was counted when it began.
  const renamed = before.userName !== next.userName && !before.userName.startsWith("als-rename-");
  count("renames", renamed, `${before.userName} to ${next.userName}`);
  count(
    "clears",
    before.values.title !== undefined && next.values.title === undefined,
    `${String(before.values.title)} to null`,
  );
  if (sharesIds(world) && world.onDemand === null && person !== null)
    judgeIdentity(world, { before, leaving, person }, rule);
  return { faults, counted };
}

/** A write for one person must not cost another person the account, or go into that person's account. */
function judgeIdentity(
  world: World,
  {
    before,
    leaving,
    person,
  }: { readonly before: Account; readonly leaving: boolean; readonly person: string },
  rule: (holds: boolean, text: string) => void,
): void {
  const others = sharersOf(world, person);
  const taken = !mayOwn(world, before).includes(person);
  rule(
    !taken || others.length === 0,
    `the account ${before.id} goes over to ${person}, who shares the externalId with ${others.join(", ")}`,
  );
  const carried = carriedOf(world, before, person, leaving);
  const stays = world.statesOf(person).every((state) => isEntitled(world, state));
  rule(
    carried === null || !stays,
    `the account ${before.id} of ${person} is written, although it carries the externalId of ${carried}`,
  );
  // If several accounts have it, now or as the engine knows them, it is unknown which one is the person's.
  const several =
    [...world.accounts.values()].filter((one) =>
      [one.externalId, world.carried.get(one.id)].includes(before.externalId),
    ).length > 1;
  const takes =
    carried !== null && !several && heirsNow(world, before).includes(carried) && isFree(world, carried);
  rule(
    !leaving || !takes || world.scopeUnread,
    `the account ${before.id} is switched off for ${person}, although it becomes that of ${carried}`,
  );
}

/** Whether nothing prevents a person from getting an account that carries the externalId. */
function isFree(world: World, id: string): boolean {
  const names = world.statesOf(id).map(({ userName }) => userName.toLowerCase());
  const namesakes = [...world.people.keys()].some(
    (other) =>
      other !== id && world.statesOf(other).some((state) => names.includes(state.userName.toLowerCase())),
  );
  return !namesakes && sharersOf(world, id).length === 0;
}

function hasTitle(world: World, { title }: Person, account: Account): boolean {
  const kept = keptAs(world.manners, { ...account, values: title === null ? {} : { title } });
  return kept.values.title === account.values.title;
}

/** Whether an account has answered 404 for hours, so that its link may have been removed. */
function isTakenForGone({ deniedSince, now }: World, id: string): boolean {
  const since = deniedSince.get(id);
  return since !== undefined && now - since >= hoursOfAbsence * hourMs;
}

/** Whether the account points to the account of the person's manager, which exists. */
function managerStands(world: World, { managerId }: Person, account: Account): boolean {
  const manager = world.people.get(managerId ?? "");
  const theirs = world.accounts.get(String(account.values[managerPath]));
  return (
    manager?.presence === "present" &&
    manager.id !== world.ownerOf(account) &&
    theirs !== undefined &&
    !world.unlinked.has(theirs.id) &&
    mayOwn(world, theirs).length === 1 &&
    world.ownerOf(theirs) === manager.id &&
    !isTakenForGone(world, theirs.id)
  );
}

function whoIsNamed(world: World, userName: string): string {
  const named = [...world.people.keys()].find((id) =>
    world.statesOf(id).some((state) => state.userName.toLowerCase() === userName.toLowerCase()),
  );
  return named ?? "";
}

function ruleOf(faults: string[]): (holds: boolean, text: string) => void {
  return (holds, text) => {
    if (!holds) faults.push(text);
  };
}
