import type { Operation } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { clearsManager, type Presumption, presumedGone } from "../operations/presumption.ts";
import type { Namesakes } from "./namesakes.ts";
import type { PlannedPerson } from "./planned-person.ts";

/** Of the people who share a key and do not count, this many are looked at: one who is there is enough to stop the operation. */
const mostNamesakes = 5;

const presences: readonly Presence[] = ["present", "softDeleted", "deleted"];

interface Known {
  readonly store: Pick<StateStore, "sharing">;
  readonly namesakes: Namesakes;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Tells which of these plans rest on other people being gone: the manager is cleared, an account is taken over from its former
 * owner, or a userName or an externalId is given because another person who has it does not count. The store is asked only
 * about keys that are given and shared.
 * @returns by object id of the person who is planned
 */
export async function presumptionsOf(
  people: readonly PlannedPerson[],
  known: Known,
): Promise<ReadonlyMap<string, Presumption>> {
  const planned = people.flatMap((person) =>
    person.plan.kind === "operation" ? [{ ...person, operation: person.plan.operation }] : [],
  );
  const names = await uncounted("userName", planned.flatMap(nameGiven), known);
  const ids = await uncounted("externalId", planned.flatMap(idGiven), known);
  const found = new Map<string, Presumption>();
  for (const person of planned) {
    const { objectId } = person.candidate.source;
    const others = [
      ...nameGiven(person).flatMap((key) => names.get(key) ?? []),
      ...idGiven(person).flatMap((key) => ids.get(key) ?? []),
    ];
    const presumption = {
      manager: managerCleared(person),
      formerOwner: person.operation.formerOwner ?? null,
      namesakes: [...new Set(others)].filter((id) => id !== objectId).slice(0, mostNamesakes),
    };
    if (presumedGone(presumption).length > 0) found.set(objectId, presumption);
  }
  return found;
}

interface Planned extends Pick<PlannedPerson, "candidate"> {
  readonly operation: Operation;
}

/** The manager, if the plan clears the manager because that person is deleted. */
function managerCleared({ candidate: { manager, source }, operation }: Planned): string | null {
  if (manager === null || manager.objectId === source.objectId || !clearsManager(operation)) return null;
  return manager.presence === "softDeleted" || manager.presence === "deleted" ? manager.objectId : null;
}

/** The key of the userName that the operation gives, if another person has the key. A new account of a leaver's gets none. */
function nameGiven({ candidate, operation }: Planned): string[] {
  const { userNameKey, sharesName, link } = candidate;
  if (userNameKey === null || !sharesName) return [];
  const gives =
    link === null
      ? operation.action !== "deactivate"
      : operation.changes.some(({ attribute }) => attribute === "userName");
  return gives ? [userNameKey] : [];
}

/** The key of the externalId by which the operation makes or takes an account, if another person has the key. */
function idGiven({ candidate, operation }: Planned): string[] {
  const { externalIdKey, sharesExternalId, link } = candidate;
  if (externalIdKey === null || !sharesExternalId || link !== null) return [];
  return operation.action === "deactivate" ? [] : [externalIdKey];
}

/** By key the people who have it and do not count: they are deleted, out of scope, or rejected by a scoping filter. */
async function uncounted(
  by: "userName" | "externalId",
  keys: readonly string[],
  { store, namesakes, now }: Known,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (keys.length === 0) return new Map();
  const counted = await namesakes(by, keys, now);
  const found = new Map<string, string[]>();
  for (const presence of presences) {
    const which = { by, presence, membersOnly: false, disabledOnlyLinked: true } as const;
    for (const [key, people] of await store.sharing([...new Set(keys)], which)) {
      const others = people.filter((id) => counted.get(key)?.has(id) !== true).slice(0, mostNamesakes + 1);
      found.set(key, [...(found.get(key) ?? []), ...others]);
    }
  }
  return found;
}
