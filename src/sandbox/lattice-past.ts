import type { JsonObject } from "../domain/json.ts";
import type { Directory, DirectoryUser } from "./directory.ts";
import type { LatticeAdmin } from "./lattice-admin.ts";
import { enterpriseURN } from "./scim-schema.ts";

/** The external id that a former HR system left on one account: a conflict, not a match. */
export const foreignExternalId = "former-hris-00042";

const byHand = 5;

/**
 * The accounts that a company made by hand before any synchronisation: some people (without externalId, with
 * outdated values; one of them switched off), one person whose externalId is a former system's, two strangers.
 */
export function seedLatticePast(lattice: LatticeAdmin, directory: Directory): void {
  const people: DirectoryUser[] = [];
  for (const user of directory.users()) {
    if (user.properties.accountEnabled === true && user.properties.userType === "Member") people.push(user);
    if (people.length > byHand) break;
  }
  for (const [index, user] of people.entries()) {
    const conflict = index === byHand ? { externalId: foreignExternalId } : {};
    lattice.create({ ...accountByHand(user), ...conflict, active: index !== byHand - 1 });
  }
  lattice.create(stranger("board.adviser@example.com", "Board Adviser"));
  lattice.create(stranger("survey.archive@example.com", "Survey Archive"));
}

function accountByHand({ properties }: DirectoryUser): JsonObject {
  const userName = String(properties.userPrincipalName);
  return {
    userName,
    displayName: String(properties.displayName),
    name: { givenName: String(properties.givenName), familyName: String(properties.surname) },
    title: "To be filled in",
    emails: [{ value: userName, type: "work", primary: true }],
    [enterpriseURN]: { department: "Unsorted" },
  };
}

function stranger(userName: string, displayName: string): JsonObject {
  return { userName, displayName, active: true, emails: [{ value: userName, type: "work", primary: true }] };
}
