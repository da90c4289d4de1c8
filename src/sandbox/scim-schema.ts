import type { JsonObject } from "../domain/json.ts";

export const coreURN = "urn:ietf:params:scim:schemas:core:2.0:User";
export const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const latticeURN = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";

/** Data types of Lattice's custom attributes. */
export type CustomAttributeType = "text" | "number" | "date";

/** One attribute of a schema (RFC 7643 section 7). */
export interface AttributeDefinition {
  readonly name: string;
  readonly type: "string" | "boolean" | "decimal" | "dateTime" | "reference" | "complex";
  readonly multiValued?: true;
  readonly required?: true;
  readonly caseExact?: true;
  readonly mutability?: "readOnly" | "immutable";
  readonly uniqueness?: "server";
  readonly subAttributes?: readonly AttributeDefinition[];
}

/** The schemas of an account: by URN, core first. */
export type AccountSchemas = ReadonlyMap<string, readonly AttributeDefinition[]>;

const text = (name: string): AttributeDefinition => ({ name, type: "string" });

const element: readonly AttributeDefinition[] = [
  text("value"),
  text("type"),
  text("display"),
  { name: "primary", type: "boolean" },
];

const core: readonly AttributeDefinition[] = [
  { name: "userName", type: "string", required: true, uniqueness: "server" },
  { name: "externalId", type: "string", caseExact: true, mutability: "immutable" },
  {
    name: "name",
    type: "complex",
    subAttributes: [
      "formatted",
      "familyName",
      "givenName",
      "middleName",
      "honorificPrefix",
      "honorificSuffix",
    ].map(text),
  },
  text("displayName"),
  text("nickName"),
  text("title"),
  text("timezone"),
  { name: "active", type: "boolean" },
  { name: "emails", type: "complex", multiValued: true, subAttributes: element },
  { name: "phoneNumbers", type: "complex", multiValued: true, subAttributes: element },
  { name: "photos", type: "complex", multiValued: true, mutability: "readOnly", subAttributes: element },
  { name: "groups", type: "complex", multiValued: true, mutability: "readOnly", subAttributes: element },
  { name: "profileUrl", type: "reference", mutability: "readOnly" },
];

const enterprise: readonly AttributeDefinition[] = [
  text("employeeNumber"),
  text("department"),
  {
    name: "manager",
    type: "complex",
    subAttributes: [
      text("value"),
      { name: "$ref", type: "reference", mutability: "readOnly" },
      { name: "displayName", type: "string", mutability: "readOnly" },
    ],
  },
];

const latticeOwn: readonly AttributeDefinition[] = [
  { name: "birthDate", type: "dateTime" },
  { name: "startDate", type: "dateTime" },
  text("gender"),
];

const typeOf = { text: "string", number: "decimal", date: "dateTime" } as const;

/** Lattice's schemas; custom attributes are given by their camelCase names. */
export function accountSchemas(custom: Readonly<Record<string, CustomAttributeType>>): AccountSchemas {
  const own = Object.entries(custom).map(
    ([name, type]): AttributeDefinition => ({ name, type: typeOf[type] }),
  );
  return new Map([
    [coreURN, core],
    [enterpriseURN, enterprise],
    [latticeURN, [...latticeOwn, ...own]],
  ]);
}

/** Finds an attribute by name; names are case-insensitive (RFC 7643 section 2.1). */
export function findAttribute(
  definitions: readonly AttributeDefinition[] | undefined,
  name: string,
): AttributeDefinition | undefined {
  const wanted = name.toLowerCase();
  return definitions?.find((definition) => definition.name.toLowerCase() === wanted);
}

/** Finds a schema's URN as it is written here; URNs are case-insensitive (RFC 7643 section 2.1, RFC 8141). */
export function findURN(schemas: AccountSchemas, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return [...schemas.keys()].find((urn) => urn.toLowerCase() === wanted);
}

/** The answer of `/Schemas` (RFC 7643 section 7). */
export function schemaResources(schemas: AccountSchemas, baseUrl: string): readonly JsonObject[] {
  const names: Readonly<Record<string, string>> = {
    [coreURN]: "User",
    [enterpriseURN]: "EnterpriseUser",
    [latticeURN]: "LatticeUser",
  };
  return [...schemas].map(([urn, attributes]) => ({
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
    id: urn,
    name: names[urn] ?? urn,
    attributes: attributes.map(describe),
    meta: { resourceType: "Schema", location: `${baseUrl}/Schemas/${urn}` },
  }));
}

/** The answer of `/ResourceTypes` (RFC 7643 section 6). */
export function userResourceType(baseUrl: string): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
    id: "User",
    name: "User",
    endpoint: "/Users",
    schema: coreURN,
    schemaExtensions: [
      { schema: enterpriseURN, required: false },
      { schema: latticeURN, required: false },
    ],
    meta: { resourceType: "ResourceType", location: `${baseUrl}/ResourceTypes/User` },
  };
}

/** The answer of `/ServiceProviderConfig` (RFC 7643 section 5). */
export function serviceProviderConfig(baseUrl: string, patch: boolean, maxPageSize: number): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    patch: { supported: patch },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: Math.max(200, maxPageSize) },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "API key",
        description: "A Lattice API key as bearer token",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${baseUrl}/ServiceProviderConfig` },
  };
}

function describe(attribute: AttributeDefinition): JsonObject {
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued ?? false,
    required: attribute.required ?? false,
    caseExact: attribute.caseExact ?? false,
    mutability: attribute.mutability ?? "readWrite",
    returned: "default",
    uniqueness: attribute.uniqueness ?? "none",
    ...(attribute.subAttributes === undefined
      ? {}
      : { subAttributes: attribute.subAttributes.map(describe) }),
  };
}
