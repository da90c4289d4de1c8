import { isEntitled, isInScope } from "./standing.ts";
import type { Account, Person, World } from "./world.ts";

// The owner of each account, if the externalId does not decide it: several people may share one, and an administrator of Lattice
// may write another person's into an account. Computed without the product's matching.

/** Whether several people can have one externalId. */
export function sharesIds({ configuration }: Pick<World, "configuration">): boolean {
  return configuration.externalIds !== "objectId";
}

/** Everyone whose account it may be; usually one person. */
export function mayOwn({ owners, heirs }: World, { id }: Pick<Account, "id">): readonly string[] {
  const owner = owners.get(id);
  return [...(owner === undefined ? [] : [owner]), ...(heirs.get(id) ?? [])];
}

/**
 * People who may get the account in the cycle under way: it carries their externalId, or did when the engine last saw it, they
 * have no other account, and its former owner has left.
 */
export function heirsNow(world: World, account: Account): readonly string[] {
  const carried = [account.externalId, world.carried.get(account.id) ?? null].filter((id) => id !== null);
  if (carried.length === 0) return [];
  const holders = mayOwn(world, account);
  const known = world.owners.has(account.id) && !world.unconfirmed.has(account.id);
  const left = (known ? holders : []).every((id) =>
    world.statesOf(id).some((state) => !isEntitled(world, state)),
  );
  if (!left) return [];
  return [...world.people.keys()].filter((id) => {
    const led = world
      .statesOf(id)
      .some((state) => carried.includes(state.externalId) && isInScope(world, state));
    if (!led || holders.includes(id) || hasCertainAccount(world, id)) return false;
    // A person who shares one of these with another person gets no account.
    return namesakesOf(world, id).length + sharersOf(world, id).length === 0;
  });
}

/** Other people in scope with this person's externalId, whatever the cycle under way has read about them. */
export function sharersOf(world: World, id: string): readonly string[] {
  return othersWith(world, id, ({ externalId }) => externalId);
}

/** Other people in scope with this person's userName. */
export function namesakesOf(world: World, id: string): readonly string[] {
  return othersWith(world, id, ({ userName }) => userName.toLowerCase());
}

function othersWith(world: World, id: string, keyOf: (person: Person) => string): readonly string[] {
  const keys = new Set(world.statesOf(id).map(keyOf));
  const [key] = keys;
  if (key === undefined || keys.size > 1) return [];
  return [...world.people.keys()].filter((other) => {
    const counts = (state: Person): boolean =>
      keyOf(state) === key &&
      isInScope(world, state) &&
      (state.enabled === true || hasCertainAccount(world, other));
    return other !== id && !world.newcomers.has(other) && world.statesOf(other).every(counts);
  });
}

/**
 * The person whose externalId another person's account carries, if the engine knows it from before the cycle under way or from
 * a list in it: a person in scope without an account that carries it.
 * @param reads the account is read before it is written
 */
export function carriedOf(world: World, account: Account, owner: string, reads: boolean): string | null {
  const { externalId, id } = account;
  const read = world.carried.get(id) === externalId || (reads && world.calm);
  if (externalId === null || !read) return null;
  if (world.statesOf(owner).some((state) => state.externalId === externalId)) return null;
  const whose = [...world.people.keys()].find((other) => {
    if (world.newcomers.has(other)) return false;
    const states = world.statesOf(other);
    const own = [...world.accounts.values()].some(
      // As far as the engine knows: later manual changes are seen only by a list.
      (one) =>
        [one.externalId, world.carried.get(one.id)].includes(externalId) &&
        mayOwn(world, one).includes(other),
    );
    return !own && states.every((state) => state.externalId === externalId && isEntitled(world, state));
  });
  return whose ?? null;
}

/** An account that no other person may have by now. */
export function hasCertainAccount(world: World, id: string): boolean {
  return [...world.accounts.values()].some((account) => {
    const holders = mayOwn(world, account);
    return holders.length === 1 && world.owners.get(account.id) === id;
  });
}

/** The account is this person's because of a write; others may still have it until a cycle ends well. */
export function settleOwner(
  world: World,
  id: string,
  holders: readonly string[],
  clean: readonly string[],
): void {
  const [owner] = clean;
  if (owner === undefined) return;
  world.owners.set(id, owner);
  world.heirs.set(id, new Set([...clean, ...holders].filter((one) => one !== owner)));
  world.writtenFor.set(id, new Set(clean));
  if (clean.length === 1) leaveOthers(world, id, owner);
}

