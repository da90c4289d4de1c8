import type { Json } from "../../src/domain/json.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import type { Manners } from "./manners.ts";
import type { Account } from "./world.ts";

/** Lattice has removed the manager from the account. */
export function withoutManager(account: Account): Account {
  const { [managerPath]: _, ...values } = account.values;
  return { ...account, values };
}

/** The values of an account in the form in which Lattice keeps them. */
export function keptAs(manners: Manners, account: Account): Account {
  const { title } = account.values;
  if (!manners.capitals || typeof title !== "string") return account;
  const values: { [path: string]: Json } = { ...account.values, title: title.toUpperCase() };
  return { ...account, values };
}
