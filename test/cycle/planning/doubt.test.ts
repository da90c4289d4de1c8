import { describe, expect, it } from "vitest";
import { doubtOf } from "../../../src/cycle/planning/doubt.ts";
import type { PlanInput } from "../../../src/cycle/planning/plan-input.ts";
import type { JsonObject } from "../../../src/domain/json.ts";

const email = 'emails[type eq "work"].value';
const number = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

/** @param wanted values of the mapping by target; `externalId` apart */
function doubt(wanted: JsonObject, account: JsonObject & { userName?: string; externalId?: string | null }) {
  const { userName = "kim@example.com", externalId = null, ...values } = account;
  const mapped = {
    externalId: "the-person",
    values: Object.entries(wanted).map(([target, value]) => ({ mapping: { target }, value })),
  } as unknown as PlanInput["mapped"];
  const known = { latticeId: "lat-1", userName, externalId, active: true, values, acknowledged: {} };
  return doubtOf({ mapped }, known);
}

const name = (given: string, family: string): JsonObject => ({
  "name.givenName": given,
  "name.familyName": family,
  displayName: `${given} ${family}`,
});

describe("an account that was found by its userName", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["the same name", name("Kim", "Example"), name("Kim", "Example")],
    ["another family name after a marriage", name("Kim", "Sample"), name("Kim", "Example")],
    ["a double name", name("Kim", "Example-Sample"), name("Kim", "Sample")],
    ["another first name", name("Kimberly", "Example"), name("Kim", "Example")],
    ["a short form and a new family name", name("Alexander", "Sample"), name("Alex", "Example")],
    [
      "the order of Lattice's list",
      { displayName: "Example, Kim (contractor)" },
      { displayName: "kim example" },
    ],
    ["accents and letters that one system writes out", name("Jörg", "Müller"), name("Joerg", "MUELLER")],
    ["letters without an accent of their own", name("Søren", "Łukasz"), name("Soren", "Lukasz")],
    ["a name written as one word", name("Anna-Maria", "Sample"), name("Annamaria", "Example")],
    ["another script", name("Наталья", "Иванова"), name("Natalia", "Ivanova")],
    [
      "a given name in Latin letters next to another script",
      { displayName: "山田 太郎" },
      { displayName: "Taro Yamada" },
    ],
    ["no name in Lattice", name("Kim", "Example"), {}],
    ["a name that is a dot", name("Kim", "Example"), { displayName: "." }],
    [
      "a changed domain",
      { ...name("Kim", "Example"), [email]: "kim@example.org" },
      { ...name("Kim", "Example"), [email]: "kim@example.com" },
    ],
    [
      "all of it new but for the address",
      { ...name("Robin", "Sample"), [email]: "robin.sample@example.com" },
      { ...name("Kim", "Example"), [email]: "Robin.Sample@example.com" },
    ],
    [
      "an alias that has the old name",
      { ...name("Robin", "Sample"), [email]: "robin.sample@example.com" },
      { ...name("R.", "X"), displayName: "RX", [email]: "robin@example.org" },
    ],
    [
      "an employeeNumber without its zeros",
      { ...name("Kim", "E"), [number]: "00123" },
      { ...name("Kim", "E"), [number]: "123" },
    ],
    ["an employeeNumber on one side", { ...name("Kim", "E"), [number]: "00123" }, name("Kim", "E")],
  ])("is the person's with %s", (_, wanted, account) => {
    expect(doubt(wanted, account)).toBeNull();
  });

  it.each<[string, JsonObject, JsonObject, string]>([
    [
      "another name",
      name("Kim", "Example"),
      name("Robin", "Sample"),
      "its name is not similar to the person's",
    ],
    [
      "another name and another address",
      { ...name("Kim", "Example"), [email]: "kim.example@example.com" },
      { ...name("Robin", "Sample"), [email]: "robin.sample@example.com" },
      "neither its name nor its e-mail address is similar to the person's",
    ],
    [
      "another name, and an address that is the userName",
      { ...name("Kim", "Example"), [email]: "kim@example.com" },
      { ...name("Robin", "Sample"), [email]: "kim@example.com" },
      "its name is not similar to the person's",
    ],
    [
      "a common beginning that is too short",
      name("Kim", "Example"),
      name("Kimura", "Sample"),
      "its name is not similar to the person's",
    ],
    [
      "the same name and another employeeNumber",
      { ...name("Kim", "Example"), [number]: "7" },
      { ...name("Kim", "Example"), [number]: "8" },
      "its employeeNumber is not the person's",
    ],
  ])("may be another person's with %s", (_, wanted, account, why) => {
    expect(doubt(wanted, account)).toBe(why);
  });

  it("is the person's whatever its other values are, if it carries the person's externalId", () => {
    expect(
      doubt(name("Kim", "Example"), { ...name("Robin", "Sample"), externalId: "the-person" }),
    ).toBeNull();
  });
});
