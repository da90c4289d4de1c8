import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { AccountIdentity } from "../../domain/state/accounts.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { sameAt, valueAt } from "../../domain/target.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import { identityOf, type MappedUser } from "../../mapping/rules/map-user.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { holds } from "./held.ts";
import type { ManagerRings, Member } from "./manager-ring.ts";

/** What is known of the manager whom a person's account points to, beside the one whom it shall point to. */
export interface ManagerStanding {
  /** userName of the account that the person's account points to now. */
  readonly currentName: string | null;
  /** That account is the manager's own, although it is not linked yet. */
  readonly same: boolean;
  /** It is another person's, and the manager has no account and gets none: it is cleared until there is one. */
  readonly clear: boolean;
  /** People who are one another's managers, the person first; empty where the person is in no such ring, or it is sent. */
  readonly ring: readonly Member[];
}

export const noManager: ManagerStanding = { currentName: null, same: false, clear: false, ring: [] };

interface Person {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
  /** The account that the person has, or would be linked to; `null` where there is none, or it is not decided. */
  readonly account: ConfirmedTarget | null;
}

interface Question extends Person {
  readonly currentId: string;
  readonly current: AccountIdentity | undefined;
}

/**
 * The standing of the managers of these people, by object id of the person; `noManager` for whom there is no entry.
 * @param expected which of these people have an account, or get one with the next plan
 */
export async function managersOf(
  people: readonly Person[],
  {
    store,
    settings,
    environment,
    expected,
    rings,
    partial,
  }: {
    readonly store: Pick<StateStore, "identitiesOf">;
    readonly settings: Pick<CycleSettings, "mapping" | "missingManager" | "managerRings">;
    readonly environment: Environment;
    readonly expected: (objectIds: readonly string[]) => Promise<ReadonlySet<string>>;
    readonly rings: ManagerRings;
    /** Both ends were read for these people alone: of an account that the picture does not have nobody knows whose it is. */
    readonly partial: boolean;
  },
): Promise<ReadonlyMap<string, ManagerStanding>> {
  const pointing = people.flatMap((person) => {
    const currentId = currentManager(person);
    return currentId === null ? [] : [{ ...person, currentId }];
  });
  const accounts = await store.identitiesOf(pointing.map(({ currentId }) => currentId));
  const questions = pointing.map((person) => ({ ...person, current: accounts.get(person.currentId) }));
  const strangers = questions.filter(
    (question) =>
      isWithoutAccount(question) &&
      !(partial && question.current === undefined) &&
      !isManagers(question, settings, environment),
  );
  const managers = new Set(strangers.flatMap(({ candidate }) => candidate.manager?.objectId ?? []));
  const get = settings.missingManager === "keep" ? managers : await expected([...managers]);
  const missing = new Set(
    strangers
      .filter(
        ({ candidate, mapped }) =>
          !get.has(candidate.manager?.objectId ?? "") && mapped.reference?.onNull !== "keep",
      )
      .map(({ candidate }) => candidate.source.objectId),
  );
  const other = new Set(strangers.map(({ candidate }) => candidate.source.objectId));
  const standing = new Map(
    questions.map((question): [string, ManagerStanding] => {
      const { objectId } = question.candidate.source;
      const same = isWithoutAccount(question) && !other.has(objectId);
      const currentName = question.current?.userName ?? null;
      return [objectId, { currentName, same, clear: missing.has(objectId), ring: [] }];
    }),
  );
  if (settings.managerRings === "send") return standing;
  const open = new Map(
    people.flatMap((person): [string, Person][] => {
      const { objectId } = person.candidate.source;
      const { same } = standing.get(objectId) ?? noManager;
      return !same && isOpen(person) ? [[objectId, person]] : [];
    }),
  );
  for (const [objectId, ring] of await rings.of([...open.keys()])) {
    // Whom the account points to is certainly not the manager any more.
    const clear =
      settings.missingManager === "clear" && open.get(objectId)?.mapped.reference?.onNull !== "keep";
    standing.set(objectId, { ...(standing.get(objectId) ?? noManager), clear, ring });
  }
  return standing;
}

/** Whether the directory has a manager, and the account, linked or to be linked or made, another one or none. */
function isOpen({ candidate, mapped, account }: Person): boolean {
  const { manager, source } = candidate;
  if (mapped.reference === null || manager === null || manager.objectId === source.objectId) return false;
  if (manager.presence !== null && manager.presence !== "present") return false;
  return (
    account === null ||
    manager.latticeId === null ||
    !holds(account, mapped.reference.target, manager.latticeId)
  );
}

/** Lattice id of the manager whom the person's account, linked or to be linked, points to, where that matters. */
function currentManager({ candidate, mapped, account }: Person): string | null {
  if (mapped.reference === null || account === null) return null;
  const value = valueAt(account, mapped.reference.target);
  return typeof value === "string" && value !== candidate.manager?.latticeId ? value : null;
}

/** Whether the directory has a manager who is not linked to an account. One who was deleted is none. */
function isWithoutAccount({ candidate: { manager } }: Question): boolean {
  if (manager === null || manager.latticeId !== null) return false;
  return manager.presence === null || manager.presence === "present";
}

/** Whether nobody has the account that is pointed to, and the manager would be matched with it. */
function isManagers(
  { candidate: { manager }, current }: Question,
  { mapping }: Pick<CycleSettings, "mapping">,
  environment: Environment,
): boolean {
  if (current === undefined || manager === null || current.linkedTo !== null) return false;
  if (manager.source === null) return current.externalId === manager.objectId;
  const { userName, externalId } = identityOf(mapping, manager.source, environment);
  if (externalId !== null && current.externalId === externalId) return true;
  return userName !== null && sameAt("userName", current.userName, userName);
}
