import { type AccountKind, accountKinds, accountsOf } from "../../src/cycle/person/account-kinds.ts";
import type { Stage } from "./cycles.ts";
import { sharesIds } from "./identity.ts";
import { settingsOf } from "./settings.ts";
import { isEntitled } from "./standing.ts";
import type { Account, Person, World } from "./world.ts";

const scope = { mode: "groups", configured: ["the group"], nested: true, guests: true } as const;

/**
 * Compares with both ends whose each account is, as `accounts` lists it. Call when everything was read and sent.
 * @param forgotten people of whom no database knows any more that they had an account
 * @returns what is wrong; `null` if nothing is
 */
export async function wrongKind(
  { history, world, store }: Stage,
  forgotten: ReadonlySet<string>,
): Promise<string | null> {
  if (sharesIds(world)) return null;
  const given = { ...settingsOf(history, world.configuration), scope };
  const query = { department: null, now: world.now + world.skewMs, signal: new AbortController().signal };
  const listed = new Map<string, AccountKind>();
  for await (const page of accountsOf(store, given, query)) {
    for (const { latticeId, kind } of page) {
      if (listed.has(latticeId)) return `accounts lists ${latticeId} twice`;
      listed.set(latticeId, kind);
    }
  }
  for (const account of world.accounts.values()) {
    const kind = listed.get(account.id);
    if (kind === undefined) return `accounts leaves out ${account.id}`;
    const right = kindsOf(world, account, forgotten);
    if (!right.includes(kind))
      return `accounts says ${kind} of ${account.id}, which is ${right.join(" or ")}`;
  }
  const extra = [...listed].find(([id, kind]) => !world.accounts.has(id) && kind === "linked");
  return extra === undefined ? null : `accounts says linked of ${extra[0]}, which is gone`;
}

/** The kinds that an account may be said to be of. */
function kindsOf(world: World, account: Account, forgotten: ReadonlySet<string>): readonly AccountKind[] {
  const owner = world.ownerOf(account);
  const person = world.people.get(owner ?? "");
  if (person === undefined) {
    const name = account.userName.toLowerCase();
    // A person may be known by an earlier name: one who is renamed and then deleted is never shown with the new one.
    const isNamed = ({ userName }: Person): boolean => userName.toLowerCase() === name;
    const named = [...world.people.values()].filter(
      (one) => isNamed(one) || isNamed(world.shown.get(one.id) ?? one) || one.id === account.externalId,
    );
    // The account of a leaver that was found by its name and switched off. Lattice may have refused the rest, and so the externalId.
    const switchedOff = !account.active && named.some((one) => !isEntitled(world, one));
    // A person in the recycle bin, or out of scope, is listed as one whose it may be.
    if (named.length === 0) return ["nobodys"];
    return ["unlinked", "nobodys", ...(switchedOff ? (["left"] as const) : [])];
  }
  if (forgotten.has(person.id)) return accountKinds.filter((kind) => kind !== "linked");
  return [isEntitled(world, person) ? "linked" : "left"];
}
