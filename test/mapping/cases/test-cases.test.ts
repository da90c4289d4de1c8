import { describe, expect, it } from "vitest";
import { expectationOf, runCase } from "../../../src/mapping/cases/run-case.ts";
import { parseCases } from "../../../src/mapping/cases/test-cases.ts";
import type { Mapping } from "../../../src/mapping/rules/mapping.ts";
import { defaultRules, mappingOf } from "../../cycle/workplace.ts";

const person = {
  userPrincipalName: "kim@example.com",
  accountEnabled: true,
  displayName: "Kim Example",
  givenName: "Kim",
  department: "Sales",
  employeeId: "4711",
};

function result(item: object, mapping: Mapping = mappingOf()) {
  const { cases, faults } = parseCases(
    [{ name: "one", user: person, ...item }],
    (path) => path.join("/"),
    mapping,
  );
  expect(faults).toEqual([]);
  const [test] = cases;
  if (test === undefined) throw new Error("there is no case");
  return runCase(mapping, test);
}

function faults(...items: unknown[]): readonly string[] {
  return parseCases(items, (path) => path.join("/"), mappingOf()).faults;
}

/** The default mapping with other rules for these targets. */
function changed(...rules: readonly { readonly target: string }[]): Mapping {
  const targets = rules.map(({ target }) => target);
  const others = defaultRules.filter((rule) => !targets.includes((rule as { target: string }).target));
  return mappingOf([...others, ...rules]);
}

describe("a test case of a mapping", () => {
  it("passes if every named attribute has the expected value, by its path or its short name", () => {
    const expected = {
      userName: "kim@example.com",
      active: true,
      department: "Sales",
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": 4711,
      title: null,
      "name.formatted": "Kim",
    };
    expect(result({ expect: expected })).toEqual({ name: "one", place: "0", passed: true, differences: [] });
  });

  it("fails with attribute, expectation, result and origin", () => {
    expect(
      result({ expect: { "name.formatted": "Kim Example", title: "Chief", displayName: null } }).differences,
    ).toEqual([
      {
        attribute: "name.formatted",
        expected: '"Kim Example"',
        got: '"Kim"',
        origin: 'Join(" ", [givenName], [surname])',
      },
      { attribute: "title", expected: '"Chief"', got: "no value", origin: "jobTitle" },
      { attribute: "displayName", expected: "no value", got: '"Kim Example"', origin: "displayName" },
    ]);
  });

  it("fails if an attribute is no longer mapped", () => {
    expect(result({ expect: { nickName: "Kim" } }).differences).toEqual([
      { attribute: "nickName", expected: '"Kim"', got: "not mapped", origin: null },
    ]);
  });

  it("fails, if it is exact, for attributes that it does not name", () => {
    const some = {
      exact: true,
      userName: "kim@example.com",
      active: true,
      displayName: "Kim Example",
      title: null,
    };
    const { differences } = result({ expect: some });
    expect(differences.map(({ attribute }) => attribute.replace(/^urn.*:/, ""))).toEqual([
      "externalId",
      "name.givenName",
      "name.formatted",
      "employeeNumber",
      "department",
    ]);
    expect(differences[0]?.expected).toBe("not named by this exact case");
  });

  it("compares the manager by object id, written alone or in Graph's expanded form", () => {
    for (const manager of ["m-1", { id: "m-1" }]) {
      expect(result({ user: { ...person, manager }, expect: { manager: "m-1" } }).passed).toBe(true);
      expect(result({ user: { ...person, manager }, expect: { manager: null } }).passed).toBe(false);
    }
    expect(result({ expect: { manager: null } }).passed).toBe(true);
  });

  it("may expect that a value cannot be computed, or is not changed", () => {
    const mapping = changed(
      { target: "title", ...{ expression: 'DateAdd("d", 1, [department])' } },
      { target: "nickName", ...{ expression: "IgnoreFlowIfNullOrEmpty([jobTitle])" } },
    );
    const expected = { title: { problem: "MUST be a date" }, nickName: { leftAlone: true } };
    expect(result({ expect: expected }, mapping).passed).toBe(true);
    expect(result({ expect: { title: { problem: "something else" } } }, mapping).differences[0]?.got).toMatch(
      /^a problem: .*must be a date/,
    );
    expect(result({ expect: { title: null, nickName: null } }, mapping).differences).toHaveLength(2);
    expect(result({ expect: { displayName: { leftAlone: true } } }, mapping).passed).toBe(false);
  });

  it("checks the scope if it mentions it, and otherwise demands that the person is in scope", () => {
    const filters = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "Sales" }] }];
    const mapping = mappingOf(defaultRules, filters);
    const other = { ...person, department: "Kitchen" };
    expect(
      result({ user: other, expect: { outOfScope: "department equals", active: false } }, mapping).passed,
    ).toBe(true);
    expect(result({ user: other, expect: { active: false } }, mapping).differences).toEqual([
      {
        attribute: "scope",
        expected: "in scope",
        got: 'out of scope: department EQUALS "Sales"',
        origin: "entra.scope",
      },
    ]);
    expect(result({ user: other, expect: { outOfScope: "guests" } }, mapping).passed).toBe(false);
    expect(result({ expect: { outOfScope: "department" } }, mapping).differences[0]?.got).toBe("in scope");
    expect(result({ member: false, expect: { active: false } }, mapping).passed).toBe(true);
    expect(result({ member: false, expect: { outOfScope: "not a member" } }, mapping).passed).toBe(true);
  });

  it("has a presence, and a default if the account is new", () => {
    const mapping = changed({ target: "title", ...{ source: "jobTitle", default: "None yet" } });
    expect(result({ presence: "deleted", expect: { active: false } }).passed).toBe(true);
    expect(result({ expect: { title: null } }, mapping).passed).toBe(true);
    expect(result({ newAccount: true, expect: { title: "None yet" } }, mapping).passed).toBe(true);
  });

  it("has its own time and random source, so each run gives the same result", () => {
    const mapping = changed(
      { target: "title", ...{ expression: 'FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")' } },
      { target: "nickName", ...{ expression: "Guid()", apply: "onCreate" } },
    );
    expect(result({ expect: { title: "2026-01-01" } }, mapping).differences).toEqual([]);
    const later = { now: "2030-02-03T01:00:00+02:00", expect: { title: "2030-02-02" } };
    expect(result(later, mapping).differences).toEqual([]);
    const first = result({ expect: { nickName: "x" } }, mapping).differences;
    expect(first[0]?.got).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(result({ expect: { nickName: "x" } }, mapping).differences).toEqual(first);
  });

  it("can be made from the current results of the mapping", () => {
    const test = {
      user: {
        objectId: "o-1",
        attributes: { id: "o-1", ...person },
        managerId: "m-1",
        presence: "present" as const,
      },
      member: true,
      manager: null,
      groups: new Set<string>(),
      newAccount: false,
      now: 0,
    };
    const expected = expectationOf(mappingOf(), test);
    expect(expected).toMatchObject({ userName: "kim@example.com", title: null, active: true });
    expect(
      result({ user: { ...person, id: "o-1", manager: "m-1" }, expect: { exact: true, ...expected } }).passed,
    ).toBe(true);
    expect(expectationOf(mappingOf(), { ...test, member: false })).toEqual({
      outOfScope: "not a member of the scope",
      active: false,
    });
  });
});

