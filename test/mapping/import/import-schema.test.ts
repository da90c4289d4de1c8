import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { UsageError } from "../../../src/domain/errors.ts";
import { type Imported, importSchema } from "../../../src/mapping/import/import-schema.ts";
import { mappingOf } from "../../cycle/workplace.ts";
import { defaultRows, type Row, refusedSources, schemaExport } from "../schema-export.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const name: Row = { target: "userName", expression: "ToLower([userPrincipalName])", priority: 1 };

function imported(rows?: readonly Row[], options?: Parameters<typeof schemaExport>[1]): Imported {
  return importSchema(schemaExport(rows, options), "export.json");
}

/** The notes about single attributes. About groups and Delete, each generated export has the same notes. */
function attributeNotes({ notes }: Imported): readonly string[] {
  return notes.filter((note) => !/^(Provision |Delete: )/.test(note));
}

describe("the export of Azure's default mapping", () => {
  const builtIn = mappingOf();

  it.each(["both", "tree", "text"] as const)("becomes the built-in mapping (sources: %s)", (sources) => {
    const { config } = imported(defaultRows, { sources });
    const mapping = mappingOf(config.mapping);
    const plain = ({ attributes, ...rest }: typeof mapping) => ({
      ...rest,
      digest: null,
      filters: null,
      attributes: [...attributes]
        .map(({ evaluate: _, ...attribute }) =>
          // Functions differ each time; their origins are compared.
          JSON.parse(JSON.stringify(attribute)),
        )
        .sort((left, right) => (left.target < right.target ? -1 : 1)),
      paths: [...rest.paths].sort(),
      select: [...rest.select].sort(),
    });
    expect(plain(mapping)).toEqual(plain(builtIn));
    const byTarget = (rules: readonly { readonly target: string }[]) =>
      [...rules].sort((left, right) => (left.target < right.target ? -1 : 1));
    const written: { target: string }[] = parse(readFileSync("config/default-mapping.yaml", "utf8"));
    expect(byTarget(config.mapping)).toEqual(byTarget(written));
    expect(config.actions).toEqual({ create: true, update: true, deactivate: true });
    expect(config).not.toHaveProperty("entra");
  });

  it("is large, and gives the same each time", () => {
    expect(JSON.stringify(schemaExport(), null, 2).split("\n").length).toBeGreaterThan(5000);
    expect(imported()).toEqual(imported());
  });

  it("leaves out the nine attributes that Lattice refuses, and names each", () => {
    const refused = imported().notes.filter((note) => note.includes("left out; Lattice does not accept"));
    expect(refused.map((note) => /\(from (\w+)\)/.exec(note)?.[1])).toEqual(refusedSources);
    expect(imported().notes.filter((note) => !refused.includes(note))).toEqual([
      "Provision Azure Active Directory Groups: left out, Lattice accepts only users",
      "externalId: imported for new accounts only, because Lattice never changes it afterwards",
      "Delete: Lattice accounts are never deleted; the accounts of people who have left are deactivated",
    ]);
  });

  it.each([
    ["in capitals", (target: string) => target.toUpperCase()],
    [
      "with the URN of the core",
      (target: string) =>
        target.startsWith("urn:") ? target : `urn:ietf:params:scim:schemas:core:2.0:User:${target}`,
    ],
    ["with a dot after the extension", (target: string) => target.replace(/User:(?=\w+$)/, "User.")],
    ["with spaces", (target: string) => target.replaceAll("[", "[ ").replaceAll("]", " ]")],
    ["with the manager's value", (target: string) => target.replace(/:manager$/, ":manager.value")],
  ])("is recognised if its targets are written %s", (_, spell) => {
    const rows = defaultRows.map((row) => ({ ...row, target: spell(row.target) }));
    expect(imported(rows)).toEqual(imported());
  });

  it("is recognised in the form of PowerShell's own module", () => {
    const capitals = (json: unknown): unknown =>
      Array.isArray(json)
        ? json.map(capitals)
        : typeof json === "object" && json !== null
          ? Object.fromEntries(
              Object.entries(json).map(([key, value]) => [
                key.charAt(0).toUpperCase() + key.slice(1),
                capitals(value),
              ]),
            )
          : json;
    expect(importSchema(capitals(schemaExport()), "export.json")).toEqual(imported());
  });
});

