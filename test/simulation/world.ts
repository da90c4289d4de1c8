import type { EventActions } from "../../src/cycle/leaving.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { EvidenceKind, LeavingEvent } from "../../src/domain/plan.ts";
import { managerPath } from "../../src/mapping/target-attributes.ts";

/** One person as the simulated directory has it. */
export interface Person {
  readonly id: string;
  readonly userName: string;
  readonly title: string | null;
  readonly enabled: boolean;
  readonly managerId: string | null;
  readonly presence: "present" | "softDeleted" | "deleted";
  readonly member: boolean;
  /** First day, milliseconds since the epoch; counts where the scope asks for it. */
  readonly startsAt: number;
}

/** What is configured of who is in scope and of who goes. */
export interface Rules {
  readonly events: EventActions;
  /** Nobody is in scope before the first day. */
  readonly byDate: boolean;
}

/** Whoever is gone is deactivated at once, and dates are nobody's concern. */
export const plainRules: Rules = {
  events: {
    outOfScope: { do: "deactivate", afterMs: 0 },
    deleted: { do: "deactivate", afterMs: 0 },
    disabled: { do: "deactivate", afterMs: 0 },
  },
  byDate: false,
};

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
  /** What Lattice does with somebody whose account is switched off; nothing where absent. */
  readonly lifecycle?: {
    /** Takes the person out as manager of every report and as a report of their manager. */
    readonly cascades: boolean;
    /** What becomes of a manager whose account is switched off. */
    readonly inactiveManager: "accept" | "drop" | "refuse";
  };
}

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

export type Refusal = "twin" | "badManager" | "refused";

/** A title that Lattice takes from nobody. */
export const refusedTitle = "Refused";

/** Both ends, and the rules that nothing may break. */
export interface World {
  readonly people: Map<string, Person>;
  /** Changes in their order: positions are the watermarks. */
  readonly log: LoggedChange[];
  readonly accounts: Map<string, Account>;
  manners: Manners;
  readonly rules: Rules;
  /** People who are to get one another's userNames are renamed, not reported. */
  readonly breaksRings: boolean;
  /** When the cycle under way, or the last one, began. */
  cycleAt: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Watermarks below are refused. */
  oldestWatermark: number;
  /** What was broken so far; a history stops at the first. */
  readonly broken: string[];
  /** What the guard counts and nobody released, as Lattice carried it out. */
  readonly carriedOut: { readonly what: Guarded; readonly at: number; readonly objectId: string }[];
  /** What was released, as `releaseKey` names it. */
  readonly released: Set<string>;
  /** People to whose accounts a manager was refused, whatever the reason. */
  readonly refusedWithManager: Set<string>;
  /** Somebody was edited while a cycle was reading. */
  editedMeanwhile: boolean;
  /** What the directory last showed of a person. */
  readonly shown: Map<string, Person>;
  put(person: Person): void;
  /** The cycle that begins now reads everything anew. */
  beginCycle(): void;
  create(account: Omit<Account, "id" | "stranger">): Account | Refusal;
  change(id: string, next: Account): Account | Refusal;
}

/** Is in the directory, never in the scope, and never left out of a list. */
const administrator: Person = {
  id: "admin",
  userName: "admin@example.com",
  title: null,
  enabled: true,
  managerId: null,
  presence: "present",
  member: false,
  startsAt: 0,
};

