import { isJsonObject } from "../domain/json.ts";
import type { Account, Accounts } from "./accounts.ts";
import { type AccountDocument, managerOf, ScimRefusal } from "./scim-document.ts";
import { enterpriseURN } from "./scim-schema.ts";

/** The embedded Lattice's side effects. None is documented for SCIM, so each one is a switch. */
export interface Lifecycle {
  /**
   * A deactivation removes the person as manager of every report and as a report of their manager, as when an administrator
   * deactivates (Lattice help, article 360061313993); a reactivation restores none of it.
   */
  readonly deactivationCascades: boolean;
  /** The treatment of a manager whose account is deactivated. */
  readonly inactiveManager: "accept" | "drop" | "refuse";
  /** Each new account gets an invitation by mail. */
  readonly autoInvite: boolean;
}

/** Writes accounts, with the side effects. */
export interface AccountWriter {
  /** @throws ScimRefusal */
  create(document: AccountDocument): Account;
  /** @throws ScimRefusal */
  change(account: Account, document: AccountDocument): Account;
  /** User names of those who were invited, in order. */
  readonly invitations: readonly string[];
}

export function accountWriter(accounts: Accounts, lifecycle: Lifecycle): AccountWriter {
  const invitations: string[] = [];
  const judged = (document: AccountDocument, before: string | null): AccountDocument => {
    const manager = managerOf(document);
    if (manager === null || manager === before) return document;
    if (accounts.get(manager)?.document.active !== false) return document;
    if (lifecycle.inactiveManager === "refuse") {
      throw new ScimRefusal(400, "invalidValue", `manager.value must be an active user: ${manager} is not.`);
    }
    return lifecycle.inactiveManager === "drop" ? withoutManager(document) : document;
  };
  return {
    create: (document) => {
      const account = accounts.insert(judged(document, null));
      if (lifecycle.autoInvite && document.active !== false) invitations.push(String(document.userName));
      return account;
    },
    change: (account, document) => {
      const wanted = judged(document, managerOf(account.document));
      const leaves = account.document.active !== false && wanted.active === false;
      if (!leaves || !lifecycle.deactivationCascades) return accounts.replace(account, wanted);
      const saved = accounts.replace(account, withoutManager(wanted));
      accounts.releaseReports(account.id);
      return saved;
    },
    invitations,
  };
}

function withoutManager(document: AccountDocument): AccountDocument {
  const enterprise = document[enterpriseURN];
  if (!isJsonObject(enterprise)) return document;
  const { manager: _, ...rest } = enterprise;
  return { ...document, [enterpriseURN]: rest };
}
