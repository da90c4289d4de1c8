import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { LeavingEvent } from "../../src/domain/plan.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import type { Configuration } from "./configuration.ts";
import { createGroups, type Groups } from "./groups.ts";
import type { History, OtherTool } from "./history.ts";
import { heirsNow, leaveOthers, mayOwn, settleOwner, sharesIds } from "./identity.ts";
import { judgeChange, judgeCreate } from "./judge.ts";
import { leavingEvents } from "./standing.ts";
import type { Trouble } from "./trouble.ts";

/** One person as the simulated directory has it. */
export interface Person {
  readonly id: string;
  /** What the mapping makes the externalId of; the id, unless the family says otherwise. */
  readonly externalId: string;
  readonly userName: string;
  readonly title: string | null;
  /** `null` only in what the engine can know: no answer has shown it. */
  readonly enabled: boolean | null;
  readonly managerId: string | null;
  readonly presence: "present" | "softDeleted" | "deleted";
  readonly member: boolean;
  /** First day, milliseconds since the epoch; counts where the scope asks for it. `null` like `enabled`. */
  readonly startsAt: number | null;
}

/** One account as the simulated Lattice has it. */
export interface Account {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  readonly active: boolean;
  readonly values: JsonObject;
  /** Was there before, made by nobody of this program. */
  readonly stranger: boolean;
}

/** How the simulated servers of one history behave. */
export interface Manners {
  /** Lattice refuses a second account with the same userName. */
  readonly uniqueUserNames: boolean;
  /** Lattice refuses a second account with the same externalId. */
  readonly uniqueExternalIds: boolean;
  /** Lists of people leave somebody out now and then. */
  readonly listMisses: boolean;
  /** Lattice keeps titles in capitals. */
  readonly capitals: boolean;
  /** Delta rounds repeat people, and bring them in another order. */
  readonly replays: boolean;
  /** Delta rounds show what has changed alone, the manager in an item of its own. */
  readonly sparse: boolean;
  /** Delta rounds do not show that a value was cleared. */
  readonly missesClears: boolean;
  /** Delta rounds do not show who came back from the bin. */
  readonly missesRestores: boolean;
  /** Delta rounds compare the watermark with now: what came and went in between is not shown. */
  readonly netChanges: boolean;
  /** Graph's answers may lack properties that were asked for, and are read by the product's own parser. */
  readonly hides?: boolean;
  /** The scope is made of several groups. Absent: of one, which each list has as it is. */
  readonly scope?: {
    /** A list of members leaves one out now and then; membership that is asked for by id is as it is. */
    readonly missesMembers: boolean;
    /** A round of changes repeats an old `@removed` behind the item of somebody who is back. */
    readonly repeatsRemoved: boolean;
    /** What becomes of a read of the scope while a group is gone. */
    readonly gone: "refused" | "leftOut";
  };
  /** Signing in tells no time (a managed identity): the directory's first answer of a cycle does. */
  readonly tellsTimeLate?: boolean;
  /** What Lattice does with somebody whose account is switched off; nothing where absent. */
  readonly lifecycle?: {
    /** Takes the person out as manager of every report and as a report of their manager. */
    readonly cascades: boolean;
    /** What becomes of a manager whose account is switched off. */
    readonly inactiveManager: "accept" | "drop" | "refuse";
  };
}

/** A property that answers can lack, by Graph's name. */
export type HidableProperty =
  | "accountEnabled"
  | "userPrincipalName"
  | "jobTitle"
  | "employeeHireDate"
  | "manager";

/** What the directory has shown of a person, value by value. */
export type Shown = Partial<Pick<Person, "userName" | "title" | "enabled" | "managerId" | "startsAt">>;

/** What the guard counts. */
export type Guarded = "deactivations" | "renames" | "clears";

/** One change in the directory: a round of changes shows what it touched. */
export interface LoggedChange {
  readonly id: string;
  readonly before: Person | undefined;
  readonly touched: ReadonlySet<keyof Person>;
  /** Not there before, or back from the bin. */
  readonly appeared: "hired" | "restored" | null;
}

