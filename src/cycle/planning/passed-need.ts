import type { Operation } from "../../domain/plan.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { isInScope } from "./in-scope.ts";
import type { Namesakes } from "./namesakes.ts";
import type { PlannedPerson } from "./planned-person.ts";
import { nameKey } from "./rename-order.ts";

/** Longer rows of leavers are not followed. */
const longestRow = 100;

/** Of the leavers who map to one userName, this many are looked at. */
const mostLeavers = 5;

interface Around {
  readonly store: Pick<StateStore, "sharing" | "candidates">;
  readonly everyoneInScope: boolean;
  readonly namesakes: Namesakes;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** UserNames, in lower case, that this plan gives to leavers' accounts. */
  readonly given: ReadonlySet<string>;
  /** Plans leavers as if their accounts' userNames were needed. */
  readonly asIfNeeded: (candidates: readonly Candidate[]) => Promise<readonly PlannedPerson[]>;
}

/**
 * Tells which of these userNames, of leavers' accounts, are needed although no person in scope maps to them: another leaver
 * does, whose account is renamed because its own userName is needed in turn. So a row, or a ring, of names with leavers in
 * it comes to its end.
 * @param keys in lower case
 */
export async function neededByLeavers(keys: readonly string[], around: Around): Promise<ReadonlySet<string>> {
  // By userName the userNames that become free if it does.
  const above = new Map<string, readonly string[]>();
  const wanted = new Set<string>();
  let next = [...new Set(keys)];
  for (let length = 0; length < longestRow && next.length > 0; length += 1) {
    const counted = await around.namesakes("userName", next, around.now);
    const unwanted: string[] = [];
    for (const key of next) {
      if (around.given.has(key) || (counted.get(key)?.size ?? 0) > 0) wanted.add(key);
      else unwanted.push(key);
    }
    const leavers = await renamedTo(unwanted, around);
    for (const key of unwanted) above.set(key, leavers.get(key) ?? []);
    const seen = (key: string): boolean => above.has(key) || wanted.has(key);
    next = [...new Set([...leavers.values()].flat())].filter((key) => !seen(key));
  }
  const needed = new Set<string>();
  for (const key of keys) {
    if (around.given.has(key) || (above.has(key) && leadsTo(wanted, key, above))) needed.add(key);
  }
  return needed;
}

function leadsTo(
  wanted: ReadonlySet<string>,
  start: string,
  above: ReadonlyMap<string, readonly string[]>,
): boolean {
  const seen = new Set([start]);
  for (const key of seen) {
    if (wanted.has(key)) return true;
    for (const other of above.get(key) ?? []) seen.add(other);
  }
  return false;
}

/** Follows the userNames that a plan gives to leavers' accounts: an account that has one of them now must be renamed first. */
export interface NamesPassedOn {
  /** The userNames that were noted, in lower case. */
  readonly given: ReadonlySet<string>;
  /** Notes the plans of a page. */
  note(people: readonly PlannedPerson[]): void;
  /**
   * Object ids of the people whose accounts have the userNames that were noted since the last call, without those for whom
   * the cycle has an operation. They are planned again: for them nothing may have been due until now. Empty in the end.
   */
  holders(): Promise<readonly string[]>;
}

export function namesPassedOn({
  store,
  cycleId,
}: {
  readonly store: Pick<StateStore, "nameHolders" | "unsentOf">;
  readonly cycleId: number;
}): NamesPassedOn {
  const asked = new Set<string>();
  const next = new Set<string>();
  const given = new Set<string>();
  return {
    given,
    note: (people) => {
      for (const { candidate, mapped, plan } of people) {
        if (candidate.link === null || mapped.userName === null || isInScope(candidate, mapped)) continue;
        if (plan.kind !== "operation" || !givesName(plan.operation)) continue;
        const key = nameKey(mapped.userName);
        given.add(key);
        if (!asked.has(key)) next.add(key);
      }
    },
    holders: async () => {
      if (next.size === 0) return [];
      const keys = [...next];
      next.clear();
      for (const key of keys) asked.add(key);
      const found: string[] = [];
      for (const { objectId } of (await store.nameHolders(keys)).values()) {
        if ((await store.unsentOf(cycleId, [objectId])).length === 0) found.push(objectId);
      }
      return found;
    },
  };
}

function givesName({ changes }: Pick<Operation, "changes">): boolean {
  return changes.some(({ attribute }) => attribute === "userName");
}

/** By userName the userNames that leavers' accounts have who would be renamed to it. */
async function renamedTo(
  keys: readonly string[],
  { store, everyoneInScope, asIfNeeded }: Around,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  if (keys.length === 0) return found;
  const people: string[] = [];
  // For a person who was deleted permanently the mapping gives no name.
  for (const presence of ["present", "softDeleted"] as const) {
    const which = { by: "userName", presence, membersOnly: false, disabledOnlyLinked: true } as const;
    for (const ids of (await store.sharing(keys, which)).values()) people.push(...ids.slice(0, mostLeavers));
  }
  if (people.length === 0) return found;
  const only = [...new Set(people)];
  const candidates = await store.candidates({
    select: { only },
    everyoneInScope,
    after: "",
    limit: only.length,
  });
  for (const { candidate, mapped, plan } of await asIfNeeded(candidates)) {
    const { link, userNameKey: key } = candidate;
    if (link === null || key === null || isInScope(candidate, mapped)) continue;
    if (plan.kind !== "operation" || !givesName(plan.operation)) continue;
    found.set(key, [...(found.get(key) ?? []), nameKey(link.userName)]);
  }
  return found;
}
