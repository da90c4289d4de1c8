import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { SourceUser } from "../../../src/domain/source.ts";
import { parseScopingFilters, type ScopeLists } from "../../../src/mapping/rules/scoping-filter.ts";

const now = Date.UTC(2026, 10, 25, 12);
const hour = 3_600_000;
const day = 24 * hour;
const at = (text: string): number => Date.parse(text);

function person(attributes: JsonObject, more: Partial<SourceUser> = {}): SourceUser {
  return { objectId: "id-1", attributes, managerId: null, presence: "present", ...more };
}

function filtersOf(clauses: readonly object[], lists: Partial<ScopeLists> = {}) {
  return parseScopingFilters([{ clauses }], { guests: true, ...lists });
}

function judge(clauses: readonly object[], user: SourceUser, lists: Partial<ScopeLists> = {}, groups = [""]) {
  const { rejection, lookAgainAt } = filtersOf(clauses, lists).judge(user, { now, groups: new Set(groups) });
  return { passes: rejection === null, lookAgainAt };
}

describe("a clause on a date", () => {
  const today = "2026-11-25T00:00:00Z";
  const tomorrow = "2026-11-26T00:00:00Z";

  it.each<[string, number | undefined, string, boolean, string | null]>([
    ["IN THE PAST", undefined, today, true, null],
    ["IN THE PAST", undefined, tomorrow, false, tomorrow],
    ["IN THE FUTURE", undefined, today, false, null],
    ["IN THE FUTURE", undefined, tomorrow, true, tomorrow],
    // A moment, not a day.
    ["IN THE PAST", undefined, "2026-11-25T12:00:00Z", true, null],
    ["IN THE PAST", undefined, "2026-11-25T12:00:01Z", false, "2026-11-25T12:00:01Z"],
    ["IN THE FUTURE", undefined, "2026-11-25T13:00:00+01:00", false, null],
    ["UP TO DAYS AHEAD", 7, "2026-12-02T00:00:00Z", true, null],
    ["UP TO DAYS AHEAD", 7, "2026-12-03T00:00:00Z", false, tomorrow],
    ["UP TO DAYS AHEAD", 7, "2020-01-01T00:00:00Z", true, null],
    ["UP TO DAYS AGO", 0, today, true, tomorrow],
    ["UP TO DAYS AGO", 0, "2026-11-24T00:00:00Z", false, null],
    ["UP TO DAYS AGO", 30, "2026-10-26T00:00:00Z", true, tomorrow],
    ["UP TO DAYS AGO", 30, "2026-10-25T00:00:00Z", false, null],
    ["UP TO DAYS AGO", 1, "2026-11-24T13:00:00Z", true, "2026-11-25T13:00:00Z"],
    ["WITHIN DAYS", 2, "2026-11-23T00:00:00Z", true, tomorrow],
    ["WITHIN DAYS", 2, "2026-11-27T00:00:00Z", true, "2026-11-30T00:00:00Z"],
    ["WITHIN DAYS", 2, "2026-11-28T00:00:00Z", false, tomorrow],
    ["WITHIN DAYS", 2, "2026-11-22T00:00:00Z", false, null],
    // A day alone, and as on-premises directories write a time.
    ["IN THE PAST", undefined, "2026-11-25", true, null],
    ["in_the_future", undefined, "20261126000000.0Z", true, tomorrow],
    ["IN THE PAST", undefined, "20261125115900.0Z", true, null],
    // No date at all holds nothing, one way or the other.
    ["IN THE PAST", undefined, "soon", false, null],
    ["IN THE FUTURE", undefined, "2026-02-30", false, null],
    ["UP TO DAYS AGO", 3, "", false, null],
    ["IN THE PAST", undefined, "0001-01-01T00:00:00Z", false, null],
    ["IN THE PAST", undefined, "00010101000000.0Z", false, null],
  ])("%s %j of %j is %s until %s", (operator, value, given, passes, until) => {
    const clause = { attribute: "employeeHireDate", operator, ...(value === undefined ? {} : { value }) };
    expect(judge([clause], person({ employeeHireDate: given }))).toEqual({
      passes,
      lookAgainAt: until === null ? null : at(until),
    });
  });

  it.each<[string, string, string]>([
    ["Europe/Berlin", "2026-11-26", "2026-11-25T23:00:00Z"],
    ["America/Los_Angeles", "2026-11-26", "2026-11-26T08:00:00Z"],
    ["Pacific/Kiritimati", "2026-11-26", "2026-11-25T10:00:00Z"],
    // Clocks are put forward at midnight: the day begins an hour late.
    ["America/Santiago", "2027-09-05", "2027-09-05T04:00:00Z"],
    // The first hour comes twice.
    ["America/Havana", "2027-11-07", "2027-11-07T04:00:00Z"],
  ])("counts a day from its beginning in %s", (timeZone, given, begins) => {
    const filters = filtersOf([{ attribute: "employeeHireDate", operator: "IN THE PAST" }], { timeZone });
    const user = person({ employeeHireDate: given });
    const passesAt = (moment: number): boolean =>
      filters.judge(user, { now: moment, groups: new Set() }).rejection === null;
    expect([passesAt(at(begins) - 1), passesAt(at(begins))]).toEqual([false, true]);
  });

  it("names the clause by which each filter rejects a person", () => {
    const reason = (values: readonly string[]): string | null =>
      parseScopingFilters(
        values.map((value) => ({
          clauses: [
            { attribute: "country", operator: "IS NULL" },
            { attribute: "department", operator: "EQUALS", value },
          ],
        })),
        { guests: true },
      ).rejects(person({ department: "Legal" }), { now, groups: new Set() });
    expect(reason(["Sales"])).toBe('department EQUALS "Sales"');
    expect(reason(["Sales", "Sales", "HR"])).toBe('department EQUALS "Sales"; department EQUALS "HR"');
    expect(reason(["A", "B", "C", "D", "E"])).toMatch(/^department EQUALS "A"; .*"C"; and 2 more$/);
    expect(reason(["Sales", "Legal"])).toBeNull();
  });

  it("asks for a new look only if time can change the outcome", () => {
    const hired = { attribute: "employeeHireDate", operator: "IN THE PAST" };
    const sales = { attribute: "department", operator: "EQUALS", value: "Sales" };
    const user = person({ employeeHireDate: tomorrow, department: "Legal" });
    expect(judge([hired, sales], user).lookAgainAt).toBeNull();
    const either = (clauses: readonly object[][]) =>
      parseScopingFilters(
        clauses.map((all) => ({ clauses: all })),
        { guests: true },
      ).judge(user, { now, groups: new Set() }).lookAgainAt;
    const legal = { ...sales, value: "Legal" };
    expect(either([[hired], [legal]])).toBeNull();
    expect(either([[hired], [sales]])).toBe(at(tomorrow));
    const soon = { attribute: "employeeHireDate", operator: "UP TO DAYS AHEAD", value: 0 };
    expect(either([[{ ...soon, operator: "WITHIN DAYS", value: 5 }], [hired]])).toBe(at(tomorrow));
  });

  it.each<[object, RegExp]>([
    [{ operator: "UP TO DAYS AHEAD" }, /needs a value/],
    [{ operator: "WITHIN DAYS", value: -1 }, /whole number of days from 0 to 36500, not "-1"/],
    [{ operator: "WITHIN DAYS", value: 40_000 }, /whole number of days/],
    [{ operator: "IN THE PASTE" }, /did you mean "IN THE PAST"/],
  ])("is refused as %j", (clause, message) => {
    expect(() => filtersOf([{ attribute: "employeeHireDate", ...clause }])).toThrow(message);
  });
});