export type Refusal = "twin" | "badManager" | "refused" | "noSeat";

/** A title that Lattice takes from nobody. */
export const refusedTitle = "Refused";

/** A write that Lattice carried out. */
export interface Applied {
  readonly before: Account | null;
  readonly after: Account;
}

/** Both ends, and the rules that nothing may break. */
export interface World {
  readonly people: Map<string, Person>;
  /** Changes in their order: positions are the watermarks. */
  readonly log: LoggedChange[];
  readonly accounts: Map<string, Account>;
  /**
   * For whom each account was made, to whom it was given, or by whom it was adopted, by its id; also of accounts that are
   * gone. Told by what happens at both ends, never by the links of the engine.
   */
  readonly owners: Map<string, string>;
  /** Others who may have an account by now, by its id. Nobody, unless people can share an externalId. */
  readonly heirs: Map<string, Set<string>>;
  /** Accounts that were made, and that the engine may not have been told of: only the externalId says whose they are. */
  readonly unconfirmed: Set<string>;
  /** Accounts that the cycle under way has written, and for whom it may have been. */
  readonly writtenFor: Map<string, ReadonlySet<string>>;
  /** The externalId that the engine knows of an account: shown in a cycle that came to its end, or listed in this one. */
  readonly carried: Map<string, string | null>;
  /** What the cycle under way was shown beside lists: it may have planned before. */
  readonly carriedLater: Map<string, string | null>;
  /** The one person whom the cycle under way reads; `null`: it reads everybody. */
  onDemand: string | null;
  /** People who have left, of whom nobody can tell which one has the account: either is right as long as nobody comes back. */
  readonly unsettled: Set<string>;
  /** People who came during the cycle under way, which may not have read them. */
  readonly newcomers: Set<string>;
  /** Nothing befalls the cycle under way. */
  calm: boolean;
  manners: Manners;
  configuration: Configuration;
  /** People who are to get one another's userNames are renamed, not reported. */
  readonly breaksRings: boolean;
  /** Lists left people out at any time, so that the engine may not know everybody. */
  readonly listsMissed: boolean;
  /** People who are one another's managers get them all the same. */
  readonly sendsManagerRings: boolean;
  /** People to whose accounts a manager was refused, whatever the reason. */
  readonly refusedWithManager: Set<string>;
  /** Whose record meets what. */
  readonly troubles: Map<string, Trouble>;
  /** Who was in trouble at any time. */
  readonly everInTrouble: Set<string>;
  /** Room for active accounts; `null` for any number. */
  seats: number | null;
  otherTool: OtherTool | null;
  /** Another company's accounts, by id, while the address answers with those. */
  elsewhere: { readonly accounts: Map<string, Account>; readonly key: "new" | "same" } | null;
  /** When an account was first answered with 404 since a cycle that came to its end has seen it, by its id. */
  readonly deniedSince: Map<string, number>;
  /** Accounts that were shown to the cycle under way as they had been before. */
  readonly misread: Set<string>;
  /** Accounts that the cycle under way, or the last one if it came to its end, was shown. */
  readonly shownAccounts: Set<string>;
  /** When one of those was answered with 404 after that. */
  readonly deniedAgain: Map<string, number>;
  /** When the cycle under way, or the last one, began. */
  cycleAt: number;
  /** When the cycles that the log was seen to have began, by id. */
  readonly cycles: Map<number, number>;
  /** Those that came to their end. */
  readonly ended: Set<number>;
  /** Milliseconds since the epoch. */
  now: number;
  /** How far the clock of our machine is ahead, milliseconds; both ends tell the true time. */
  skewMs: number;
  /** The directory has answered in the cycle under way. */
  answered: boolean;
  /** Watermarks below are refused. */
  oldestWatermark: number;
  /** What was broken so far; a history stops at the first. */
  readonly broken: string[];
  /** What the guard counts and nobody released, as Lattice carried it out. */
  readonly carriedOut: { readonly what: Guarded; readonly at: number; readonly objectId: string }[];
  /** What was released, as `releaseKey` names it. */
  readonly released: Set<string>;
  /** Somebody was edited while a cycle was reading. */
  editedMeanwhile: boolean;
  /** What the directory last showed of a person. */
  readonly shown: Map<string, Person>;
  /** Properties that no answer shows now, and of whom. */
  hidden: readonly { readonly property: HidableProperty; readonly of: string | "everybody" }[];
  /** What was shown of a person at any time, where answers may lack properties. */
  readonly known: Map<string, Shown>;
  /** Members of the groups that make up the scope, where there are several. */
  readonly groups: Groups;
  /** What the cycle under way has written. */
  readonly applied: Applied[];
  /** Each state that an account was in, by its id, since the log was last compared with them. */
  readonly versions: Map<string, Account[]>;
  /** The person whose account it is; `null` where it is nobody's. */
  ownerOf(account: Pick<Account, "id">): string | null;
  /** The people to whom this externalId leads; who has, or had, the userName as well comes first. */
  peopleOf(externalId: string | null, userName: string): readonly string[];
  /** What the cycle under way may have read of a person. */
  statesOf(id: string): readonly Person[];
  /** The person as the engine can know them: where answers may lack properties, with what was shown. */
  asKnown(person: Person): Person;
  /** Whether a delay, if there is one, is over. */
  isDue(person: Person): boolean;
  put(person: Person): void;
  /** The cycle that begins now reads everything anew. */
  beginCycle(): void;
  create(account: Omit<Account, "id" | "stranger">): Account | Refusal;
  change(id: string, next: Account): Account | Refusal;
}

