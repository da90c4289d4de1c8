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

/** The manager whom a person's account points to now, in comparison with the manager in Entra. */
export interface ManagerStanding {
  /** The userName of the account that the person's account points to now. */
  readonly currentName: string | null;
  /** It is the account of the manager in Entra, although it is not linked yet. */
  readonly same: boolean;
  /** The manager is cleared: that account is not the manager's, who gets no account yet or is in a ring of managers. */
  readonly clear: boolean;
  /** A ring of people who are each other's managers, the person first; empty if there is none, or if rings are sent. */
  readonly ring: readonly Member[];
}

export const noManager: ManagerStanding = { currentName: null, same: false, clear: false, ring: [] };

interface PersonWithAccount {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
  /** The account that the person has or would be linked to; `null` if there is none, or if matching does not decide. */
  readonly account: ConfirmedTarget | null;
}

interface Question extends PersonWithAccount {
  readonly currentId: string;
  readonly current: AccountIdentity | undefined;
}

/**
 * Compares the manager in Lattice with the manager in Entra for each of these people.
 * @param expected which of these people have an account, or get one with the next plan
 * @returns by object id of the person; `noManager` stands for a person without an entry
 */
export async function managersOf(
  people: readonly PersonWithAccount[],
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
    /** Entra and Lattice were read for these people only. So the owner of an account that is not stored is unknown. */
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
    people.flatMap((person): [string, PersonWithAccount][] => {
      const { objectId } = person.candidate.source;
      const { same } = standing.get(objectId) ?? noManager;
      return !same && isOpen(person) ? [[objectId, person]] : [];
    }),
  );
  for (const [objectId, ring] of await rings.of([...open.keys()])) {
    // The person whom the account points to is certainly no longer the manager.
    const clear =
      settings.missingManager === "clear" && open.get(objectId)?.mapped.reference?.onNull !== "keep";
    standing.set(objectId, { ...(standing.get(objectId) ?? noManager), clear, ring });
  }
  return standing;
}

/** `true` if Entra has a manager whom the person's account does not have yet. The account may be one that will be created. */
function isOpen({ candidate, mapped, account }: PersonWithAccount): boolean {
  const { manager, source } = candidate;
  if (mapped.reference === null || manager === null || manager.objectId === source.objectId) return false;
  if (manager.presence !== null && manager.presence !== "present") return false;
  return (
    account === null ||
    manager.latticeId === null ||
    !holds(account, mapped.reference.target, manager.latticeId)
  );
}

/** Lattice id of the account that the person's account points to as the manager; `null` if it is right, or there is none. */
function currentManager({ candidate, mapped, account }: PersonWithAccount): string | null {
  if (mapped.reference === null || account === null) return null;
  const value = valueAt(account, mapped.reference.target);
  return typeof value === "string" && value !== candidate.manager?.latticeId ? value : null;
}

/** `true` if Entra has a manager who is not linked to an account. A deleted manager does not count. */
function isWithoutAccount({ candidate: { manager } }: Question): boolean {
  if (manager === null || manager.latticeId !== null) return false;
  return manager.presence === null || manager.presence === "present";
}

/** `true` if the account that is pointed to is linked to no person, and the manager in Entra would be matched with it. */
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
