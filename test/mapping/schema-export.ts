import { type Expression, parseExpression } from "../../src/mapping/language/expression.ts";
import { expressionFunctions } from "../../src/mapping/language/functions/table.ts";

// Makes provisioning schemas as Entra exports them: the same parts, thousands of lines, without anyone's names.

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** One attribute mapping of an export. */
export interface Row {
  readonly target: string;
  readonly expression: string | null;
  readonly priority?: number;
  readonly flowType?: string;
  readonly flowBehavior?: string;
  readonly defaultValue?: string | null;
}

/**
 * Entra's template of a custom SCIM application ("Default mapping of a custom SCIM app"), with what Lattice's set-up
 * article changes: externalId from objectId, the second to be matched by.
 */
export const defaultRows: readonly Row[] = [
  { target: "userName", expression: "[userPrincipalName]", priority: 1 },
  { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target: "displayName", expression: "[displayName]" },
  { target: "title", expression: "[jobTitle]" },
  { target: 'emails[type eq "work"].value', expression: "[mail]" },
  { target: "preferredLanguage", expression: "[preferredLanguage]" },
  { target: "name.givenName", expression: "[givenName]" },
  { target: "name.familyName", expression: "[surname]" },
  { target: "name.formatted", expression: 'Join(" ", [givenName], [surname])' },
  { target: 'addresses[type eq "work"].formatted', expression: "[physicalDeliveryOfficeName]" },
  { target: 'addresses[type eq "work"].streetAddress', expression: "[streetAddress]" },
  { target: 'addresses[type eq "work"].locality', expression: "[city]" },
  { target: 'addresses[type eq "work"].region', expression: "[state]" },
  { target: 'addresses[type eq "work"].postalCode', expression: "[postalCode]" },
  { target: 'addresses[type eq "work"].country', expression: "[country]" },
  { target: 'phoneNumbers[type eq "work"].value', expression: "[telephoneNumber]" },
  { target: 'phoneNumbers[type eq "mobile"].value', expression: "[mobile]" },
  { target: 'phoneNumbers[type eq "fax"].value', expression: "[facsimileTelephoneNumber]" },
  { target: "externalId", expression: "[objectId]", priority: 2 },
  { target: `${enterprise}:employeeNumber`, expression: "[employeeId]" },
  { target: `${enterprise}:department`, expression: "[department]" },
  { target: `${enterprise}:manager`, expression: "[manager]" },
];

/** Source attributes of the template that Lattice's set-up article removes. */
export const refusedSources: readonly string[] = [
  "preferredLanguage",
  "physicalDeliveryOfficeName",
  "streetAddress",
  "city",
  "state",
  "postalCode",
  "country",
  "mobile",
  "facsimileTelephoneNumber",
];

const groupRows: readonly Row[] = [
  { target: "displayName", expression: "[displayName]", priority: 1 },
  { target: "externalId", expression: "[objectId]" },
  { target: "members", expression: "[members]" },
];

interface Options {
  /** Changes to the mapping of users: `scope`, `flowTypes`, `enabled`. */
  readonly users?: object;
  /** Which form a source has. Default: both, as Entra writes it. */
  readonly sources?: "both" | "tree" | "text";
  /** Mappings in addition to those of users and groups, in the same rule. */
  readonly others?: readonly object[];
  /** Rules in addition to the one of users and groups. */
  readonly rules?: readonly object[];
}

