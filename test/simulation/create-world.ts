import type { LeavingEvent } from "../../src/domain/plan.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs, withoutManager } from "./accounts.ts";
import type { Configuration } from "./configuration.ts";
import { createGroups } from "./groups.ts";
import type { History } from "./history.ts";
import { heirsNow, leaveOthers, mayOwn, settleOwner, sharesIds } from "./identity.ts";
import { judgeChange, judgeCreate } from "./judge.ts";
import { judgePaused } from "./judge-pause.ts";
import { judgeRevert } from "./judge-revert.ts";
import type { Manners } from "./manners.ts";
import { leavingEvents } from "./standing.ts";
import {
  type Account,
  type LoggedChange,
  type Person,
  type Refusal,
  refusedTitle,
  type Shown,
  type World,
} from "./world.ts";

/** A person who is in the directory, never in the scope, and never missing from a list. */
const administrator: Person & { readonly enabled: boolean } = {
  id: "admin",
  externalId: "admin",
  userName: "admin@example.com",
  title: null,
  enabled: true,
  managerId: null,
  presence: "present",
  member: false,
  startsAt: 0,
};

const chief: Person = { ...administrator, id: "chief", externalId: "chief", userName: "chief@example.com" };

export function createWorld(
  manners: Manners,
  configuration: Configuration,
  { renameRings, managerRings }: Pick<History, "renameRings" | "managerRings"> = {},
): World {
  const people = new Map<string, Person>();
  const accounts = new Map<string, Account>();
  const owners = new Map<string, string>();
  const heirs = new Map<string, Set<string>>();
  const log: LoggedChange[] = [];
  const shown = new Map<string, Person>();
  const versions = new Map<string, Account[]>();
  // The states that the cycle under way may have read: everyone's state at its start and each state since.
  let seen = new Map<string, Person[]>();
  let made = 0;
  // When each event first happened to a person: no delay can be over before it is over from then.
  const first = new Map<string, number>();

  /** Events that were seen, or may have been seen, before a deletion, after which nothing more is shown. */
  const eventsOf = (person: Person): readonly LeavingEvent[] => {
    const events = leavingEvents(world, person, world.cycleAt);
    const before = person.presence !== "present" && first.has(`disabled ${person.id}`);
    return before && !events.includes("disabled") ? [...events, "disabled"] : events;
  };
  const twin = (id: string, next: Account): boolean =>
    [...accounts.values()].some(
      (other) =>
        other.id !== id &&
        ((world.manners.uniqueUserNames && other.userName.toLowerCase() === next.userName.toLowerCase()) ||
          (world.manners.uniqueExternalIds &&
            next.externalId !== null &&
            other.externalId === next.externalId)),
    );
  const refusal = (before: Account | null, next: Account): Refusal | null => {
    if (next.values.title === refusedTitle) return "refused";
    if (twin(next.id, next)) return "twin";
    const takesSeat = next.active && before?.active !== true;
    const taken = [...accounts.values()].filter(({ active }) => active).length;
    if (takesSeat && world.seats !== null && taken >= world.seats) return "noSeat";
    const manager = next.values[managerPath];
    if (manager !== undefined && !accounts.has(String(manager))) return "badManager";
    return manners.lifecycle?.inactiveManager === "refuse" && givesInactiveManager(next)
      ? "badManager"
      : null;
  };
  const givesInactiveManager = (next: Account): boolean => {
    const manager = next.values[managerPath];
    if (manager === undefined || manager === accounts.get(next.id)?.values[managerPath]) return false;
    return accounts.get(String(manager))?.active === false;
  };
  /** The account in Lattice's form. */
  const settled = (next: Account): Account => {
    const before = accounts.get(next.id);
    const leaves = manners.lifecycle?.cascades === true && before?.active === true && !next.active;
    const kept = keptAs(manners, next);
    return leaves || (givesInactiveManager(next) && manners.lifecycle?.inactiveManager === "drop")
      ? withoutManager(kept)
      : kept;
  };
  const cascade = (before: Account, next: Account): void => {
    if (manners.lifecycle?.cascades !== true || !before.active || next.active) return;
    for (const account of [...accounts.values()]) {
      if (account.values[managerPath] === next.id) accounts.set(account.id, withoutManager(account));
    }
  };
  /** @param asked the requested account, if Lattice made it in another form */
  const keep = (before: Account | null, after: Account, asked = after): void => {
    accounts.set(after.id, after);
    world.applied.push({ before, after, by: world.sender });
    versions.set(after.id, [...(versions.get(after.id) ?? []), asked, after]);
  };

  // No directory is empty: a person registered the application.
  people.set(administrator.id, administrator);
  if (manners.hides === true) {
    // Each list shows some manager, unless managers are hidden.
    people.set(administrator.id, { ...administrator, managerId: chief.id });
    people.set(chief.id, chief);
  }

  const world: World = {
    people,
    log,
    accounts,
    owners,
    heirs,
    unconfirmed: new Set(),
    writtenFor: new Map(),
    carried: new Map(),
    carriedLater: new Map(),
    onDemand: null,
    unsettled: new Set(),
    newcomers: new Set(),
    scopeUnread: false,
    calm: false,
    manners,
    configuration,
    breaksRings: renameRings === "temporaryName",
    listsMissed: manners.listMisses,
    sendsManagerRings: managerRings !== "report",
    refusedWithManager: new Set(),
    troubles: new Map(),
    everInTrouble: new Set(),
    seats: null,
    otherTool: null,
    elsewhere: null,
    deniedSince: new Map(),
    shownAccounts: new Set(),
    deniedAgain: new Map(),
    misread: new Set(),
    cycleAt: 0,
    plannedWith: new Set(),
    sought: new Set(),
    cycles: new Map(),
    ended: new Set(),
    now: Date.UTC(2026, 0, 5, 9),
    skewMs: 0,
    answered: false,
    oldestWatermark: 0,
    removals: [],
    scopeReadFrom: 0,
    trackedGroups: new Set(),
    oldestRemoval: 0,
    broken: [],
    carriedOut: [],
    released: new Set(),
    pause: null,
    underWay: null,
    leaversStopped: false,
    canaryGroup: new Set(),
    protectedAccounts: new Set(),
    unlinked: new Map(),
    editedMeanwhile: false,
    shown,
    groups: createGroups(manners.scope !== undefined),
    hidden: [],
    known: new Map(),
    pasts: new Map(),
    reverting: null,
    takenBack: new Map(),
    sender: null,
    cycleBefore: null,
    applied: [],
    versions,
    asKnown: (person) => (manners.hides === true ? withShown(person, world.known.get(person.id)) : person),
    ownerOf: ({ id }) => owners.get(id) ?? null,
    peopleOf: (externalId, userName) => {
      if (externalId === null) return [];
      const led = [...people.keys()].filter((id) =>
        world.statesOf(id).some((state) => state.externalId === externalId),
      );
      const name = userName.toLowerCase();
      const isNamed = (id: string): boolean =>
        world.statesOf(id).some((state) => state.userName.toLowerCase() === name);
      return [...led.filter(isNamed), ...led.filter((id) => !isNamed(id))];
    },
    statesOf: (id) => {
      const current = people.get(id);
      const states = seen.get(id) ?? (current === undefined ? [] : [current]);
      const stale = shown.get(id);
      // The engine cannot know what the directory did not show.
      const secretive = world.manners.missesRestores || (world.manners.netChanges && world.editedMeanwhile);
      return (secretive && stale !== undefined ? [...states, stale] : states).map(world.asKnown);
    },
    isDue: (person) =>
      eventsOf(person).some((event) => {
        const action = world.configuration.rules.events[event];
        const since = first.get(`${event} ${person.id}`) ?? world.now;
        return action.do === "deactivate" && since + action.afterMs <= world.now;
      }),
    put: (person) => {
      log.push(changeOf(people.get(person.id), person));
      people.set(person.id, person);
      for (const event of leavingEvents(world, person, world.now)) {
        const key = `${event} ${person.id}`;
        if (!first.has(key)) first.set(key, world.now);
      }
      seen.get(person.id)?.push(person);
      if (!seen.has(person.id)) {
        seen.set(person.id, [person]);
        world.newcomers.add(person.id);
      }
    },
    beginCycle: () => {
      world.cycleAt = world.now;
      world.sender = null;
      world.cycleBefore = null;
      world.answered = false;
      world.scopeUnread = false;
      for (const id of world.shownAccounts) {
        const again = world.deniedAgain.get(id);
        if (again === undefined) world.deniedSince.delete(id);
        else world.deniedSince.set(id, again);
      }
      world.deniedAgain.clear();
      world.shownAccounts.clear();
      world.misread.clear();
      seen = new Map([...people].map(([id, person]) => [id, [person]]));
      world.applied.length = 0;
      world.writtenFor.clear();
      world.newcomers.clear();
      world.carriedLater.clear();
      versions.clear();
      for (const account of accounts.values()) versions.set(account.id, [account]);
    },
    create: (account) => {
      made += 1;
      const wanted = { ...account, id: `lat-${made}`, stranger: false };
      const refused = refusal(null, wanted);
      if (refused !== null) return refused;
      const next = settled(wanted);
      const people = world.peopleOf(next.externalId, next.userName);
      const asked = people.filter((id) => id === world.onDemand);
      judgePaused(world, null, next, people);
      const owner = judgeCreate(world, next, [...new Set([...asked, ...people])]);
      if (owner !== null) {
        owners.set(next.id, owner);
        world.unconfirmed.add(next.id);
        leaveOthers(world, next.id, owner);
      }
      keep(null, next, keptAs(manners, wanted));
      return next;
    },
    change: (id, wanted) => {
      const before = accounts.get(id);
      if (before === undefined) throw new Error(`no account ${id} to change`);
      const refused = refusal(before, wanted);
      if (refused !== null) return refused;
      const next = settled(wanted);
      const holders = mayOwn(world, before);
      const owner = owners.get(id);
      const led = owner === undefined ? world.peopleOf(next.externalId, next.userName) : [owner];
      const claimants = [...holders, ...(sharesIds(world) ? heirsNow(world, before) : [])];
      // Lattice's own side effects count for no person.
      const people = [...new Set([...led, ...claimants])];
      judgePaused(world, before, keptAs(manners, wanted), people);
      const { reverting } = world;
      if (reverting !== null) judgeRevert(world, reverting, before, keptAs(manners, wanted));
      const clean = reverting !== null ? people : judgeChange(world, before, keptAs(manners, wanted), people);
      settleOwner(world, id, holders, clean);
      keep(before, next, keptAs(manners, wanted));
      cascade(before, next);
      return next;
    },
  };
  return world;
}

/** A property that no answer has shown is unknown; a person has no manager except one that was shown. */
function withShown(person: Person, shown: Shown = {}): Person {
  const { userName = "", title = null, enabled = null, managerId = null, startsAt = null } = shown;
  return { ...person, userName, title, enabled, managerId, startsAt };
}

export function changeOf(before: Person | undefined, after: Person): LoggedChange {
  const back = after.presence === "present" && before?.presence !== "present";
  const keys = ["externalId", "userName", "title", "enabled", "managerId", "startsAt"] as const;
  return {
    id: after.id,
    before,
    touched: new Set(keys.filter((key) => before?.[key] !== after[key])),
    appeared: !back ? null : before === undefined ? "hired" : "restored",
  };
}
