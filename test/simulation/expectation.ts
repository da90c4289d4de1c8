import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs } from "./accounts.ts";
import { sharesIds } from "./identity.ts";
import { isEntitled, isInScope, leavingEvents } from "./standing.ts";
import { type Account, type Person, refusedTitle, type World } from "./world.ts";

/**
 * Every difference between Lattice and the directory's result, computed without the product's mapping or planning.
 * @param rejected attributes with a rejected change, by person
 * @param forgotten people whose accounts a lost database knew, and that were not found again
 */
export function faultsOf(
  world: World,
  rejected: ReadonlyMap<string, ReadonlySet<string>>,
  forgotten: ReadonlySet<string>,
): readonly string[] {
  return [...faultsByPerson(world, rejected, forgotten).values()].flat();
}

/** The same, by person. */
export function faultsByPerson(
  world: World,
  rejected: ReadonlyMap<string, ReadonlySet<string>>,
  forgotten: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const conflicted = conflictedPeople(world, rejected, forgotten);
  const faults = [...world.people.values()].map((person): [string, string[]] => [
    person.id,
    faultsOfPerson(world, person, { conflicted, rejected, forgotten }),
  ]);
  return new Map(faults.filter(([, found]) => found.length > 0));
}

function faultsOfPerson(
  world: World,
  person: Person,
  {
    conflicted,
    rejected,
    forgotten,
  }: {
    readonly conflicted: ReadonlySet<string>;
    readonly rejected: ReadonlyMap<string, ReadonlySet<string>>;
    readonly forgotten: ReadonlySet<string>;
  },
): string[] {
  const account = accountOf(world, person.id);
  if (!isEntitled(world, person)) {
    // Even a person whose name another person has is deactivated.
    const kept = rejected.get(person.id)?.has("active") === true;
    const stays = kept || forgotten.has(person.id) || !mustGo(world, person);
    if (account?.active === true && !stays) return [`${person.id} has left and is active`];
    const temporary = account?.userName.startsWith("als-rename-") === true;
    return temporary && !stays && !rejected.has(person.id) && canBeNamed(world, person)
      ? [`${person.id} has left and keeps a temporary userName`]
      : [];
  }
  // A leaver is deactivated whatever other changes were rejected.
  if (rejected.has(person.id) || conflicted.has(person.id)) return [];
  if (account === undefined) return [`${person.id} has no account`];
  if (forgotten.has(person.id)) return [`${person.id} is not linked to the account`];
  return differences(world, person, account, forgotten);
}

/** Delays are over by then. For a deleted person it is unknown whether the engine has seen more than the deletion. */
function mustGo(world: World, person: Person): boolean {
  const events = leavingEvents(world, person, world.now);
  const telling = events.includes("deleted") ? (["deleted"] as const) : events;
  return telling.some((event) => world.configuration.rules.events[event].do === "deactivate");
}

/**
 * People whose userName another person also wants, or an account holds and keeps: they are reported, not provisioned. An account
 * whose person should have another name gives it up, unless that person is also one of these.
 */
export function conflictedPeople(
  world: World,
  rejected: ReadonlyMap<string, ReadonlySet<string>>,
  forgotten: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const people = [...world.people.values()].filter((person) => isInScope(world, person));
  return new Set(
    people.filter((person) => isConflicted(world, { rejected, forgotten }, person, [])).map(({ id }) => id),
  );
}

/** @param before those who wait for the name that this one gives up */
function isConflicted(
  world: World,
  decided: {
    readonly rejected: ReadonlyMap<string, ReadonlySet<string>>;
    readonly forgotten: ReadonlySet<string>;
  },
  person: Person,
  before: readonly string[],
): boolean {
  if (hasNamesake(world, person)) return true;
  const name = person.userName.toLowerCase();
  const own = accountOf(world, person.id);
  const holder = [...world.accounts.values()].find(
    (account) => account.id !== own?.id && account.userName.toLowerCase() === name,
  );
  const byName = world.configuration.matching !== "externalIdAlone";
  if (holder === undefined) return false;
  const free = holder.externalId === null && world.ownerOf(holder) === null;
  if (own === undefined && free && byName) return false;
  const owner = world.people.get(world.ownerOf(holder) ?? "");
  // A person whose new name was rejected keeps the old one, and no other person gets it.
  if (owner === undefined || decided.rejected.get(owner.id)?.has("userName") === true) return true;
  // An account that a lost database knew is not known to be a leaver's.
  if (decided.forgotten.has(owner.id) && !isEntitled(world, owner)) return true;
  // For a deleted person the directory shows no other name. Any other leaver gives up the old one.
  if (owner.presence !== "present" || owner.userName.toLowerCase() === name) return true;
  // A person whose leaving is ignored, or was rejected, stays unchanged, with the old name.
  const kept = decided.rejected.get(owner.id)?.has("active") === true || !mustGo(world, owner);
  if (!isEntitled(world, owner) && kept) return true;
  const waiting = [...before, person.id];
  return waiting.includes(owner.id) ? !world.breaksRings : isConflicted(world, decided, owner, waiting);
}

/**
 * Whether a person is deactivated and renamed at once, and another person gets the old name, while the new one is taken or another
 * change is refused with it. A leaver waits for no one, so the new name comes a cycle later, and the other person gets the old
 * one another cycle later.
 */
export function leaverIsInTheWay(world: World): boolean {
  return [...world.people.values()].some((person) => {
    const own = accountOf(world, person.id);
    if (own?.active !== true || isEntitled(world, person)) return false;
    const held = (name: string): boolean =>
      [...world.accounts.values()].some((account) => account.id !== own.id && account.userName === name);
    return (
      (held(person.userName) || person.title === refusedTitle) &&
      [...world.people.values()].some((other) => other.id !== person.id && other.userName === own.userName)
    );
  });
}