describe("an attribute mapping of an export", () => {
  it("has its types of custom attributes imported", () => {
    const lattice = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";
    const types = { level: "Integer", since: "DateTime", remote: "Boolean", office: "String" };
    const attributes = Object.entries(types).map(([own, type]) => ({ name: `${lattice}:${own}`, type }));
    const rows = attributes.map((row) => ({ target: row.name, expression: "[employeeId]" }));
    const file = {
      ...schemaExport([name, ...rows]),
      directories: [
        // For the source, which is not queried.
        {
          name: "Azure Active Directory",
          objects: [{ attributes: [{ name: `${lattice}:office`, type: "Integer" }] }],
        },
        { name: "customappsso", objects: [{ name: "User", attributes }] },
      ],
    };
    const { config } = importSchema(file, "export.json");
    expect(config.mapping.slice(1).map(({ type }) => type)).toEqual(["number", "date", "boolean", undefined]);
    expect(mappingOf(config.mapping).attributes.map(({ type }) => type)).toContain("number");
  });

  it("has its constants, defaults and create-only mappings imported", () => {
    const result = imported([
      name,
      { target: "timezone", expression: '"Europe/Paris"', flowType: "ObjectAddOnly" },
      { target: "title", expression: "[jobTitle]", defaultValue: "None yet" },
      { target: "nickName", expression: null, defaultValue: "new" },
    ]);
    expect(result.config.mapping).toEqual([
      { target: "userName", expression: "ToLower([userPrincipalName])", matchingPrecedence: 1 },
      { target: "timezone", constant: "Europe/Paris", apply: "onCreate" },
      { target: "title", source: "jobTitle", default: "None yet" },
      { target: "nickName", constant: "new", apply: "onCreate" },
    ]);
    expect(attributeNotes(result)).toEqual([]);
    expect(mappingOf(result.config.mapping).attributes).toHaveLength(4);
  });

  it.each([
    ['Append([mailNickname], ".a\\"b\\\\c")'],
    ['Switch([department], , "a", "1", "b", "2")'],
    ['Switch([department], "none", "a", "1", "b", "2")'],
    ['Mid([displayName], "1", "3")'],
    ['Join("", "1000", [employeeId])'],
    ['Replace([displayName], , "\\\\d+", , "", , )', 'Replace([displayName], , "\\\\d+", , "")'],
    [
      'Replace([mail], , "(?<d>@.*)", "d", , [userPrincipalName], )',
      'Replace([mail], , "(?<d>@.*)", "d", , [userPrincipalName])',
    ],
    ['FormatDateTime([employeeHireDate], , "yyyy-MM-dd", "dd.MM.yyyy")'],
    ["Coalesce([mail], [userPrincipalName])"],
    [
      'ToLower(NormalizeDiacritics(Left([givenName], "1")), )',
      'ToLower(NormalizeDiacritics(Left([givenName], "1")))',
    ],
  ])("is read from its tree if the text is missing: %s", (expression, written = expression) => {
    const { config } = imported([name, { target: "displayName", expression }], { sources: "tree" });
    expect(config.mapping[1]).toEqual({ target: "displayName", expression: written });
  });

  it("may have a tree that has bare constants and an empty text", () => {
    const source = {
      expression: "",
      type: "Function",
      name: "Left",
      parameters: [
        { key: "string", value: { type: "Attribute", name: "displayName" } },
        { key: "n", value: { type: "Constant", name: "3" } },
      ],
    };
    const attributeMappings = [
      { targetAttributeName: "userName", matchingPriority: 1, source: { expression: "[mail]" } },
      { targetAttributeName: "displayName", source },
    ];
    const { config } = imported([], { users: { attributeMappings } });
    expect(config.mapping[1]).toEqual({ target: "displayName", expression: 'Left([displayName], "3")' });
  });

  it("keeps its place in matching, whatever the order in the export", () => {
    const { config } = imported([
      { target: "externalId", expression: "[objectId]", priority: 1 },
      { ...name, priority: 3 },
    ]);
    expect(mappingOf(config.mapping).matching).toEqual(["externalId", "userName"]);
  });

  it("is reported with the reason if it is not imported, or not unchanged", () => {
    const result = imported([
      name,
      { target: "title", expression: "SingleAppRoleAssignment([appRoleAssignments])" },
      { target: "displayName", expression: "[displayNam]" },
      { target: "name.givenName", expression: "[givenName]", flowType: "ValueAddOnly" },
      { target: "name.familyName", expression: "[surname]", flowBehavior: "FlowAlways" },
      { target: 'emails[type eq "work"].value', expression: "[mail]", priority: 2 },
      { target: "timezone", expression: null },
      { target: "USERNAME", expression: "[mail]" },
      { target: 'roles[primary eq "True"].value', expression: '"x"' },
      {
        target: "urn:ietf:params:scim:schemas:extension:Own:2.0:User:shoe",
        expression: "[extensionAttribute1]",
      },
      {
        target: `${enterprise}:division`,
        expression: 'Append("a", "b")',
      },
      { target: `${enterprise}:costCenter`, expression: "Guid()" },
    ]);
    expect(result.config.mapping.map(({ target }) => target)).toEqual([
      "userName",
      "name.givenName",
      "name.familyName",
      'emails[type eq "work"].value',
      `${enterprise}:division`,
    ]);
    expect(attributeNotes(result)).toEqual([
      expect.stringMatching(/^title: left out; .*does not read application roles/),
      expect.stringMatching(/^displayName \(from displayNam\): left out; .*did you mean "displayName"/),
      expect.stringMatching(/^name\.givenName: imported as always applied; ValueAddOnly/),
      expect.stringMatching(/^name\.familyName: imported; .*FlowAlways/),
      expect.stringMatching(/^emails.*not for matching/),
      "timezone: left out; it has neither a source nor a default",
      "userName: its second mapping is left out; an attribute can have only one",
      expect.stringMatching(/^roles.*: left out; unknown target attribute/),
      expect.stringMatching(/^urn.*Own.*: left out; unknown target attribute/),
      expect.stringMatching(/^urn.*costCenter: left out; Guid\(\) gives a different value each time/),
    ]);
    expect(() => mappingOf(result.config.mapping)).not.toThrow();
  });

  it("uses the userName for matching if Entra matches by an attribute that Lattice cannot search", () => {
    const result = imported([
      { target: "userName", expression: "[userPrincipalName]" },
      { target: 'emails[type eq "work"].value', expression: "[mail]", priority: 1 },
    ]);
    expect(mappingOf(result.config.mapping).matching).toEqual(["userName"]);
    expect(result.notes).toContainEqual(expect.stringMatching(/^matching: .*userName is used/));
  });

  it("must exist for the userName", () => {
    expect(() => imported([{ target: "userName", expression: "[nobody]", priority: 1 }])).toThrow(
      /nothing usable is mapped to userName.*Nothing was written\nuserName \(from nobody\): left out/,
    );
  });
});

