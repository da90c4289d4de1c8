import { managerPath } from "../../src/mapping/target-attributes.ts";
import {
  type Account,
  isEntitled,
  isInScope,
  keptAs,
  leavingEvents,
  type Person,
  refusedTitle,
  type World,
} from "./world.ts";

/**
 * Everything in which Lattice is not what the directory makes it, worked out without the product's mapping or planning.
 * @param leftAlone people whose change somebody rejected
 * @param forgotten people whose accounts a lost database knew, and nobody has found again
 */
export function faultsOf(
  world: World,
  leftAlone: ReadonlySet<string>,
  forgotten: ReadonlySet<string>,
): readonly string[] {
  const conflicted = conflictedPeople(world);
  return [...world.people.values()].flatMap((person) => {
    if (leftAlone.has(person.id)) return [];
    const account = accountOf(world, person.id);
    if (!isEntitled(world, person)) {
      // Even somebody whose name is somebody else's is switched off.
      const stays = forgotten.has(person.id) || !mustGo(world, person);
      return account?.active === true && !stays ? [`${person.id} has left and is active`] : [];
    }
    if (conflicted.has(person.id) || person.title === refusedTitle) return [];
    if (account === undefined) return [`${person.id} has no account`];
    if (forgotten.has(person.id)) return [`${person.id} is not linked to the account`];
    return differences(world, person, account, forgotten);
  });
}

/** Delays are over by then. Of somebody who was deleted nobody knows whether the engine has seen more than that. */
function mustGo(world: World, person: Person): boolean {
  const events = leavingEvents(world, person, world.now);
  const telling = events.includes("deleted") ? (["deleted"] as const) : events;
  return telling.some((event) => world.rules.events[event].do === "deactivate");
}

/** People whose userName is also wanted, or held, by somebody else: they are reported, not provisioned. */
export function conflictedPeople(world: World): ReadonlySet<string> {
  const conflicted = new Set<string>();
  for (const person of world.people.values()) {
    if (!isInScope(world, person)) continue;
    const name = person.userName.toLowerCase();
    const own = accountOf(world, person.id);
    const holder = [...world.accounts.values()].find(
      (account) => account.id !== own?.id && account.userName.toLowerCase() === name,
    );
    const adoptable = own === undefined && holder?.externalId === null;
    const namesake = [...world.people.values()].some(
      (other) =>
        other.id !== person.id &&
        isInScope(world, other) &&
        other.userName.toLowerCase() === name &&
        (other.enabled || accountOf(world, other.id) !== undefined),
    );
    if (namesake || (holder !== undefined && !adoptable)) conflicted.add(person.id);
  }
  return conflicted;
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
  compare("active", account.active, true);
  compare("title", account.values.title, wanted.values.title);
  const manager = person.managerId === null ? undefined : world.people.get(person.managerId);
  const gone = manager === undefined || manager.presence !== "present";
  const managerAccount = manager === undefined ? undefined : accountOf(world, manager.id);
  if (gone) compare("manager", account.values[managerPath], undefined);
  // A manager who gets no account leaves no other one in the place.
  else if (managerAccount === undefined && !isEntitled(world, manager)) {
    compare("manager", account.values[managerPath], undefined);
  }
  // A manager without an account is waited for.
  else if (managerAccount !== undefined && !forgotten.has(person.managerId ?? "")) {
    const is = account.values[managerPath];
    if (!maybeWithout(world, managerAccount) || is !== undefined) compare("manager", is, managerAccount.id);
  }
  return found;
}

/** Whether those who report to the account may have no manager: Lattice does not take one who is switched off. */
function maybeWithout({ manners }: World, manager: Account): boolean {
  return !manager.active && (manners.lifecycle?.inactiveManager ?? "accept") !== "accept";
}

function accountOf(world: World, id: string): Account | undefined {
  return [...world.accounts.values()].find(({ externalId }) => externalId === id);
}