/** A whole export with these mappings of users. */
export function schemaExport(rows: readonly Row[] = defaultRows, options: Options = {}): object {
  const mapped = (list: readonly Row[]) =>
    list.map((row) => attributeMapping(row, options.sources ?? "both"));
  return {
    "@odata.context": "https://graph.example.com/v1.0/$metadata#synchronizationSchema",
    id: "scim.0f1e.demo",
    version: "Date:2026-02-03T00:00:00.0000000Z, Sequence:1",
    synchronizationRules: [
      {
        id: "r-1",
        name: "USER_OUTBOUND_USER",
        priority: 1,
        editable: true,
        sourceDirectoryName: "Azure Active Directory",
        targetDirectoryName: "customappsso",
        metadata: [{ key: "IsSynchronizeAllSupported", value: "True" }],
        containerFilter: null,
        groupFilter: null,
        objectMappings: [
          {
            name: "Provision Azure Active Directory Groups",
            enabled: true,
            flowTypes: "Add, Update, Delete",
            sourceObjectName: "Group",
            targetObjectName: "urn:ietf:params:scim:schemas:core:2.0:Group",
            metadata: [],
            scope: null,
            attributeMappings: mapped(groupRows),
          },
          {
            name: "Provision Azure Active Directory Users",
            enabled: true,
            flowTypes: "Add, Update, Delete",
            sourceObjectName: "User",
            targetObjectName: enterprise,
            metadata: [
              { key: "IsSoftDeletionSupported", value: "True" },
              { key: "PropertyNameAccountEnabled", value: "active" },
              { key: "Disposition", value: "Normal" },
            ],
            scope: null,
            attributeMappings: mapped(rows),
            ...options.users,
          },
          ...(options.others ?? []),
        ],
      },
      ...(options.rules ?? []),
    ],
    directories: directories(),
  };
}

function attributeMapping(row: Row, sources: "both" | "tree" | "text"): object {
  return {
    defaultValue: row.defaultValue ?? null,
    exportMissingReferences: false,
    flowBehavior: row.flowBehavior ?? "FlowWhenChanged",
    flowType: row.flowType ?? "Always",
    matchingPriority: row.priority ?? 0,
    targetAttributeName: row.target,
    source: row.expression === null ? null : source(parseExpression(row.expression), row.expression, sources),
  };
}

function source(tree: Expression, text: string, sources: "both" | "tree" | "text"): object {
  if (sources === "text") return { expression: text, name: "", type: "Function", parameters: [] };
  return node(tree, sources === "both" ? text : null);
}

/** The tree as exports have it: numbers and texts as quoted constants, arguments by key. */
function node(tree: Expression, text: string | null): object {
  const written = text === null ? {} : { expression: text };
  switch (tree.kind) {
    case "attribute":
      return { ...written, name: tree.name, type: "Attribute", parameters: [] };
    case "constant":
      return {
        ...written,
        name: `"${String(tree.value).replaceAll(/[\\"]/g, "\\$&")}"`,
        type: "Constant",
        parameters: [],
      };
    case "call":
      return {
        ...written,
        name: tree.name,
        type: "Function",
        parameters: tree.arguments.flatMap((argument, index) =>
          argument.kind === "omitted"
            ? []
            : [{ key: keyOf(tree.name, index), value: node(argument, text === null ? null : "") }],
        ),
      };
    default:
      throw new Error(`no tree of an export has a ${tree.kind}`);
  }
}

const replaceKeys = [
  "source",
  "Find",
  "RegularExpression",
  "RegularExpressionGroupName",
  "Replacement",
  "ReplacementPropertyName",
  "Template",
];

function keyOf(name: string, index: number): string {
  if (name === "Replace") return replaceKeys[index] ?? "";
  const parameters = expressionFunctions.get(name)?.parameters ?? [];
  return (parameters[index] ?? parameters.at(-1))?.name ?? "";
}

/** Both ends with everything that they know: the greatest part of an export. */
function directories(): readonly object[] {
  const objects = (names: readonly string[], attributes: number) =>
    names.map((name) => ({
      name,
      metadata: [],
      attributes: Array.from({ length: attributes }, (_, index) => ({
        anchor: index === 0,
        caseExact: index % 3 === 0,
        defaultValue: null,
        flowNullValues: false,
        multivalued: index % 7 === 0,
        mutability: "ReadWrite",
        name: `${name.toLowerCase().replaceAll(/\W/g, "")}Attribute${index}`,
        required: index === 0,
        type: index % 5 === 0 ? "Boolean" : "String",
        apiExpressions: [],
        metadata: [{ key: "IsCustomerDefined", value: "False" }],
        referencedObjects: [],
      })),
    }));
  return [
    {
      id: "d-1",
      name: "Azure Active Directory",
      discoverabilities: "None",
      objects: objects(["User", "Group", "ServicePrincipal", "Device"], 60),
    },
    {
      id: "d-2",
      name: "customappsso",
      discoverabilities: "None",
      objects: objects([enterprise, "urn:ietf:params:scim:schemas:core:2.0:Group"], 50),
    },
  ];
}