/** No person has two accounts: a second one that may be another person's is that person's. */
export function leaveOthers(world: World, id: string, owner: string): void {
  for (const other of [...world.accounts.keys()]) {
    const [heir, ...rest] = world.heirs.get(other) ?? [];
    if (other === id) continue;
    if (world.owners.get(other) === owner && heir !== undefined) {
      world.owners.set(other, heir);
      world.heirs.set(other, new Set(rest));
    } else world.heirs.get(other)?.delete(owner);
  }
}

/**
 * While `actions.update` is off, an account that is found by its name may be linked although nothing is written to it. The only
 * person with the name may own it from now on.
 */
export function noteUnwrittenLinks(world: World): void {
  const { actions, matching } = world.configuration;
  if (actions.update || matching === "externalIdAlone") return;
  for (const account of world.accounts.values()) {
    if (world.ownerOf(account) !== null || account.externalId !== null) continue;
    const name = account.userName.toLowerCase();
    const named = [...world.people.keys()].filter((id) =>
      world.statesOf(id).some((state) => state.userName.toLowerCase() === name && isInScope(world, state)),
    );
    const [person] = named;
    if (person === undefined || named.length > 1 || hasCertainAccount(world, person)) continue;
    world.heirs.set(account.id, new Set([...(world.heirs.get(account.id) ?? []), person]));
  }
}

/** The state after a cycle. @param undisturbed no request failed, so all writes were confirmed */
export function afterIdentities(world: World, undisturbed: boolean): void {
  if (undisturbed) {
    for (const [id, clean] of world.writtenFor) {
      const heirs = world.heirs.get(id) ?? new Set();
      world.heirs.set(id, new Set([...heirs].filter((one) => clean.has(one))));
    }
    for (const id of world.unconfirmed) {
      const owner = world.people.get(world.owners.get(id) ?? "");
      if (world.accounts.get(id)?.externalId === owner?.externalId) world.unconfirmed.delete(id);
    }
  }
  for (const account of world.accounts.values()) {
    const heirs = [...(world.heirs.get(account.id) ?? []), ...heirsNow(world, account)];
    world.heirs.set(account.id, new Set(heirs));
  }
}

/**
 * People with an obstacle: they share an externalId and have no account, or an account carries another person's externalId, or
 * may belong to several people.
 */
export function encumbered(world: World): ReadonlySet<string> {
  const found = new Set<string>();
  const current = [...world.people.values()];
  for (const account of world.accounts.values()) {
    const holders = mayOwn(world, account);
    if (isUnclear(world, account)) {
      for (const id of holders) {
        found.add(id);
        // A disabled person with an account keeps the userName from others; it is unknown whether this person has one.
        for (const other of namesakesOf(world, id)) found.add(other);
      }
    }
    const [owner] = holders;
    const others = current.filter(
      (person) => person.externalId === account.externalId && person.id !== owner && isInScope(world, person),
    );
    for (const { id } of others) {
      if (ownAccount(world, id)?.externalId === account.externalId) continue;
      found.add(id);
      const own = world.people.get(owner ?? "");
      if (own !== undefined && own.externalId !== account.externalId) found.add(own.id);
    }
  }
  for (const { id, externalId } of current) {
    const shares = sharersOf(world, id).length > 0;
    if (shares && ownAccount(world, id)?.externalId !== externalId) found.add(id);
  }
  return found;
}

function ownAccount(world: World, id: string): Account | undefined {
  return [...world.accounts.values()].find((account) => world.owners.get(account.id) === id);
}

/** Whether several people may have the account, or nothing shows the engine whose it is. */
function isUnclear(world: World, account: Account): boolean {
  const holders = mayOwn(world, account);
  const foreign = world.people.get(holders[0] ?? "")?.externalId !== account.externalId;
  return holders.length > 1 || (foreign && world.unconfirmed.has(account.id));
}

/** People for whom it is unknown whether they have an account. */
export function uncertain(world: World): ReadonlySet<string> {
  const unclear = [...world.accounts.values()].filter((account) => isUnclear(world, account));
  return new Set(unclear.flatMap((account) => mayOwn(world, account)));
}

/** The engine's data about accounts at the end of a cycle. If it broke off, it is unknown what was stored. */
export function keepCarried({ carried, carriedLater }: World, ended: boolean): void {
  for (const [id, externalId] of carriedLater) {
    if (ended) carried.set(id, externalId);
    else carried.delete(id);
  }
}