/**
 * Whether no account and no other person in scope has the userName of a leaver, who was not deleted: then the account gets it.
 * People who share a userName are reported.
 */
function canBeNamed(world: World, person: Person): boolean {
  const name = person.userName.toLowerCase();
  return (
    person.presence === "present" &&
    !hasNamesake(world, person) &&
    ![...world.accounts.values()].some((one) => one.userName.toLowerCase() === name)
  );
}

/** People who have left and whose accounts keep a temporary userName, because their own is taken: each try is refused and reported. */
export function nameless(world: World): readonly string[] {
  return [...world.people.values()].flatMap((person) => {
    const temporary = accountOf(world, person.id)?.userName.startsWith("als-rename-") === true;
    return temporary && !isEntitled(world, person) && !canBeNamed(world, person) ? [person.id] : [];
  });
}

/** People who have left and whose accounts hold, and cannot give up, a userName that one of these waits for. */
export function holdersFor(world: World, waiting: ReadonlySet<string>): readonly string[] {
  const names = new Set([...waiting].map((id) => world.people.get(id)?.userName.toLowerCase()));
  return [...world.accounts.values()].flatMap((account) => {
    const owner = world.people.get(world.ownerOf(account) ?? "");
    const left = owner !== undefined && !isEntitled(world, owner);
    return left && names.has(account.userName.toLowerCase()) ? [owner.id] : [];
  });
}

function hasNamesake(world: World, { id, userName }: Person): boolean {
  return [...world.people.values()].some(
    (other) =>
      other.id !== id &&
      isInScope(world, other) &&
      other.userName.toLowerCase() === userName.toLowerCase() &&
      (other.enabled !== false || accountOf(world, other.id) !== undefined),
  );
}

function differences(
  world: World,
  person: Person,
  account: Account,
  forgotten: ReadonlySet<string>,
): string[] {
  const wanted = keptAs(world.manners, {
    ...account,
    values: person.title === null ? {} : { title: person.title },
  });
  const found: string[] = [];
  const compare = (what: string, is: unknown, must: unknown): void => {
    if (is !== must) found.push(`${person.id}: ${what} is ${String(is)}, must be ${String(must)}`);
  };
  compare("userName", account.userName, person.userName);
  // A value that is not shown may exist nevertheless.
  if (sharesIds(world) && account.externalId !== null)
    compare("externalId", account.externalId, person.externalId);
  compare("active", account.active, true);
  // A refusal of one attribute costs only that attribute.
  if (world.configuration.titleIsMapped && person.title !== refusedTitle)
    compare("title", account.values.title, wanted.values.title);
  const manager = person.managerId === null ? undefined : world.people.get(person.managerId);
  const gone = manager === undefined || manager.id === person.id || manager.presence !== "present";
  const managerAccount = manager === undefined ? undefined : accountOf(world, manager.id);
  if (manager !== undefined && world.unsettled.has(manager.id)) return found;
  if (gone) compare("manager", account.values[managerPath], undefined);
  // If the manager gets no account, no other manager stays in the place.
  else if (managerAccount === undefined && !isEntitled(world, manager)) {
    const is = account.values[managerPath];
    if (!isSwitchedOffByName(world.accounts.get(String(is)), manager)) compare("manager", is, undefined);
  }
  // In a ring, the links that Lattice has stay; no other manager is in the place.
  else if (!world.sendsManagerRings && isInManagerRing(world, person)) {
    if (account.values[managerPath] !== managerAccount?.id)
      compare("manager", account.values[managerPath], undefined);
  }
  // The person waits for a manager without an account.
  else if (managerAccount !== undefined && !forgotten.has(person.managerId ?? "")) {
    const is = account.values[managerPath];
    if (!maybeWithout(world, person, managerAccount) || is !== undefined)
      compare("manager", is, managerAccount.id);
  }
  return found;
}

/** Whether a stranger's account was linked to a leaver by its name and deactivated, and refused the externalId. */
function isSwitchedOffByName(account: Account | undefined, { userName }: Person): boolean {
  if (account === undefined || !account.stranger || account.externalId !== null) return false;
  return !account.active && account.userName.toLowerCase() === userName.toLowerCase();
}

/** Whether the person's line of managers leads back to the person, and each in it has an account or may get one. */
function isInManagerRing(world: World, { id, managerId }: Person): boolean {
  const above = new Set<string>();
  for (let at = managerId; at !== null && !above.has(at); at = world.people.get(at)?.managerId ?? null) {
    const person = world.people.get(at);
    if (person === undefined || !isInScope(world, person)) return false;
    if (!person.enabled && accountOf(world, at) === undefined) return false;
    above.add(at);
  }
  return above.has(id) && above.size > 1;
}

/** Whether the person may have no manager: Lattice refuses a deactivated one, or has refused this one. */
function maybeWithout({ manners, refusedWithManager }: World, { id }: Person, manager: Account): boolean {
  const takes = (manners.lifecycle?.inactiveManager ?? "accept") === "accept" && !refusedWithManager.has(id);
  return !manager.active && !takes;
}

export function accountOf(world: World, id: string): Account | undefined {
  const all = [...world.accounts.values()];
  return (
    all.find((account) => world.ownerOf(account) === id) ??
    // An account that carries the externalId may be linked although nothing is written to it.
    all.find((account) => world.ownerOf(account) === null && world.heirs.get(account.id)?.has(id) === true)
  );
}
