import { isRecordFailure } from "../../domain/errors.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { searchByExternalId } from "../reading/search.ts";
import type { PlannedPerson } from "./planned-person.ts";

/** The result of the look-up before accounts are created. */
export interface LookedUpFirst {
  /** People for whom an account was found: it is stored now, and they are planned again. */
  readonly found: ReadonlySet<string>;
  /** People whose search failed, and why: no account is created for them now. */
  readonly unknown: ReadonlyMap<string, string>;
}

/**
 * If a listing was incomplete, a person who is not in it may still have an account. So an account is searched for before one
 * is created, and no person gets a second account.
 */
export async function lookUpFirst(
  context: CycleContext,
  people: readonly PlannedPerson[],
): Promise<LookedUpFirst> {
  const found = new Set<string>();
  const unknown = new Map<string, string>();
  for (const person of people) {
    const { plan, candidate } = person;
    if (plan.kind !== "operation" || plan.operation.action !== "create") continue;
    const { objectId } = candidate.source;
    try {
      const accounts = await context.host.reading(objectId, () => accountsOf(context, person));
      if (accounts.length === 0) continue;
      await keepAccounts(context, accounts);
      found.add(objectId);
    } catch (error) {
      if (!isRecordFailure(error)) throw error;
      unknown.set(objectId, error.message);
    }
  }
  return { found, unknown };
}

async function accountsOf(
  context: CycleContext,
  { mapped, candidate }: PlannedPerson,
): Promise<readonly TargetUser[]> {
  const { target, signal } = context;
  const { externalId, userName } = mapped;
  const byName = userName === null ? [] : await target.find("userName", userName, signal);
  return [...(await searchByExternalId(context, externalId ?? candidate.source.objectId)), ...byName];
}
