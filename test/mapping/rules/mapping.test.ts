import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { SourceUser } from "../../../src/domain/source.ts";
import { mapUser, userNameKey } from "../../../src/mapping/rules/map-user.ts";
import { type Mapping, parseMapping } from "../../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../../src/mapping/rules/scoping-filter.ts";
import { fixedEnvironment } from "../environment.ts";

const environment = fixedEnvironment();
const someTime = { now: environment.now(), groups: new Set<string>() };

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const defaultRules: unknown = parse(readFileSync("config/default-mapping.yaml", "utf8"));

function mappingOf(rules: unknown, filters: unknown = [], guests = true): Mapping {
  return parseMapping(rules, {
    origin: "mapping.yaml",
    onNull: "clear",
    filters: parseScopingFilters(filters, { guests }),
  });
}

function person(attributes: JsonObject, more: Partial<SourceUser> = {}): SourceUser {
  return { objectId: "id-1", attributes, managerId: null, presence: "present", ...more };
}

function values(mapping: Mapping, user: SourceUser, member = true): Record<string, unknown> {
  return Object.fromEntries(
    mapUser(mapping, user, { member, environment }).values.map(({ mapping: { target }, value }) => [
      target,
      value,
    ]),
  );
}

describe("the default mapping", () => {
  it("is the one that Lattice documents, without the nine attributes that it removes", () => {
    const table = mappingOf(defaultRules).attributes.map(({ target, origin, matchingPrecedence }) => [
      target,
      origin,
      matchingPrecedence,
    ]);
    expect(table).toEqual([
      ["userName", "userPrincipalName", 1],
      ["externalId", "objectId", 2],
      ["active", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")', null],
      ["displayName", "displayName", null],
      ["title", "jobTitle", null],
      ['emails[type eq "work"].value', "mail", null],
      ["name.givenName", "givenName", null],
      ["name.familyName", "surname", null],
      ["name.formatted", 'Join(" ", [givenName], [surname])', null],
      ['phoneNumbers[type eq "work"].value', "telephoneNumber", null],
      [`${enterprise}:employeeNumber`, "employeeId", null],
      [`${enterprise}:department`, "department", null],
      [`${enterprise}:manager`, "manager", null],
    ]);
  });

  it("reads only what it needs", () => {
    expect([...mappingOf(defaultRules).select].sort()).toEqual([
      "accountEnabled",
      "businessPhones",
      "department",
      "displayName",
      "employeeId",
      "givenName",
      "id",
      "jobTitle",
      "mail",
      "manager",
      "surname",
      "userPrincipalName",
      "userType",
    ]);
  });

  it("maps a person", () => {
    const user = person({
      userPrincipalName: "kim@example.com",
      accountEnabled: true,
      givenName: "Kim",
      surname: "Example",
      businessPhones: ["+1-555-0100", "+1-555-0101"],
    });
    expect(values(mappingOf(defaultRules), user)).toEqual({
      userName: "kim@example.com",
      externalId: "id-1",
      active: true,
      displayName: null,
      title: null,
      'emails[type eq "work"].value': null,
      "name.givenName": "Kim",
      "name.familyName": "Example",
      "name.formatted": "Kim Example",
      'phoneNumbers[type eq "work"].value': "+1-555-0100",
      [`${enterprise}:employeeNumber`]: null,
      [`${enterprise}:department`]: null,
    });
  });

  it.each<[string, Partial<SourceUser>, boolean, JsonObject, boolean]>([
    ["in use and in scope", {}, true, { accountEnabled: true }, true],
    ["disabled", {}, true, { accountEnabled: false }, false],
    ["out of scope", {}, false, { accountEnabled: true }, false],
    ["in the recycle bin", { presence: "softDeleted" }, true, { accountEnabled: true }, false],
    ["of unknown state, which is no evidence", {}, true, {}, true],
  ])("computes active for a person %s", (_what, more, member, attributes, active) => {
    expect(mapUser(mappingOf(defaultRules), person(attributes, more), { member, environment }).active).toBe(
      active,
    );
  });

  it("gives a guest the address of the home organisation", () => {
    const user = person({ userPrincipalName: "kim_doe_partner.example#EXT#@tenant.onmicrosoft.com" });
    expect(mapUser(mappingOf(defaultRules), user, { member: true, environment }).userName).toBe(
      "kim_doe@partner.example",
    );
  });
});

describe("a mapping", () => {
  const base = [{ target: "userName", source: "userPrincipalName", matchingPrecedence: 1 }];

  it("accepts constants, extension attributes and custom attributes", () => {
    const custom = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:officeLocation";
    const mapping = mappingOf([
      ...base,
      { target: "timezone", constant: "Europe/Paris" },
      { target: custom, source: "physicalDeliveryOfficeName" },
      { target: "title", source: "extensionAttribute7" },
      { target: `${enterprise}:division`, source: "employeeOrgData.division" },
    ]);
    const user = person({
      officeLocation: "Upper floor",
      onPremisesExtensionAttributes: { extensionAttribute7: "Seven" },
      employeeOrgData: { division: "Retail", costCenter: null },
    });
    expect(values(mapping, user)).toMatchObject({
      timezone: "Europe/Paris",
      [custom]: "Upper floor",
      title: "Seven",
      [`${enterprise}:division`]: "Retail",
    });
    expect(values(mapping, person({ employeeOrgData: null }))).toMatchObject({
      [`${enterprise}:division`]: null,
    });
    expect(mapping.select).toContain("onPremisesExtensionAttributes");
    expect(mapping.select).toContain("employeeOrgData");
  });

  it("never sends externalId and nickName again", () => {
    const mapping = mappingOf([
      ...base,
      { target: "externalId", source: "objectId" },
      { target: "nickName", source: "givenName" },
    ]);
    expect(mapping.attributes.map(({ apply }) => apply)).toEqual(["always", "onCreate", "onCreate"]);
  });

  it.each<[string, object, RegExp]>([
    [
      "an unknown target",
      { target: "titel", source: "jobTitle" },
      /unknown target attribute "titel"; did you mean "title"\?/,
    ],
    [
      "the short name of a target",
      { target: "department", source: "department" },
      /did you mean "urn:ietf:params:scim:schemas:extension:enterprise:2\.0:User:department"\?/,
    ],
    [
      "a removed target",
      { target: "preferredLanguage", source: "preferredLanguage" },
      /Lattice does not accept "preferredLanguage"/,
    ],
    [
      "an unknown source",
      { target: "title", source: "jobTitel" },
      /unknown source attribute "jobTitel"; did you mean "jobTitle"\?/,
    ],
    [
      "two sources",
      { target: "title", source: "jobTitle", constant: "x" },
      /exactly one of source, constant, expression/,
    ],
    ["an unknown key", { target: "title", sauce: "jobTitle" }, /sauce/],
    ["a manager that is no reference", { target: "title", source: "manager" }, /"manager" is a reference/],
    ["a target that is mapped twice", { target: "userName", source: "mail" }, /userName is mapped twice/],
    [
      "matching by what cannot be searched",
      { target: "title", source: "jobTitle", matchingPrecedence: 3 },
      /only for userName and externalId/,
    ],
    [
      "an identity that depends on groups",
      { target: "externalId", expression: 'FirstMemberOf("A")' },
      /the source of externalId cannot depend on groups/,
    ],
    [
      "an owner of the identity",
      { target: "externalId", source: "objectId", owner: "lattice" },
      /remove "owner": externalId says whose account it is/,
    ],
    [
      "an owner of what is sent once",
      { target: "title", source: "jobTitle", apply: "onCreate", owner: "lattice" },
      /remove "owner": the attribute is sent when the account is created and never again/,
    ],
    [
      "a field of Lattice that would be cleared",
      { target: "title", source: "jobTitle", owner: "lattice", onNull: "clear" },
      /remove "onNull": with owner: lattice no value is cleared/,
    ],
    [
      "an unknown owner",
      { target: "title", source: "jobTitle", owner: "hr" },
      /"owner" must be one of entra, lattice, report/,
    ],
  ])("refuses %s", (_what, rule, message) => {
    expect(() => mappingOf([...base, rule])).toThrow(message);
  });

  it("changes its digest with every setting that changes a plan", () => {
    const digests = [
      mappingOf(base).digest,
      mappingOf([...base, { target: "title", source: "jobTitle" }]).digest,
      mappingOf([...base, { target: "title", source: "jobTitle", onNull: "keep" }]).digest,
    ];
    expect(new Set(digests).size).toBe(3);
  });
});

describe("scoping filters", () => {
  const filters = [
    {
      clauses: [
        { attribute: "department", operator: "EQUALS", value: "Sales" },
        { attribute: "employeeId", operator: "IS NOT NULL" },
      ],
    },
    { clauses: [{ attribute: "companyName", operator: "INCLUDES", value: "Example" }] },
  ];
  const rejects = (attributes: JsonObject): string | null =>
    parseScopingFilters(filters, { guests: true }).rejects(person(attributes), someTime);

  it("join clauses by AND and filters by OR", () => {
    expect(rejects({ department: "Sales", employeeId: "1" })).toBeNull();
    expect(rejects({ department: "Sales" })).not.toBeNull();
    expect(rejects({ companyName: "An Example company" })).toBeNull();
    expect(rejects({ department: "sales", employeeId: "1" })).toContain("companyName");
  });

  it("reject a person without the attribute, even if it must differ", () => {
    const differs = parseScopingFilters(
      [{ clauses: [{ attribute: "department", operator: "NOT EQUALS", value: "Sales" }] }],
      { guests: true },
    );
    expect(differs.rejects(person({}), someTime)).not.toBeNull();
    expect(differs.rejects(person({ department: "Finance" }), someTime)).toBeNull();
  });

  it("exclude guests unless they are allowed", () => {
    const guest = person({ userType: "Guest" });
    expect(parseScopingFilters([], { guests: false }).rejects(guest, someTime)).toBe(
      "guests are out of scope",
    );
    expect(parseScopingFilters([], { guests: true }).rejects(guest, someTime)).toBeNull();
  });

  it.each<[string, string | number | undefined, JsonObject[string], boolean]>([
    ["EQUALS", "Sales", "sales", false],
    ["NOT EQUALS", "Sales", "sales", true],
    ["IS TRUE", undefined, true, true],
    ["IS TRUE", undefined, false, false],
    ["is_false", undefined, false, true],
    ["IS NULL", undefined, "", true],
    ["IS NOT NULL", undefined, null, false],
    ["REGEX MATCH", "[1-9][0-9]", "10", true],
    ["REGEX MATCH", "[1-9][0-9]", "100", false],
    ["REGEX MATCH", ".*@example\\.com", "kim@Example.com", false],
    ["REGEX MATCH", "(?i).*@example\\.com", "kim@Example.com", true],
    ["NOT REGEX MATCH", "Con.*", "Contractor", false],
    ["NOT REGEX MATCH", "Con.*", null, false],
    ["Greater_Than", 5, "6", true],
    ["Greater_Than", "6", "6", false],
    ["GREATER_THAN_OR_EQUALS", 6, "6", true],
    ["GREATER_THAN", 5, "many", false],
    ["GREATER_THAN", 5, "12345678901234567890", true],
    ["Includes", "ale", "Sales", true],
    ["ENDS_WITH", "les", "Sales", true],
    ["&", 2, "6", true],
    ["&", 1, "6", false],
    ["!&", 1, "6", true],
    ["!&", 1, null, false],
  ])("%s %j of %j is %s", (operator, value, given, passes) => {
    const clause = { attribute: "employeeType", operator, ...(value === undefined ? {} : { value }) };
    const { rejects: verdict } = parseScopingFilters([{ clauses: [clause] }], { guests: true });
    expect(verdict(person({ employeeType: given }), someTime) === null).toBe(passes);
  });

  it("find a pattern anywhere in the value if configured", () => {
    const clause = { attribute: "department", operator: "REGEX MATCH", value: "ale", match: "anywhere" };
    const { rejects: verdict } = parseScopingFilters([{ clauses: [clause] }], { guests: true });
    expect(verdict(person({ department: "Sales" }), someTime)).toBeNull();
  });

  it.each<[object, RegExp]>([
    [{ operator: "REGEX MATCH", value: "(?!a)" }, /the operator REGEX MATCH on "department".*looking ahead/],
    [{ operator: "REGEX MATCH", value: "(" }, /regular expression "\(" cannot be used/],
    [
      { operator: "GREATER_THAN", value: "-1" },
      /GREATER_THAN on "department".*a whole number, 0 or more, not "-1"/,
    ],
    [{ operator: "EQUALS", value: "x", match: "whole" }, /takes no match/],
    [{ operator: "INCLUDES" }, /needs a value/],
    [
      { operator: "IS NULL", value: "Sales" },
      /IS NULL on "department".* takes no value: remove "value", or use EQUALS to compare with "Sales"$/,
    ],
    [
      { operator: "is_not_null", value: 7 },
      /takes no value: remove "value", or use NOT EQUALS to compare with 7$/,
    ],
    [{ operator: "IS TRUE", value: false }, /IS TRUE on "department".* takes no value: remove "value"$/],
    [{ operator: "IN THE PAST", value: 7 }, /takes no value: remove "value", or use WITHIN DAYS/],
  ])("%j are refused when the configuration is read", (clause, message) => {
    const filters = [{ clauses: [{ attribute: "department", ...clause }] }];
    expect(() => parseScopingFilters(filters, { guests: true })).toThrow(message);
  });

  it("accept an empty value with an operator that takes none, as the portal writes it", () => {
    const clause = { attribute: "department", operator: "IS NULL", value: "" };
    expect(parseScopingFilters([{ clauses: [clause] }], { guests: true }).steady).toBe(true);
  });

  it("name the nearest operator", () => {
    expect(() =>
      parseScopingFilters([{ clauses: [{ attribute: "department", operator: "EQUAL", value: "x" }] }], {
        guests: true,
      }),
    ).toThrow(/did you mean "EQUALS"/);
  });
});

describe("an attribute that cannot be computed for one person", () => {
  const rules = [
    { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
    { target: "title", expression: 'FormatDateTime([jobTitle], , "yyyy-MM-dd", "yyyy")' },
    { target: "nickName", expression: "IgnoreFlowIfNullOrEmpty([mailNickname])" },
    { target: `${enterprise}:department`, source: "department" },
  ];

  it("is not changed, with the reason; the others are mapped", () => {
    const mapping = mappingOf(rules);
    const user = person({ userPrincipalName: "kim@example.com", jobTitle: "Lead", department: "Sales" });
    expect(values(mapping, user)).toEqual({
      userName: "kim@example.com",
      [`${enterprise}:department`]: "Sales",
    });
    expect(mapUser(mapping, user, { member: true, environment }).problems).toEqual([
      {
        target: "title",
        reason: expect.stringContaining('must be a date in the format "yyyy-MM-dd", but is "Lead"'),
        // The form that a log may contain.
        rule: expect.not.stringContaining("Lead"),
      },
    ]);
  });

  it("causes the person to be skipped if it is the userName", () => {
    const mapping = mappingOf([
      { target: "userName", expression: "Left([mail], [employeeId])", matchingPrecedence: 1 },
    ]);
    const user = person({ mail: "kim@example.com" });
    expect(mapUser(mapping, user, { member: true, environment })).toMatchObject({
      userName: null,
      problems: [{ target: "userName" }],
    });
    expect(userNameKey(mapping, user, environment)).toBeNull();
  });

  it("that differs each time is refused unless it is for new accounts only", () => {
    const [userName] = rules;
    expect(() => mappingOf([userName, { target: "nickName", expression: "Guid()" }])).toThrow(
      /nickName.*Guid\(\) gives a different value each time: it needs apply: onCreate/,
    );
    const mapping = mappingOf([userName, { target: "nickName", expression: "Guid()", apply: "onCreate" }]);
    expect(mapping.attributes[1]).toMatchObject({ apply: "onCreate" });
  });
});
