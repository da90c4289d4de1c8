import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { SourceUser } from "../../../src/domain/source.ts";
import { mapUser } from "../../../src/mapping/rules/map-user.ts";
import { mappingOf } from "../../cycle/workplace.ts";
import { fixedEnvironment } from "../environment.ts";

const environment = fixedEnvironment();
const userName = { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 };

function person(attributes: JsonObject, more: Partial<SourceUser> = {}): SourceUser {
  const all = { userPrincipalName: "kim@example.com", ...attributes };
  return { objectId: "id-1", attributes: all, managerId: null, presence: "present", ...more };
}

function title(source: object, user: SourceUser, manager?: SourceUser | null) {
  const { values, problems } = mapUser(mappingOf([userName, { target: "title", ...source }]), user, {
    member: true,
    environment,
    ...(manager === undefined ? {} : { manager }),
  });
  return values.find(({ mapping }) => mapping.target === "title")?.value ?? problems[0]?.rule ?? null;
}

describe("a source attribute", () => {
  it.each<[string, JsonObject]>([
    ["telephoneNumber", { businessPhones: ["found"] }],
    ["mobile", { mobilePhone: "found" }],
    ["physicalDeliveryOfficeName", { officeLocation: "found" }],
    ["facsimileTelephoneNumber", { faxNumber: "found" }],
    ["immutableId", { onPremisesImmutableId: "found" }],
    ["sipProxyAddress", { imAddresses: ["found"] }],
    ["extensionAttribute15", { onPremisesExtensionAttributes: { extensionAttribute15: "found" } }],
    [
      "onPremisesExtensionAttributes.extensionAttribute1",
      { onPremisesExtensionAttributes: { extensionAttribute1: "found" } },
    ],
    ["employeeOrgData.costCenter", { employeeOrgData: { costCenter: "found" } }],
    [
      "extension_0123456789abcdef0123456789abcdef_costCenter",
      { extension_0123456789abcdef0123456789abcdef_costCenter: "found" },
    ],
    [
      "customSecurityAttributes.Engineering.Project",
      { customSecurityAttributes: { Engineering: { Project: "found" } } },
    ],
    ["otherMails[1]", { otherMails: ["a@example.com", "found"] }],
  ])("%s is found", (name, attributes) => {
    expect(title({ source: name }, person(attributes))).toBe("found");
    // A place in a list is Item's in an expression.
    if (name.includes("[")) return;
    expect(title({ expression: `ToLower([${name}])` }, person(attributes))).toBe("found");
  });

  it("of a custom security attribute may have several values, of any type", () => {
    const attributes = { customSecurityAttributes: { Sales: { Centers: [1001, 1003], Level: 3 } } };
    const join = { expression: 'Join("/", [customSecurityAttributes.Sales.Centers])' };
    expect(title(join, person(attributes))).toBe("1001/1003");
    expect(title({ source: "customSecurityAttributes.Sales.Level" }, person(attributes))).toBe("3");
    expect(title({ source: "customSecurityAttributes.Sales.__proto__" }, person(attributes))).toBeNull();
  });

  it.each<[string, RegExp]>([
    ["skills", /"skills" cannot be used: Graph returns it only for one user at a time/],
    ["identities", /it is not a plain value/],
    ["employeeOrgData", /name one of its parts: employeeOrgData\.division/],
    ["customSecurityAttributes", /name the set and the attribute/],
    ["appRoleAssignments", /Lattice documents no attribute for roles/],
    ["manager.manager", /only properties that Graph has can be mapped for the manager/],
    ["manager.IsSoftDeleted", /only properties that Graph has can be mapped for the manager/],
    ["manager.displayNam", /unknown source attribute "displayNam"; did you mean "displayName"/],
  ])("%s is refused with the reason", (name, message) => {
    expect(() => mappingOf([userName, { target: "title", source: name }])).toThrow(message);
  });

  it("with a wrong name in an expression is shown in its place, with the nearest name", () => {
    const rule = { target: "title", expression: "Join([givenName], [sirname])" };
    expect(() => mappingOf([userName, rule])).toThrow(
      /column 19: unknown source attribute "sirname"; did you mean "surname"\?\n {4}Join.*\n {22}\^/,
    );
  });
});

describe("an attribute of the manager", () => {
  const manager = person({ displayName: "Ada Example", mail: "ada@example.com" }, { objectId: "boss" });
  const report = person({}, { managerId: "boss" });

  it("is read from the manager's own data, which is requested", () => {
    expect(title({ source: "manager.displayName" }, report, manager)).toBe("Ada Example");
    expect(title({ expression: "Left([manager.mail], 3)" }, report, manager)).toBe("ada");
    const mapping = mappingOf([userName, { target: "title", source: "manager.telephoneNumber" }]);
    expect(mapping.ofManager).toEqual(["businessPhones"]);
    expect(mapping.select).toEqual(expect.arrayContaining(["manager", "businessPhones"]));
    expect(mappingOf([userName, { target: "title", source: "mail" }]).ofManager).toEqual([]);
  });

  it("has no value without a manager, or if the manager was deleted, and is not changed if the manager is unknown", () => {
    const source = { source: "manager.displayName" };
    expect(title(source, person({}), null)).toBeNull();
    expect(title(source, report, { ...manager, presence: "softDeleted" })).toBeNull();
    expect(
      mapUser(mappingOf([userName, { target: "title", ...source }]), report, {
        member: true,
        environment,
      }),
    ).toMatchObject({
      problems: [{ target: "title", reason: expect.stringContaining("has not shown the manager") }],
    });
  });

  it("cannot be the userName, nor be used in a filter", () => {
    const rule = { target: "userName", source: "manager.mail", matchingPrecedence: 1 };
    expect(() => mappingOf([rule])).toThrow(/cannot be the source of userName/);
    const filters = [{ clauses: [{ attribute: "manager.mail", operator: "IS NOT NULL" }] }];
    expect(() => mappingOf([userName], filters)).toThrow(/can be mapped, but not used in scoping filters/);
  });
});