/** Is in the directory, never in the scope, and never left out of a list. */
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
  // What the cycle under way may have read: the state of everybody at its start and since.
  let seen = new Map<string, Person[]>();
  let made = 0;
  // When something first became true of somebody: no delay can be over before it is over from then.
  const first = new Map<string, number>();

  /** What was seen, or may have been seen, of a person before a deletion, of which nothing more is shown. */
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
  /** As Lattice keeps the account. */
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
  /** @param asked as it was asked for, where Lattice made something else of it */
  const keep = (before: Account | null, after: Account, asked = after): void => {
    accounts.set(after.id, after);
    world.applied.push({ before, after });
    versions.set(after.id, [...(versions.get(after.id) ?? []), asked, after]);
  };

  // No directory is empty: somebody registered the application.
  people.set(administrator.id, administrator);
  if (manners.hides === true) {
    // Some list always shows a manager, unless managers are hidden.
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
    cycles: new Map(),
    ended: new Set(),
    now: Date.UTC(2026, 0, 5, 9),
    skewMs: 0,
    answered: false,
    oldestWatermark: 0,
    broken: [],
    carriedOut: [],
    released: new Set(),
    editedMeanwhile: false,
    shown,
    groups: createGroups(manners.scope !== undefined),
    hidden: [],
    known: new Map(),
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
      // Of what the directory kept to itself the engine cannot know.
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
      world.answered = false;
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
      const claimants = sharesIds(world) ? [...holders, ...heirsNow(world, before)] : [];
      // What Lattice does by itself is nobody's doing.
      const clean = judgeChange(world, before, keptAs(manners, wanted), [...new Set([...led, ...claimants])]);
      settleOwner(world, id, holders, clean);
      keep(before, next, keptAs(manners, wanted));
      cascade(before, next);
      return next;
    },
  };
  return world;
}

/** What no answer has shown is unknown; there is no manager but one who was shown. */
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

export function withoutManager(account: Account): Account {
  const { [managerPath]: _, ...values } = account.values;
  return { ...account, values };
}

export function keptAs(manners: Manners, account: Account): Account {
  const { title } = account.values;
  if (!manners.capitals || typeof title !== "string") return account;
  const values: { [path: string]: Json } = { ...account.values, title: title.toUpperCase() };
  return { ...account, values };
}