describe("a malformed test case of a mapping", () => {
  const good = { name: "one", user: person, expect: { title: null } };

  it.each([
    ["no list", {}, /must be a list of cases/],
    ["no name", [{ user: {}, expect: {} }], /^0\/name: name must be text/],
    ["no user", [{ name: "x", expect: {} }], /^0\/user: user must be a source user/],
    ["no expectation", [{ name: "x", user: {} }], /^0\/expect: expect must be the expected values/],
    [
      "an empty expectation",
      [{ ...good, expect: { exact: true } }],
      /must name at least one value to compare/,
    ],
    ["an unknown key", [{ ...good, membr: false }], /unknown key "membr"; allowed here: name, user, member/],
    ["a time that is none", [{ ...good, now: "tomorrow" }], /now must be a time such as/],
    ["a bad group", [{ ...good, memberOf: "x" }], /memberOf must be a list/],
    [
      "an unknown group",
      [{ ...good, memberOf: ["x"] }],
      /^0\/memberOf\/0: no scoping filter or expression uses .* "x"; they use no groups/,
    ],
    ["a bad presence", [{ ...good, presence: "away" }], /presence must be present/],
    ["a bad value", [{ ...good, expect: { title: { is: "x" } } }], /expect.title must be a value, null,/],
    ["a bad reason", [{ ...good, expect: { outOfScope: true } }], /outOfScope must be text: a part/],
    ["a misspelt property", [{ ...good, user: { jobTitel: "x" } }], /did you mean "jobTitle"/],
    ["an older name", [{ ...good, user: { telephoneNumber: "x" } }], /as in Graph: businessPhones/],
    ["a computed property", [{ ...good, user: { IsSoftDeleted: true } }], /is computed and cannot be set/],
    ["a manager without an id", [{ ...good, user: { manager: 7 } }], /object id of the manager/],
    ["an unknown target", [{ ...good, expect: { titel: "x" } }], /did you mean "title"/],
  ])("with %s is reported with its place", (_, raw, message) => {
    const found = parseCases(raw, (path) => path.join("/"), mappingOf()).faults;
    expect(found.length).toBeGreaterThan(0);
    expect(found.join("\n")).toMatch(message);
  });

  it("is reported together with all others", () => {
    expect(faults({ ...good, user: { a: 1 } }, good, { ...good, expect: { b: 1 } })).toHaveLength(2);
    expect(parseCases(null, () => "", mappingOf())).toEqual({ cases: [], faults: [] });
  });
});