describe("target object actions of an export", () => {
  it.each([
    ["Add, Update, Delete", { create: true, update: true, deactivate: true }],
    ["Add, Update", { create: true, update: true, deactivate: true }],
    ["add,update", { create: true, update: true, deactivate: true }],
    ["Update", { create: false, update: true, deactivate: true }],
    // To Entra, a deactivation is an update.
    ["Add, Delete", { create: true, update: false, deactivate: false }],
    ["Add", { create: true, update: false, deactivate: false }],
    ["None", { create: false, update: false, deactivate: false }],
    ["", { create: false, update: false, deactivate: false }],
    [null, { create: true, update: true, deactivate: true }],
  ])("%j", (flowTypes, actions) => {
    const { config, notes } = imported([name], { users: { flowTypes } });
    expect(config.actions).toEqual(actions);
    expect(notes.some((note) => note.startsWith("Update is off"))).toBe(!actions.update);
  });

  it("are all off if the mapping of users is disabled", () => {
    const { config, notes } = imported([name], { users: { enabled: false } });
    expect(config.actions).toEqual({ create: false, update: false, deactivate: false });
    expect(notes).toContainEqual(expect.stringMatching(/Users: it is disabled in Entra/));
  });

  it("are named if they are unknown", () => {
    expect(imported([name], { users: { flowTypes: "Add, Update, Polish" } }).notes).toContain(
      "Polish: left out; this target object action is not known",
    );
  });
});

