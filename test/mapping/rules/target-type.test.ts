import { describe, expect, it } from "vitest";
import { MappingError } from "../../../src/domain/errors.ts";
import type { Json, JsonObject } from "../../../src/domain/json.ts";
import type { AttributeType } from "../../../src/domain/target.ts";
import type { Value } from "../../../src/mapping/language/value.ts";
import { mapUser } from "../../../src/mapping/rules/map-user.ts";
import { parseScopingFilters } from "../../../src/mapping/rules/scoping-filter.ts";
import { sameValue, typedValue } from "../../../src/mapping/rules/target-type.ts";
import { mappingOf } from "../../cycle/workplace.ts";
import { fixedEnvironment } from "../environment.ts";

const environment = fixedEnvironment();
const lattice = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";
const userName = { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 };

function map(rule: object, attributes: JsonObject) {
  const all = { userPrincipalName: "kim@example.com", ...attributes };
  const user = { objectId: "id-1", attributes: all, managerId: null, presence: "present" } as const;
  const { values, problems, lacking } = mapUser(mappingOf([userName, rule]), user, {
    member: true,
    environment,
  });
  return { value: values.at(1)?.value, problem: problems[0]?.reason, lacking: lacking[0]?.reason };
}

describe("a value for a target", () => {
  it.each<[AttributeType, Value, Json]>([
    ["text", true, "True"],
    ["text", ["a", "b"], "a,b"],
    ["text", "", null],
    ["number", " 12.50 ", 12.5],
    ["number", "-3", -3],
    ["number", 7, 7],
    ["number", null, null],
    ["boolean", "TRUE", true],
    ["boolean", false, false],
    ["timezone", "America/Los_Angeles", "America/Los_Angeles"],
    ["timezone", "UTC", "UTC"],
    ["email", "kim@example.com", "kim@example.com"],
    ["dateTime", "2026-01-31", "2026-01-31T00:00:00Z"],
    ["dateTime", "2026-01-31T10:00:00.5+02:00", "2026-01-31T08:00:00.500Z"],
    ["dateTime", { epochMs: 0 }, "1970-01-01T00:00:00Z"],
  ])("of type %s: %j becomes %j", (type, value, result) => {
    expect(typedValue({ type, zone: "UTC" }, value)).toEqual(result);
  });

  it.each<[Value, string, string]>([
    ["2026-01-31T23:30:00Z", "UTC", "2026-01-31"],
    ["2026-01-31T23:30:00Z", "Europe/Paris", "2026-02-01"],
    ["2026-01-31T02:00:00Z", "America/Los_Angeles", "2026-01-30"],
    ["2026-07-31T22:30:00Z", "Europe/London", "2026-07-31"],
    ["2026-07-31T23:30:00Z", "Europe/London", "2026-08-01"],
    // Graph writes a day as its midnight in UTC: it is that day in every time zone.
    ["2026-11-26T00:00:00Z", "America/New_York", "2026-11-26"],
    ["2026-11-26T00:00:00.0000000+00:00", "America/New_York", "2026-11-26"],
    ["2026-11-26T00:00:00Z", "Pacific/Kiritimati", "2026-11-26"],
    ["11/26/2026 12:00:00 AM", "America/New_York", "2026-11-26"],
    [{ epochMs: Date.UTC(2026, 10, 26) }, "America/New_York", "2026-11-26"],
    // The same moment, written with another zone's offset, is a moment.
    ["2026-11-26T09:00:00+09:00", "America/New_York", "2026-11-25"],
    ["2026-11-26T00:00:01Z", "America/New_York", "2026-11-25"],
    // A day is the same day everywhere.
    ["2026-01-31", "America/Los_Angeles", "2026-01-31"],
    ["0099-03-01T00:00:00Z", "Asia/Tokyo", "0099-03-01"],
    ["1/31/2026 11:30:00 PM", "Europe/Paris", "2026-02-01"],
    [{ epochMs: Date.UTC(2026, 0, 31, 23) }, "Europe/Paris", "2026-02-01"],
  ])("that is the moment %j, in %s, is the day %s", (value, zone, day) => {
    expect(typedValue({ type: "date", zone }, value)).toBe(day);
  });

  it.each([
    "0001-01-01T00:00:00Z",
    "0001-01-01",
    "0001-01-01T00:00:00.0000000Z",
    "0001-01-01T08:00:00Z",
    "0001-01-01T00:00:00+05:30",
    "0000-12-31T16:00:00-08:00",
    "00010101000000.0Z",
    { epochMs: Date.parse("0001-01-01T00:00:00Z") },
  ])("that stands for no date is no value, in any time zone: %j", (value) => {
    for (const zone of ["UTC", "America/New_York", "Asia/Tokyo"]) {
      expect(typedValue({ type: "date", zone }, value)).toBeNull();
      expect(typedValue({ type: "dateTime", zone }, value)).toBeNull();
    }
  });

  it("that stands for no date is none for an expression and for a text either", () => {
    const none = { employeeHireDate: "0001-01-01T00:00:00Z" };
    const custom = { target: `${lattice}:own` };
    expect(map({ ...custom, source: "employeeHireDate" }, none).value).toBeNull();
    expect(map({ ...custom, expression: 'Coalesce([employeeHireDate], "none")' }, none).value).toBe("none");
    expect(
      map({ ...custom, expression: 'FormatDateTime([employeeHireDate], , "O", "yyyy-MM-dd")' }, none).value,
    ).toBeNull();
  });

  it.each<[AttributeType, Value, RegExp]>([
    ["number", "12 people", /must be a number, but is "12 people"/],
    ["number", "0x10", /must be a number/],
    ["number", "1234567890123456", /must be a number/],
    ["boolean", "yes", /must be True or False, but is "yes"/],
    ["date", "soon", /must be a date such as 2026-01-31, but is "soon"/],
    ["date", "2026-02-30", /must be a date/],
    ["timezone", "Pacific Standard Time", /must be a time zone such as America\/Los_Angeles/],
    ["timezone", "+02:00", /must be a time zone/],
    ["email", "front..desk@example", /must be an e-mail address/],
  ])("of type %s is not %j", (type, value, message) => {
    const attempt = () => typedValue({ type, zone: "UTC" }, value);
    expect(attempt).toThrow(MappingError);
    expect(attempt).toThrow(message);
  });

  it.each<[AttributeType, Json, Json, boolean]>([
    ["date", "2026-01-31T00:00:00Z", "2026-01-31", true],
    ["date", "2026-01-31T00:00:00.000+00:00", "2026-01-31", true],
    ["date", "2026-01-31T08:00:00Z", "2026-01-31", false],
    ["dateTime", "2026-01-31T08:00:00.000Z", "2026-01-31T08:00:00Z", true],
    ["dateTime", "never", "never", false],
    ["number", "12.50", 12.5, true],
    ["number", "", 0, false],
    ["boolean", "True", true, true],
    ["boolean", null, true, false],
    ["text", "a", "A", false],
  ])("of type %s: %j and %j are the same: %j", (type, left, right, same) => {
    expect(sameValue(type, left, right)).toBe(same);
  });
});

