import { closest } from "fastest-levenshtein";
import { MappingError, UsageError } from "../../domain/errors.ts";
import { isJsonObject, type Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import { fromJson, type Value } from "../language/value.ts";

/** Graph user properties that a mapping may read ("user resource type", Microsoft Graph v1.0). */
const graphProperties = [
  "accountEnabled",
  "ageGroup",
  "businessPhones",
  "city",
  "companyName",
  "consentProvidedForMinor",
  "country",
  "createdDateTime",
  "creationType",
  "department",
  "displayName",
  "employeeHireDate",
  "employeeId",
  "employeeLeaveDateTime",
  "employeeType",
  "externalUserState",
  "externalUserStateChangeDateTime",
  "faxNumber",
  "givenName",
  "id",
  "imAddresses",
  "isManagementRestricted",
  "isResourceAccount",
  "jobTitle",
  "lastPasswordChangeDateTime",
  "legalAgeGroupClassification",
  "mail",
  "mailNickname",
  "mobilePhone",
  "officeLocation",
  "onPremisesDistinguishedName",
  "onPremisesDomainName",
  "onPremisesImmutableId",
  "onPremisesLastSyncDateTime",
  "onPremisesSamAccountName",
  "onPremisesSecurityIdentifier",
  "onPremisesSyncEnabled",
  "onPremisesUserPrincipalName",
  "otherMails",
  "passwordPolicies",
  "postalCode",
  "preferredDataLocation",
  "preferredLanguage",
  "proxyAddresses",
  "securityIdentifier",
  "showInAddressList",
  "signInSessionsValidFromDateTime",
  "state",
  "streetAddress",
  "surname",
  "usageLocation",
  "userPrincipalName",
  "userType",
] as const;

/** Names of the older directory API, which Entra's provisioning still shows, with their Graph equivalents. */
const aliases: { readonly [name: string]: string } = {
  objectId: "id",
  telephoneNumber: "businessPhones[0]",
  mobile: "mobilePhone",
  facsimileTelephoneNumber: "faxNumber",
  physicalDeliveryOfficeName: "officeLocation",
  dirSyncEnabled: "onPremisesSyncEnabled",
  lastDirSyncTime: "onPremisesLastSyncDateTime",
  immutableId: "onPremisesImmutableId",
  sipProxyAddress: "imAddresses[0]",
  refreshTokensValidFromDateTime: "signInSessionsValidFromDateTime",
  userState: "externalUserState",
  userStateChangedOn: "externalUserStateChangeDateTime",
};

/** Properties of a user that a mapping cannot read, by the reason. */
const unreadable: ReadonlyMap<string, string> = new Map([
  ...reason(
    "Graph returns it only for one user at a time, and does not report changes of it",
    "aboutMe birthday hireDate interests mailboxSettings mySite pastProjects preferredName responsibilities schools skills",
  ),
  ...reason(
    "it is not a plain value, and its parts have no counterpart in Lattice",
    "assignedLicenses assignedPlans authorizationInfo cloudRealtimeCommunicationInfo identities licenseAssignmentStates onPremisesProvisioningErrors passwordProfile provisionedPlans serviceProvisioningErrors signInActivity",
  ),
  ...reason("Lattice documents no attribute for roles, and they are not read", "appRoleAssignments"),
  ...reason("pictures are not provisioned", "photo thumbnailPhoto"),
  ...reason(
    "name one of its parts, such as onPremisesExtensionAttributes.extensionAttribute1",
    "onPremisesExtensionAttributes",
  ),
  ...reason(
    "name one of its parts: employeeOrgData.division or employeeOrgData.costCenter",
    "employeeOrgData",
  ),
  ...reason(
    "name the set and the attribute, as in customSecurityAttributes.Engineering.Project",
    "customSecurityAttributes",
  ),
]);

function reason(text: string, names: string): [string, string][] {
  return names.split(" ").map((name) => [name, text]);
}

/** Attributes that no directory holds: they are computed for each person. */
const computed = ["IsSoftDeleted", "originalUserPrincipalName"];

export interface SourceAttribute {
  /** The Graph property to request; `null` for an attribute computed from data that is read anyway. */
  readonly property: string | null;
  /** The Graph properties that it is computed from, if that is not `property` alone. */
  readonly workedOutFrom?: readonly string[];
  /** A reference to another person (the manager) has no value of its own. */
  readonly reference: boolean;
  readonly read: (user: SourceUser, context: ReadContext) => Value;
}

export interface ReadContext {
  /** The person is assigned and passes the scoping filters. */
  readonly inScope: boolean;
  /** The person's manager as last read; absent if Entra's last known data does not include the manager. */
  readonly manager?: SourceUser | null;
}

/** A source attribute of the person or of the person's manager. */
export interface MappedAttribute extends SourceAttribute {
  /** `manager.*`: the property is read of another person. */
  readonly ofManager: boolean;
}

/** Read for every person, whatever the mapping: identity, lifecycle, and whether it is a guest. */
export const alwaysRead: readonly string[] = ["id", "userPrincipalName", "accountEnabled", "userType"];

/**
 * Finds what an attribute mapping may read: an attribute of the person, or, as `manager.mail`, of the manager.
 * @throws UsageError with the nearest known name
 */
export function mappedAttribute(name: string): MappedAttribute {
  if (!name.startsWith(managerPrefix)) return { ...sourceAttribute(name), ofManager: false };
  const attribute = sourceAttribute(name.slice(managerPrefix.length));
  if (attribute.property === null || attribute.reference) {
    throw new UsageError(
      `"${name}" cannot be mapped: only properties that Graph has can be mapped for the manager`,
    );
  }
  return { ...attribute, ofManager: true, read: (user, context) => ofManager(attribute, user, context) };
}

const managerPrefix = "manager.";

/** A deleted manager counts as none, as in a mapping of the manager as a reference. */
function ofManager(
  attribute: SourceAttribute,
  { managerId }: SourceUser,
  { manager = null }: ReadContext,
): Value {
  if (managerId === null) return null;
  // Unknown is not empty: nothing is cleared because of it.
  if (manager === null) throw new MappingError("the directory has not shown the manager yet");
  return manager.presence === "present" ? attribute.read(manager, { inScope: true }) : null;
}

/**
 * Finds an attribute of the person alone by its Graph name, its older name, or a directory extension's name.
 * @throws UsageError with the nearest known name
 */
export function sourceAttribute(name: string): SourceAttribute {
  if (name === "IsSoftDeleted") {
    return {
      property: null,
      workedOutFrom: ["accountEnabled"],
      reference: false,
      read: (user, context) => isSoftDeleted(user, context),
    };
  }
  if (name === "manager") return { property: "manager", reference: true, read: (user) => user.managerId };
  if (name === "originalUserPrincipalName") {
    return {
      property: null,
      workedOutFrom: ["userPrincipalName"],
      reference: false,
      read: (user) => fromJson(user.attributes.userPrincipalName),
    };
  }
  if (name === "userPrincipalName") {
    return { property: name, reference: false, read: (user) => normalisedUserPrincipalName(user) };
  }
  if (name === "id" || name === "objectId")
    return { property: "id", reference: false, read: (user) => user.objectId };

  if (name.startsWith(managerPrefix)) {
    throw new UsageError(`"${name}" can be mapped, but not used in scoping filters`);
  }
  const inBlock = blockOf(name);
  if (inBlock !== null) {
    const { property, keys } = inBlock;
    return { property, reference: false, read: (user) => fromJson(within(user.attributes[property], keys)) };
  }
  const why = unreadable.get(name);
  if (why !== undefined) throw new UsageError(`the source attribute "${name}" cannot be used: ${why}`);
  if (/^extension_[0-9a-f]{32}_\w+$/i.test(name)) return plain(name);

  const resolved = Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
  const indexed = /^(\w+)\[(\d+)\]$/.exec(resolved);
  const property = indexed?.[1] ?? resolved;
  if (!graphProperties.some((known) => known === property)) {
    const blocks = ["employeeOrgData.division", "employeeOrgData.costCenter", "extensionAttribute1"];
    const shown = name.slice(0, 100);
    const nearest = closest(shown, [
      ...graphProperties,
      ...Object.keys(aliases),
      ...blocks,
      ...computed,
      "manager",
      "manager.displayName",
    ]);
    throw new UsageError(`unknown source attribute "${shown}"; did you mean "${nearest}"?`);
  }
  if (indexed === null) return plain(property);
  const index = Number(indexed[2]);
  return {
    property,
    reference: false,
    read: (user) => {
      const list = fromJson(user.attributes[property]);
      return Array.isArray(list) ? (list[index] ?? null) : null;
    },
  };
}

/** Properties that Graph has inside another; extension attributes also by their name alone, as Entra shows them. */
function blockOf(name: string): { readonly property: string; readonly keys: readonly string[] } | null {
  const extension = /^(?:onPremisesExtensionAttributes\.)?(extensionAttribute(?:[1-9]|1[0-5]))$/.exec(
    name,
  )?.[1];
  if (extension !== undefined) return { property: "onPremisesExtensionAttributes", keys: [extension] };
  const organisation = /^employeeOrgData\.(division|costCenter)$/.exec(name)?.[1];
  if (organisation !== undefined) return { property: "employeeOrgData", keys: [organisation] };
  const [, set, attribute] = /^customSecurityAttributes\.(\w+)\.(\w+)$/.exec(name) ?? [];
  if (set === undefined || attribute === undefined) return null;
  return { property: "customSecurityAttributes", keys: [set, attribute] };
}

function within(value: Json | undefined, keys: readonly string[]): Json | undefined {
  let found = value;
  for (const key of keys) found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

function plain(property: string): SourceAttribute {
  return { property, reference: false, read: (user) => fromJson(user.attributes[property]) };
}

/**
 * Entra's computed attribute: the account is disabled, in the recycle bin or gone, or the person is not in scope.
 * A missing `accountEnabled` is not evidence of a disabled account.
 */
function isSoftDeleted(user: SourceUser, context: ReadContext): boolean {
  return user.presence !== "present" || user.attributes.accountEnabled === false || !context.inScope;
}

/**
 * A guest's user principal name without the mark and the tenant's domain, as Entra provisions it:
 * `kim_partner.example#EXT#@tenant.onmicrosoft.com` becomes `kim@partner.example` ("How provisioning works").
 */
function normalisedUserPrincipalName(user: SourceUser): Value {
  const name = fromJson(user.attributes.userPrincipalName);
  if (typeof name !== "string") return name;
  const mark = name.search(/#EXT#/i);
  if (mark < 0) return name;
  const local = name.slice(0, mark);
  const at = local.lastIndexOf("_");
  return at < 0 ? local : `${local.slice(0, at)}@${local.slice(at + 1)}`;
}