describe("a clause on a group", () => {
  it("holds for members, or for everybody else", () => {
    const user = person({});
    expect(judge([{ memberOf: "Sales" }], user, {}, ["Sales"]).passes).toBe(true);
    expect(judge([{ memberOf: "Sales" }], user, {}, ["Legal"]).passes).toBe(false);
    expect(judge([{ notMemberOf: "Sales" }], user, {}, ["Sales"]).passes).toBe(false);
    expect(judge([{ notMemberOf: "Sales" }], user, {}, []).passes).toBe(true);
    expect(
      filtersOf([{ memberOf: "Sales" }, { notMemberOf: "Sales" }, { memberOf: "Legal" }]).groups,
    ).toEqual(["Sales", "Legal"]);
    expect(() => filtersOf([{ memberOf: "Sales", operator: "EQUALS" }])).toThrow(/memberOf/);
    expect(() => filtersOf([{ memberOf: " " }])).toThrow(/the group of a clause .* is empty/);
  });

  it("leaves open who may pass later", () => {
    const { mayPass, steady } = filtersOf([
      { memberOf: "Sales" },
      { attribute: "employeeHireDate", operator: "IN THE PAST" },
      { attribute: "employeeType", operator: "EQUALS", value: "Employee" },
    ]);
    expect(steady).toBe(false);
    expect(mayPass(person({ employeeType: "Employee" }))).toBe(true);
    expect(mayPass(person({ employeeType: "Contractor" }))).toBe(false);
  });
});