describe("an attribute mapping with a type", () => {
  it("reads a start date as the same day as a scoping filter does", () => {
    const timezone = "America/New_York";
    for (const employeeHireDate of [
      "2026-11-26T00:00:00Z",
      "2026-11-26",
      "2026-11-26T03:00:00Z",
      "2026-11-26T00:00:00-05:00",
      "2026-11-26T09:00:00+09:00",
    ]) {
      const rule = { target: `${lattice}:own`, source: "employeeHireDate", type: "date", timezone };
      const day = String(map(rule, { employeeHireDate }).value);
      const clause = { attribute: "employeeHireDate", operator: "WITHIN DAYS", value: 0 };
      const filters = parseScopingFilters([{ clauses: [clause] }], { guests: true, timeZone: timezone });
      // Looked at a day before, the filter changes when the date comes.
      const person = {
        objectId: "a",
        managerId: null,
        presence: "present",
        attributes: { employeeHireDate },
      } as const;
      const judged = filters.judge(person, {
        now: Date.parse(`${day}T05:00:00Z`) - 86_400_000,
        groups: new Set(),
      });
      const begins = judged.lookAgainAt ?? Number.NaN;
      const inNewYork = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short" });
      expect([employeeHireDate, inNewYork.format(begins)]).toEqual([employeeHireDate, day]);
    }
  });

  it("is sent as a number, day, boolean or documented type", () => {
    const custom = (type: string, more = {}) => ({
      target: `${lattice}:own`,
      source: "employeeHireDate",
      type,
      ...more,
    });
    const hired = { employeeHireDate: "2026-01-31T23:30:00Z" };
    expect(map(custom("date", { timezone: "Asia/Tokyo" }), hired).value).toBe("2026-02-01");
    expect(map(custom("date"), hired).value).toBe("2026-01-31");
    expect(map(custom("text"), hired).value).toBe("2026-01-31T23:30:00Z");
    expect(map({ target: `${lattice}:startDate`, source: "employeeHireDate" }, hired).value).toBe(
      "2026-01-31",
    );
    expect(
      map(
        { target: `${lattice}:level`, source: "extensionAttribute1", type: "number" },
        {
          onPremisesExtensionAttributes: { extensionAttribute1: "7" },
        },
      ).value,
    ).toBe(7);
    expect(
      map(
        { target: 'emails[type eq "home"].value', expression: "Item([otherMails], 1)" },
        {
          otherMails: ["kim@home.example"],
        },
      ).value,
    ).toBe("kim@home.example");
  });

  it("of the wrong type is kept in Lattice, with the reason, and the person is skipped if it is required", () => {
    const rule = { target: `${lattice}:startDate`, source: "employeeId" };
    expect(map(rule, { employeeId: "E1" })).toEqual({
      value: undefined,
      problem: 'must be a date such as 2026-01-31, but is "E1"',
      lacking: undefined,
    });
    expect(map({ ...rule, required: true }, { employeeId: "E1" }).lacking).toBe(
      'startDate is required, but cannot be determined: must be a date such as 2026-01-31, but is "E1"',
    );
    expect(map({ ...rule, required: true }, {}).lacking).toBe("startDate is required, but has no value");
    expect(map({ ...rule, required: true, default: "2026-01-01" }, {}).lacking).toBeUndefined();
    // A redacted value is in no reason.
    const redacted = { target: `${lattice}:startDate`, expression: "Redact([employeeId])", required: true };
    expect(map(redacted, { employeeId: "E1" }).lacking).not.toContain("E1");
  });

  it.each<[object, RegExp]>([
    [
      { target: "title", source: "jobTitle", type: "number" },
      /remove "type": Lattice expects a value of type text here/,
    ],
    [{ target: `${lattice}:startDate`, source: "jobTitle", type: "number" }, /one of date, dateTime here/],
    [{ target: `${lattice}:own`, source: "jobTitle", type: "money" }, /"type" must be one of text, number/],
    [
      { target: `${lattice}:own`, source: "jobTitle", timezone: "UTC" },
      /is allowed only in a mapping of type date/,
    ],
    [
      { target: `${lattice}:startDate`, source: "employeeHireDate", timezone: "Pacific Standard Time" },
      /is not a time zone; use an IANA name/,
    ],
    [{ target: `${lattice}:startDate`, constant: "soon" }, /"constant" must be a date such as .*"soon"/],
    [{ target: "timezone", source: "city", default: "CET-1" }, /"default" must be a time zone/],
    [
      { target: 'emails[type eq "work" and primary eq true].value', source: "mail" },
      /unknown target attribute/,
    ],
    [{ target: 'phoneNumbers[type eq "mobile"].value', source: "mobile" }, /Lattice does not accept/],
  ])("%j is refused when the configuration is read", (rule, message) => {
    expect(() => mappingOf([userName, rule])).toThrow(message);
  });
});