describe("several mappings of an export", () => {
  const users = (label: string, changes: object = {}) => ({
    name: label,
    enabled: true,
    flowTypes: "Add",
    sourceObjectName: "User",
    attributeMappings: [
      { targetAttributeName: "userName", matchingPriority: 1, source: { expression: "[mail]" } },
    ],
    ...changes,
  });

  it("are chosen by the priority of their rule, enabled ones first; each omitted one is named", () => {
    const { config, notes } = imported([name], {
      others: [users("Provision Users Again"), users("Off", { enabled: false })],
      rules: [
        { priority: 0, objectMappings: [users("First, but off", { enabled: false })] },
        {
          priority: 0,
          targetDirectoryName: "Azure Active Directory",
          objectMappings: [users("Import Users")],
        },
      ],
    });
    expect(config.mapping).toEqual([
      { target: "userName", expression: "ToLower([userPrincipalName])", matchingPrecedence: 1 },
    ]);
    expect(notes.filter((note) => !note.startsWith("Delete"))).toEqual([
      "First, but off: left out, only one mapping of users is imported (it is disabled in Entra)",
      "Import Users: left out, it writes into Entra",
      "Provision Azure Active Directory Groups: left out, Lattice accepts only users",
      "Provision Users Again: left out, only one mapping of users is imported",
      "Off: left out, only one mapping of users is imported (it is disabled in Entra)",
    ]);
  });
});

describe("scoping filters of an export", () => {
  const group = (...clauses: object[]) => ({ users: { scope: { groups: [{ name: "Staff", clauses }] } } });
  const clause = (operatorName: string, ...values: (string | number)[]) => ({
    sourceOperandName: "department",
    operatorName,
    targetOperand: { values },
  });

  it("are imported, with groups as filters", () => {
    const { config } = imported([name], {
      users: {
        scope: {
          groups: [
            { name: "Staff", clauses: [clause("EQUALS", "People Ops"), clause("IS NOT NULL")] },
            { name: null, clauses: [clause("IS_NULL", "")] },
          ],
          inputFilterGroups: [],
          categoryFilterGroups: null,
        },
      },
    });
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
          { clauses: [{ attribute: "department", operator: "IS_NULL" }] },
        ],
      },
    });
  });

  it.each([
    ["NOT EQUALS", "NOT_EQUALS"],
    ["Greater_Than", "GREATER_THAN", "greater than"],
    ["Greater_Than_OR_EQUALS", "GREATER_THAN_OR_EQUALS"],
    ["Includes", "INCLUDES"],
    ["ENDS_WITH", "ENDS WITH"],
    ["REGEX MATCH", "REGEX_MATCH"],
    ["NOT REGEX MATCH"],
    ["&"],
    ["!&"],
  ])("may spell %s in either way", (...spellings) => {
    for (const operator of spellings) {
      const { config } = imported([name], group(clause(operator, "7")));
      expect(() => mappingOf(config.mapping, config.entra?.scope.filters)).not.toThrow();
    }
  });

  it("stop the import if one cannot be converted; all such filters are named", () => {
    expect(() =>
      imported([name], group(clause("RESEMBLES", "x"), clause("EQUALS", "x", "y"), clause("EQUALS"))),
    ).toThrow(
      /RESEMBLES.*Nothing was written\n.*compares with 2 values.*Nothing was written\n.*needs a value.*Nothing was written$/,
    );
    for (const users of [
      { scope: { inputFilterGroups: [{ name: "early" }] } },
      { scope: { categoryFilterGroups: [{ name: "kind" }] } },
      { scope: { groups: [{ name: "empty", clauses: [] }] } },
    ]) {
      expect(() => imported([name], { users })).toThrow(/Nothing was written/);
    }
  });

  it.each([[{ scope: null }], [{ scope: { groups: null } }], [{ scope: { groups: [] } }]])(
    "are empty in %j",
    (users) => {
      expect(imported([name], { users }).config).not.toHaveProperty("entra");
    },
  );
});

describe("a file that is not an export", () => {
  it.each([[null], [[]], [{ value: [] }], [{ synchronizationRules: [] }], [{ synchronizationRules: "x" }]])(
    "is refused: %j",
    (json) => {
      expect(() => importSchema(json, "export.json")).toThrow(UsageError);
    },
  );

  it("is distinguished from one that ConvertTo-Json cut off", () => {
    const cut = { synchronizationRules: [{ objectMappings: ["@{name=Provision Users; enabled=True}"] }] };
    expect(() => importSchema(cut, "export.json")).toThrow(/-Depth 100/);
  });
});
