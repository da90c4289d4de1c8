import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { UsageError } from "../../src/domain/errors.ts";
import { importSchema } from "../../src/mapping/import-schema.ts";
import { mappingOf } from "../cycle/workplace.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

interface Row {
  readonly target: string;
  readonly expression: string | null;
  readonly priority?: number;
  readonly flowType?: string;
  readonly defaultValue?: string;
}

/** An export as Entra makes it, with these attribute mappings. */
function exported(rows: readonly Row[], changes: object = {}): object {
  return {
    id: "scim.0f1e.demo",
    directories: [{ id: "d-1", name: "Azure Active Directory", objects: [] }],
    synchronizationRules: [
      {
        priority: 1,
        targetDirectoryName: "customappsso",
        objectMappings: [
          {
            name: "Provision Groups",
            enabled: false,
            flowTypes: "Add, Update, Delete",
            sourceObjectName: "Group",
            scope: null,
            attributeMappings: [],
          },
          {
            name: "Provision Users",
            enabled: true,
            flowTypes: "Add, Update",
            sourceObjectName: "User",
            scope: null,
            attributeMappings: rows.map(({ target, expression, priority, flowType, defaultValue }) => ({
              targetAttributeName: target,
              matchingPriority: priority ?? 0,
              flowType: flowType ?? "Always",
              flowBehavior: "FlowWhenChanged",
              defaultValue: defaultValue ?? null,
              source: expression === null ? null : { expression, type: "Function", name: "", parameters: [] },
            })),
            ...changes,
          },
        ],
      },
    ],
  };
}

const azureDefault: readonly Row[] = [
  { target: "userName", expression: "[userPrincipalName]", priority: 1 },
  { target: "externalId", expression: "[objectId]", priority: 2 },
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
  { target: `${enterprise}:employeeNumber`, expression: "[employeeId]" },
  { target: `${enterprise}:department`, expression: "[department]" },
  { target: `${enterprise}:manager`, expression: "[manager]" },
];

describe("the export of Azure's default mapping", () => {
  it("becomes the built-in default mapping, and the nine attributes that Lattice refuses are named", () => {
    const { config, notes } = importSchema(exported(azureDefault), "export.json");
    expect(config.mapping).toEqual(parse(readFileSync("config/default-mapping.yaml", "utf8")));
    expect(config.actions).toEqual({ create: true, update: true, deactivate: true });
    expect(config).not.toHaveProperty("entra");
    expect(notes).toHaveLength(9);
    for (const note of notes) expect(note).toMatch(/left out; Lattice does not take/);
    // Once more, and it is the same.
    expect(importSchema(exported(azureDefault), "export.json")).toEqual({ config, notes });
  });
});

describe("an export", () => {
  const name: Row = { target: "userName", expression: "ToLower([userPrincipalName])", priority: 1 };

  it("brings constants, defaults, create-only mappings and what is built of a tree alone", () => {
    const tree = {
      type: "Function",
      name: "Append",
      parameters: [
        { key: "source", value: { type: "Attribute", name: "mailNickname", parameters: [] } },
        { key: "suffix", value: { type: "Constant", name: '.a"b' } },
      ],
    };
    const file = exported([
      name,
      { target: "timezone", expression: '"Europe/Paris"', flowType: "ObjectAddOnly" },
      { target: "title", expression: "[jobTitle]", defaultValue: "None yet" },
      { target: "nickName", expression: null, defaultValue: "new" },
    ]);
    const text = JSON.stringify(file).replace(
      '"attributeMappings":[{"targetAttributeName":"userName"',
      `"attributeMappings":[{"targetAttributeName":"displayName","source":${JSON.stringify(tree)}},{"targetAttributeName":"userName"`,
    );
    const { config, notes } = importSchema(JSON.parse(text), "export.json");
    expect(config.mapping).toEqual([
      { target: "displayName", expression: 'Append([mailNickname], ".a\\"b")' },
      { target: "userName", expression: "ToLower([userPrincipalName])", matchingPrecedence: 1 },
      { target: "timezone", constant: "Europe/Paris", apply: "onCreate" },
      { target: "title", source: "jobTitle", default: "None yet" },
      { target: "nickName", constant: "new", apply: "onCreate" },
    ]);
    expect(notes).toEqual([]);
    expect(mappingOf(config.mapping).attributes).toHaveLength(5);
  });

  it("says of each thing that is not carried over why", () => {
    const rows: readonly Row[] = [
      name,
      { target: "title", expression: "SingleAppRoleAssignment([appRoleAssignments])" },
      { target: "displayName", expression: "[displayNam]" },
      { target: "name.givenName", expression: "[givenName]", flowType: "ValueAddOnly" },
      { target: 'emails[type eq "work"].value', expression: "[mail]", priority: 2 },
      { target: "timezone", expression: null },
    ];
    const { config, notes } = importSchema(exported(rows, { flowTypes: "Add, Delete" }), "export.json");
    expect(config.mapping.map(({ target }) => target)).toEqual([
      "userName",
      "name.givenName",
      'emails[type eq "work"].value',
    ]);
    expect(config.actions).toEqual({ create: true, update: false, deactivate: false });
    expect(notes).toEqual([
      expect.stringMatching(/^title: left out; .*roles of an application/),
      expect.stringMatching(/^displayName: left out; .*did you mean "displayName"/),
      expect.stringMatching(/^name\.givenName: carried over as always applied, ValueAddOnly/),
      expect.stringMatching(/^emails.*not for matching/),
      "timezone: left out; it has neither a source nor a default",
      expect.stringMatching(/^Delete: /),
    ]);
  });

  it("brings its scoping filters, or is refused where one cannot be kept", () => {
    const group = (...clauses: object[]) => ({ scope: { groups: [{ name: "Staff", clauses }] } });
    const clause = (operatorName: string, ...values: string[]) => ({
      sourceOperandName: "department",
      operatorName,
      targetOperand: { values },
    });
    const { config } = importSchema(
      exported([name], group(clause("EQUALS", "People Ops"), clause("IS NOT NULL"))),
      "export.json",
    );
    expect(config.entra).toEqual({
      scope: {
        filters: [
          {
            name: "Staff",
            clauses: [
              { attribute: "department", operator: "EQUALS", value: "People Ops" },
              { attribute: "department", operator: "IS NOT NULL" },
            ],
          },
        ],
      },
    });
    for (const changes of [
      group(clause("RESEMBLES", "x")),
      group(clause("EQUALS", "x", "y")),
      { scope: { inputFilterGroups: [{ name: "early" }] } },
    ]) {
      expect(() => importSchema(exported([name], changes), "export.json")).toThrow(/nothing was written/);
    }
  });

  it.each([[null], [[]], [{ value: [] }], [{ synchronizationRules: [] }], [{ synchronizationRules: "x" }]])(
    "that is none (%j) is refused",
    (json) => {
      expect(() => importSchema(json, "export.json")).toThrow(UsageError);
    },
  );
});
