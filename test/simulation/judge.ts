import { managerPath } from "../../src/mapping/target-attributes.ts";
import { isEntitled, isInScope, reasonsToLeave, releaseKey } from "./standing.ts";
import { hoursOfAbsence } from "./trouble.ts";
import { type Account, type Guarded, keptAs, type Person, type World } from "./world.ts";

const hourMs = 3_600_000;

// What no write may do, whatever went wrong before it. Judged by what the cycle under way may have read.

/** @param owner for whom it is made */
export function judgeCreate(world: World, next: Account, owner: string | null): void {
  const { actions } = world.configuration;
  const states = world.statesOf(owner ?? "");
  const rule = ruleOf(world);
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
  const twins = [...world.accounts.values()].filter(
    (other) => other.externalId === next.externalId || world.ownerOf(other) === owner,
  );
  rule(twins.length === 0, `a second account is made for ${owner}`);
  rule(
    world.configuration.titleIsMapped || next.values.title === undefined,
    `the title of ${owner} is written, which is not mapped`,
  );
}

/** @param person whose account it is, or becomes with this; `null` where it stays nobody's */
export function judgeChange(world: World, before: Account, next: Account, person: string | null): void {
  const { actions, titleIsMapped, matching } = world.configuration;
  // A leaver's account that does not take the externalId is switched off all the same, by the name that matched.
  const named = next.externalId === null && !next.active ? whoIsNamed(world, before.userName) : "";
  const owner = person ?? named;
  const owned = world.ownerOf(before) !== null;
  const states = world.statesOf(owner);
  const rule = ruleOf(world);
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
    const byGroups = states.every(({ presence, member }) => presence === "present" && !member);
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
  // A leaver's userName follows the directory, so that the old one comes free.
  const temporary = world.breaksRings && next.userName.startsWith("als-rename-");
  // Of somebody who is deleted the directory shows no later name than the last that it showed before.
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
  // An account that this cycle has made may still get what its create was to give it.
  rule(
    actions.update || activeAlone || made,
    `more than active is written to the account of ${owner}, although actions.update is off`,
  );
  rule(
    titleIsMapped || before.values.title === next.values.title,
    `the title of ${owner} is written, which is not mapped`,
  );
  const count = (what: Guarded, happened: boolean, ...same: readonly string[]): void => {
    if (happened && !same.some((detail) => world.released.has(releaseKey(what, owner, detail)))) {
      world.carriedOut.push({ what, at: world.now, objectId: owner });
    }
  };
  count("deactivations", leaving, ...states.flatMap((state) => reasonsToLeave(world, state)));
  // The step out of a temporary name ends a rename that was counted when it began.
  const renamed = before.userName !== next.userName && !before.userName.startsWith("als-rename-");
  count("renames", renamed, `${before.userName} to ${next.userName}`);
  count(
    "clears",
    before.values.title !== undefined && next.values.title === undefined,
    `${String(before.values.title)} to null`,
  );
}

function hasTitle(world: World, { title }: Person, account: Account): boolean {
  const kept = keptAs(world.manners, { ...account, values: title === null ? {} : { title } });
  return kept.values.title === account.values.title;
}

/** Whether the account points to that of the person's manager, who is there. */
/** Whether an account has answered 404 for hours, so that its link may have been dissolved. */
function isTakenForGone({ deniedSince, now }: World, id: string): boolean {
  const since = deniedSince.get(id);
  return since !== undefined && now - since >= hoursOfAbsence * hourMs;
}

function managerStands(world: World, { managerId }: Person, account: Account): boolean {
  const manager = world.people.get(managerId ?? "");
  const theirs = world.accounts.get(String(account.values[managerPath]));
  return (
    manager?.presence === "present" &&
    manager.id !== world.ownerOf(account) &&
    theirs !== undefined &&
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

function ruleOf({ broken }: World): (holds: boolean, text: string) => void {
  return (holds, text) => {
    if (!holds) broken.push(text);
  };
}
