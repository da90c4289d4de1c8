import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject } from "../domain/json.ts";

/** One row of the directory. */
export interface PersonRow {
  readonly seq: number;
  readonly id: string;
  readonly deleted: number;
  readonly manager_id: string | null;
  readonly properties: string;
}

export const personColumns = "seq, id, deleted, manager_id, properties";

/** Names that a user of Graph v1.0 has and that this directory keeps. "user resource type", Graph v1.0 reference. */
const keptProperties: ReadonlySet<string> = new Set([
  "id",
  "userPrincipalName",
  "accountEnabled",
  "displayName",
  "givenName",
  "surname",
  "mail",
  "mailNickname",
  "jobTitle",
  "department",
  "officeLocation",
  "businessPhones",
  "mobilePhone",
  "faxNumber",
  "employeeId",
  "employeeType",
  "employeeHireDate",
  "employeeLeaveDateTime",
  "employeeOrgData",
  "userType",
  "companyName",
  "city",
  "state",
  "country",
  "postalCode",
  "streetAddress",
  "preferredDataLocation",
  "preferredLanguage",
  "usageLocation",
  "onPremisesExtensionAttributes",
  "onPremisesSamAccountName",
  "onPremisesUserPrincipalName",
  "onPremisesImmutableId",
  "onPremisesDistinguishedName",
  "onPremisesDomainName",
  "onPremisesSecurityIdentifier",
  "onPremisesSyncEnabled",
  "onPremisesLastSyncDateTime",
  "otherMails",
  "proxyAddresses",
  "imAddresses",
  "ageGroup",
  "consentProvidedForMinor",
  "legalAgeGroupClassification",
  "creationType",
  "externalUserState",
  "externalUserStateChangeDateTime",
  "securityIdentifier",
  "showInAddressList",
  "lastPasswordChangeDateTime",
  "passwordPolicies",
  "isResourceAccount",
  "isManagementRestricted",
  "signInSessionsValidFromDateTime",
  "createdDateTime",
  "deletedDateTime",
]);

const directoryExtension = /^extension_[0-9a-f]{32}_\w+$/i;

/** Whether Graph knows this name on a user; directory extensions (`extension_<appId>_<name>`) count. */
export function isUserProperty(name: string): boolean {
  return keptProperties.has(name) || directoryExtension.test(name);
}

/** The Graph properties of a row. */
export function propertiesOf(row: PersonRow): JsonObject {
  const parsed: unknown = JSON.parse(row.properties);
  if (!isJsonObject(parsed)) throw new TypeError(`The sandbox's person ${row.id} is not a JSON object.`);
  return parsed;
}

/** Graph's answer for a property without a value: an empty list if it is a collection, otherwise null. */
export function emptyValue(name: string): Json {
  return collections.has(name) ? [] : null;
}

const collections: ReadonlySet<string> = new Set([
  "businessPhones",
  "otherMails",
  "proxyAddresses",
  "imAddresses",
]);