describe("user type and employee type", () => {
  it("can be filtered by like any other attribute", () => {
    const clauses = [
      { attribute: "userType", operator: "EQUALS", value: "Member" },
      { attribute: "employeeType", operator: "REGEX MATCH", value: "Employee|Intern" },
    ];
    expect(judge(clauses, person({ userType: "Member", employeeType: "Intern" })).passes).toBe(true);
    expect(judge(clauses, person({ userType: "Guest", employeeType: "Intern" })).passes).toBe(false);
    expect(filtersOf(clauses).properties).toEqual(["userType", "employeeType"]);
  });
});

describe("a person who is listed by name", () => {
  const nobody = [{ attribute: "department", operator: "EQUALS", value: "none" }];
  const include = ["Kim@Example.com", "ID-2"];

  it("passes whatever the filters say, guests included; exclude beats include", () => {
    const kim = person({ userPrincipalName: "kim@example.com", userType: "Guest" });
    const lists = { include, guests: false };
    expect(judge(nobody, kim, lists).passes).toBe(true);
    expect(judge(nobody, person({}, { objectId: "id-2" }), lists).passes).toBe(true);
    expect(judge(nobody, person({ userPrincipalName: "kim@example.org" }), lists).passes).toBe(false);
    const both = filtersOf(nobody, { ...lists, exclude: ["kim@example.com"] });
    expect(both.judge(kim, { now, groups: new Set() })).toEqual({
      decidedBy: "exclude",
      rejection: "listed in entra.scope.exclude",
      lookAgainAt: null,
    });
    expect([both.includes(kim), both.mayPass(kim)]).toEqual([false, false]);
  });

  it("may be a guest by the address of the home organisation or by the name in this directory", () => {
    const guest = person({ userPrincipalName: "kim_partner.example#EXT#@tenant.onmicrosoft.com" });
    for (const name of ["kim@partner.example", "kim_partner.example#EXT#@tenant.onmicrosoft.com"]) {
      const { judge: verdict } = parseScopingFilters([], { guests: true, exclude: [name] });
      expect(verdict(guest, { now, groups: new Set() }).decidedBy).toBe("exclude");
    }
  });
});

describe("the explanation of a scoping filter", () => {
  it("has the verdict of each clause of each filter, with the expected and the actual value", () => {
    const filters = parseScopingFilters(
      [
        {
          name: "Sales",
          clauses: [
            { attribute: "department", operator: "EQUALS", value: "Sales" },
            { memberOf: "Lattice pilots" },
          ],
        },
        { clauses: [{ attribute: "employeeHireDate", operator: "in the future" }] },
      ],
      { guests: true },
    );
    const user = person({ department: "Legal", employeeHireDate: "2026-11-27" });
    const groups = new Set(["Lattice pilots"]);
    expect(filters.explain(user, { now, groups })).toEqual({
      passes: true,
      decidedBy: "filters",
      rejection: null,
      lookAgainAt: at("2026-11-27"),
      filters: [
        {
          name: "Sales",
          passes: false,
          clauses: [
            {
              attribute: "department",
              property: "department",
              operator: "EQUALS",
              expected: "Sales",
              actual: "Legal",
              holds: false,
              changesAt: null,
            },
            {
              attribute: "memberOf",
              property: null,
              operator: "MEMBER OF",
              expected: "Lattice pilots",
              actual: "Lattice pilots",
              holds: true,
              changesAt: null,
            },
          ],
        },
        {
          name: null,
          passes: true,
          clauses: [
            {
              attribute: "employeeHireDate",
              property: "employeeHireDate",
              operator: "IN THE FUTURE",
              expected: null,
              actual: "2026-11-27",
              holds: true,
              changesAt: now - 12 * hour + 2 * day,
            },
          ],
        },
      ],
    });
  });
});