export function createWorld(
  manners: Manners,
  rules: Rules,
  renameRings: "report" | "temporaryName" = "report",
): World {
  const people = new Map<string, Person>();
  const accounts = new Map<string, Account>();
  const log: LoggedChange[] = [];
  const shown = new Map<string, Person>();
  const broken: string[] = [];
  // What the cycle under way may have read: the state of everybody at its start and since.
  let seen = new Map<string, Person[]>();
  let made = 0;
  // When something first became true of somebody: no delay can be over before it is over from then.
  const first = new Map<string, number>();

  const entitled = (person: Person): boolean => isEntitled(world, person);
  /** What was seen, or may have been seen, of a person before a deletion, of which nothing more is shown. */
  const eventsOf = (person: Person): readonly LeavingEvent[] => {
    const events = leavingEvents(world, person, world.cycleAt);
    const before = person.presence !== "present" && first.has(`disabled ${person.id}`);
    return before && !events.includes("disabled") ? [...events, "disabled"] : events;
  };
  const isDue = (person: Person): boolean =>
    eventsOf(person).some((event) => {
      const action = rules.events[event];
      const since = first.get(`${event} ${person.id}`) ?? world.now;
      return action.do === "deactivate" && since + action.afterMs <= world.now;
    });

  const statesOf = (id: string): readonly Person[] => {
    const current = people.get(id);
    const states = seen.get(id) ?? (current === undefined ? [] : [current]);
    const stale = shown.get(id);
    // Of what the directory kept to itself the engine cannot know.
    const secretive = world.manners.missesRestores || (world.manners.netChanges && world.editedMeanwhile);
    return secretive && stale !== undefined ? [...states, stale] : states;
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
  const refusal = (next: Account): Refusal | null => {
    if (next.values.title === refusedTitle) return "refused";
    if (twin(next.id, next)) return "twin";
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
  const rule = (holds: boolean, text: string): void => {
    if (!holds) broken.push(text);
  };

  const judgeCreate = (next: Account): void => {
    const states = statesOf(next.externalId ?? "");
    rule(states.length > 0, `an account is made for ${next.userName}, who is nobody of the directory`);
    rule(states.some(entitled), `an account is made for ${next.externalId}, who is not in scope and enabled`);
    const twins = [...accounts.values()].filter((other) => other.externalId === next.externalId);
    rule(twins.length === 0, `a second account is made for ${next.externalId}`);
  };
  const judgeChange = (before: Account, next: Account): void => {
    const owner = next.externalId ?? "";
    const states = statesOf(owner);
    rule(states.length > 0, `the account ${before.userName} is written, which is nobody's of the directory`);
    rule(
      before.externalId === null || before.externalId === next.externalId,
      `the account of ${before.externalId} is given to ${next.externalId}`,
    );
    if (before.externalId === null) {
      rule(
        states.some((state) => state.userName.toLowerCase() === before.userName.toLowerCase()),
        `the stranger ${before.userName} is adopted for ${owner}, who has another name`,
      );
    }
    const leaving = before.active && !next.active;
    if (leaving) {
      rule(
        states.some(isDue),
        `${owner} is deactivated without evidence, before its time, or although that is ignored`,
      );
    }
    if (before.active && before.externalId !== null) {
      rule(
        states.some((state) => entitled(state) || isDue(state)),
        `the account of ${owner} is written, although it is to be left as it is`,
      );
    }
    if (!before.active && next.active) {
      rule(states.some(entitled), `${owner} is reactivated although not in scope and enabled`);
    }
    const inScope = states.some((state) => isInScope(world, state));
    // A leaver's userName follows the directory, so that the old one comes free.
    const temporary = world.breaksRings && next.userName.startsWith("als-rename-");
    // Of somebody who is deleted the directory shows no later name than the last that it showed before.
    const earlier =
      states.some(({ presence }) => presence !== "present") &&
      log.some(({ id, before: state }) => id === owner && state?.userName === next.userName);
    const named =
      temporary ||
      earlier ||
      states.some((state) => state.userName.toLowerCase() === next.userName.toLowerCase());
    const others = { ...next, active: before.active, userName: named ? before.userName : next.userName };
    rule(
      inScope || JSON.stringify(others) === JSON.stringify(before),
      `${owner} is out of scope, and more than active and the name that the directory has is written`,
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
  };

  // No directory is empty: somebody registered the application.
  people.set(administrator.id, administrator);

  const world: World = {
    people,
    log,
    accounts,
    manners,
    rules,
    breaksRings: renameRings === "temporaryName",
    cycleAt: 0,
    now: Date.UTC(2026, 0, 5, 9),
    oldestWatermark: 0,
    broken,
    carriedOut: [],
    released: new Set(),
    refusedWithManager: new Set(),
    editedMeanwhile: false,
    shown,
    put: (person) => {
      log.push(changeOf(people.get(person.id), person));
      people.set(person.id, person);
      for (const event of leavingEvents(world, person, world.now)) {
        const key = `${event} ${person.id}`;
        if (!first.has(key)) first.set(key, world.now);
      }
      seen.get(person.id)?.push(person);
      if (!seen.has(person.id)) seen.set(person.id, [person]);
    },
    beginCycle: () => {
      world.cycleAt = world.now;
      seen = new Map([...people].map(([id, person]) => [id, [person]]));
    },
    create: (account) => {
      made += 1;
      const wanted = { ...account, id: `lat-${made}`, stranger: false };
      const refused = refusal(wanted);
      if (refused !== null) return refused;
      const next = settled(wanted);
      judgeCreate(next);
      accounts.set(next.id, next);
      return next;
    },
    change: (id, wanted) => {
      const before = accounts.get(id);
      if (before === undefined) throw new Error(`no account ${id} to change`);
      const refused = refusal(wanted);
      if (refused !== null) return refused;
      const next = settled(wanted);
      // What Lattice does by itself is nobody's doing.
      judgeChange(before, keptAs(manners, wanted));
      accounts.set(id, next);
      cascade(before, next);
      return next;
    },
  };
  return world;
}

/** @param detail what a person saw: the reason to leave, or both values; it holds for nothing else */
export function releaseKey(what: Guarded, objectId: string, detail: string): string {
  return `${what} ${objectId} ${detail}`;
}

/**
 * The reason that the engine gives for a deactivation; a release holds for that one, whatever is added. Where events have
 * delays any of them may be the one.
 */
function reasonsToLeave(world: World, person: Person): readonly string[] {
  const kinds: { readonly [event in LeavingEvent]: EvidenceKind } = {
    deleted: "deleted",
    outOfScope: person.member ? "filteredOut" : "leftScope",
    disabled: "accountDisabled",
  };
  const reasons = leavingEvents(world, person, world.cycleAt).map((event) => reasonOf(kinds[event]));
  return world.rules === plainRules ? reasons.slice(0, 1) : reasons;
}

/** Who is not in a list and cannot be found is deleted, whether for good or not. */
export function reasonOf(evidence: EvidenceKind): string {
  return evidence === "softDeleted" ? "deleted" : evidence;
}

export function changeOf(before: Person | undefined, after: Person): LoggedChange {
  const back = after.presence === "present" && before?.presence !== "present";
  const keys = ["userName", "title", "enabled", "managerId", "startsAt"] as const;
  return {
    id: after.id,
    before,
    touched: new Set(keys.filter((key) => before?.[key] !== after[key])),
    appeared: !back ? null : before === undefined ? "hired" : "restored",
  };
}

/** Whether the person shall have an active account. */
export function isEntitled(world: World, person: Person): boolean {
  return isInScope(world, person) && person.enabled;
}

/** @param at milliseconds since the epoch; default: now */
export function isInScope({ rules, now }: World, person: Person, at = now): boolean {
  return person.presence === "present" && person.member && (!rules.byDate || person.startsAt <= at);
}

/** What is true of a person that may cost the account. */
export function leavingEvents(world: World, person: Person, at: number): readonly LeavingEvent[] {
  const gone = person.presence !== "present";
  return [
    ...(gone ? (["deleted"] as const) : []),
    ...(!gone && !isInScope(world, person, at) ? (["outOfScope"] as const) : []),
    ...(person.enabled ? [] : (["disabled"] as const)),
  ];
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
