import { hasCertainAccount, mayOwn, namesakesOf } from "./identity.ts";
import { isEntitled, isInScope } from "./standing.ts";
import type { Account, World } from "./world.ts";

// The repairs that administrators of both ends make to wrong externalIds, once these were reported.

/**
 * No one shares an externalId any more, and each account gets a certain owner.
 * @returns people who should be out of the scope for a cycle, as the message advises: an account may have been theirs; and
 * whether anything was done in Lattice
 */
export function repairIds(world: World): { readonly losers: readonly string[]; readonly inLattice: boolean } {
  forgetUnconfirmed(world);
  makeUnique(world);
  const losers: string[] = [];
  const decided = new Set([...world.people.keys()].filter((id) => hasCertainAccount(world, id)));
  for (const account of world.accounts.values()) {
    const holders = mayOwn(world, account);
    const [only = ""] = holders;
    if (holders.length === 1 && !world.owners.has(account.id) && !decided.has(only)) {
      world.owners.set(account.id, only);
      decided.add(only);
    }
    if (holders.length < 2) continue;
    const chosen =
      holders.find((id) => isEntitledNow(world, id) && !decided.has(id)) ??
      holders.find((id) => !decided.has(id)) ??
      "";
    decided.add(chosen);
    takeOwnName(world, chosen);
    if (!isEntitledNow(world, chosen)) {
      for (const id of holders) {
        world.unsettled.add(id);
        const person = world.people.get(id);
        // A person with the account keeps no name from others; a name that is written then shows whose account it is.
        if (person !== undefined && isInScope(world, person)) takeOwnName(world, id);
      }
      world.heirs.set(account.id, new Set(holders.filter((id) => id !== chosen)));
    }
    world.owners.set(account.id, chosen);
    losers.push(...holders.filter((id) => id !== chosen && isEntitledNow(world, id)));
  }
  return { losers, inLattice: writeOwnIds(world) };
}

/** Nothing shows any more whose account it is if it got another externalId before its create was confirmed. */
function forgetUnconfirmed(world: World): void {
  for (const id of world.unconfirmed) {
    const owner = world.people.get(world.owners.get(id) ?? "");
    const same = world.accounts.get(id)?.externalId === owner?.externalId;
    if (!same && owner?.presence !== "present") world.owners.delete(id);
  }
}

function isEntitledNow(world: World, id: string): boolean {
  const person = world.people.get(id);
  return person !== undefined && isEntitled(world, person);
}

/** A person who should take an account over must not be prevented by a userName that another person has, too. */
function takeOwnName(world: World, id: string): void {
  const person = world.people.get(id);
  if (person === undefined || namesakesOf(world, id).length === 0) return;
  world.put({ ...person, userName: `own-${id}@example.com` });
}

/** A person who has an account with the externalId keeps it. */
function makeUnique(world: World): void {
  const taken = new Map<string, string>();
  const people = [...world.people.values()].filter(({ presence }) => presence === "present");
  const first = people.filter(({ id }) => hasCertainAccount(world, id));
  for (const person of [...first, ...people.filter((one) => !first.includes(one))]) {
    const externalId = taken.has(person.externalId) ? `own-${person.id}` : person.externalId;
    taken.set(externalId, person.id);
    if (externalId !== person.externalId) world.put({ ...person, externalId });
  }
}

/**
 * Each account has only its own person's externalId; the account of a person who is gone has a separate one.
 * @returns whether any was written
 */
function writeOwnIds(world: World): boolean {
  const present = [...world.people.values()].filter(({ presence }) => presence === "present");
  const idOf = (account: Account): string | null => {
    const owner = present.find(({ id }) => id === world.ownerOf(account));
    if (owner !== undefined) return owner.externalId;
    const { externalId } = account;
    return present.some((person) => person.externalId === externalId) ? `former-${account.id}` : externalId;
  };
  const wrong = [...world.accounts.values()].filter((account) => account.externalId !== idOf(account));
  const right = wrong.map((account) => ({ ...account, externalId: idOf(account) }));
  for (const account of right) world.accounts.set(account.id, account);
  return right.length > 0;
}
