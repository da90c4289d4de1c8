import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { DirectoryUser } from "../../src/sandbox/directory.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

// Works out what Lattice must hold without any of the product's mapping code.

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

export interface Comparison {
  readonly compared: number;
  /** `user name: attribute: is … must be …`. */
  readonly differences: readonly string[];
}

/** The place to look up accounts: the sandbox's Lattice, or another server's storage. */
export interface Accounts {
  byExternalId(externalId: string): JsonObject | undefined;
}

/** Compares every attribute of each person who is enabled, not a guest, and not skipped. */
export function compareEverybody(
  sandbox: Sandbox,
  leftAlone: ReadonlySet<string>,
  accounts: Accounts = sandbox.lattice,
): Comparison {
  const differences: string[] = [];
  let compared = 0;
  for (const person of sandbox.directory.users()) {
    const { properties } = person;
    if (properties.userType === "Guest" || leftAlone.has(person.id)) continue;
    const account = accounts.byExternalId(person.id);
    const active = properties.accountEnabled === true;
    if (account === undefined) {
      // A person who was disabled or deleted before there was an account never gets one.
      if (active) differences.push(`${String(properties.userPrincipalName)}: no account`);
      continue;
    }
    compared += 1;
    differences.push(...comparePerson(person, account, active, accounts));
  }
  return { compared, differences };
}

/** The differences in the account of a person in scope. */
export function comparePerson(
  person: DirectoryUser,
  account: JsonObject,
  active: boolean,
  accounts: Accounts,
): readonly string[] {
  const held = flatten(account);
  return Object.entries(expected(person, active, accounts)).flatMap(([attribute, value]) =>
    (held[attribute] ?? null) === value
      ? []
      : [
          `${String(person.properties.userPrincipalName)}: ${attribute}: is ${JSON.stringify(held[attribute])}, must be ${JSON.stringify(value)}`,
        ],
  );
}

function expected(
  { properties, managerId }: DirectoryUser,
  active: boolean,
  accounts: Accounts,
): Record<string, Json> {
  const text = (name: string): string | null => {
    const value = properties[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const phones = Array.isArray(properties.businessPhones) ? properties.businessPhones : [];
  const names = [text("givenName"), text("surname")].filter((part) => part !== null);
  // No person is their own manager.
  const managedBy = managerId === properties.id ? null : managerId;
  const manager = managedBy === null ? undefined : accounts.byExternalId(managedBy);
  return {
    userName: text("userPrincipalName"),
    active,
    displayName: text("displayName"),
    title: text("jobTitle"),
    "emails.work": text("mail"),
    "name.givenName": text("givenName"),
    "name.familyName": text("surname"),
    "name.formatted": names.length === 0 ? null : names.join(" "),
    "phoneNumbers.work": phones[0] ?? null,
    employeeNumber: text("employeeId"),
    department: text("department"),
    // Lattice removes a deactivated person as a report; the manager comes back with the reactivation.
    ...(!active || (managedBy !== null && manager === undefined) ? {} : { manager: manager?.id ?? null }),
  };
}

function flatten(account: JsonObject): Record<string, Json> {
  const extension = asObject(account[enterprise]);
  const name = asObject(account.name);
  return {
    userName: account.userName ?? null,
    active: account.active ?? null,
    displayName: account.displayName ?? null,
    title: account.title ?? null,
    "emails.work": work(account.emails),
    "name.givenName": name.givenName ?? null,
    "name.familyName": name.familyName ?? null,
    "name.formatted": name.formatted ?? null,
    "phoneNumbers.work": work(account.phoneNumbers),
    employeeNumber: extension.employeeNumber ?? null,
    department: extension.department ?? null,
    manager: asObject(extension.manager).value ?? null,
  };
}

function work(list: Json | undefined): Json {
  if (!Array.isArray(list)) return null;
  return asObject(list.find((item: Json) => asObject(item).type === "work")).value ?? null;
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
