import type { Json } from "../../domain/json.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { searchByExternalId } from "../reading/search.ts";

/** The person whose account is searched for. */
interface Sought {
  readonly objectId: string;
  readonly userName: string;
  readonly changes?: LoggedOperation["changes"];
}

/** The externalId of the person's account: the one that is sent, else the object id. */
export function externalIdOf({ objectId, changes }: Sought): Json {
  return changes?.find((change) => change.attribute === "externalId")?.after ?? objectId;
}

/** The account of a person by externalId, else by userName. @throws what the search throws */
export async function findAccount(context: CycleContext, person: Sought): Promise<TargetUser | null> {
  return (await findAccounts(context, person))[0] ?? null;
}

/** Accounts with the person's externalId first, then those with the userName. */
export async function findAccounts(context: CycleContext, person: Sought): Promise<readonly TargetUser[]> {
  const externalId = externalIdOf(person);
  return context.host.reading(person.objectId, async () => {
    const byId = typeof externalId === "string" ? await searchByExternalId(context, externalId) : [];
    const byName = await context.target.find("userName", person.userName, context.signal);
    const known = new Set(byId.map(({ latticeId }) => latticeId));
    return [...byId, ...byName.filter(({ latticeId }) => !known.has(latticeId))];
  });
}
