import { describe, expect, it } from "vitest";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

const target = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:startDate";

async function company(more: object) {
  return createWorkplace({
    mapping: mappingOf([...defaultRules, { target, source: "employeeHireDate", ...more }]),
  });
}

describe("a required attribute", () => {
  it("without a value of the right type keeps a person from being created, and the reason is reported", async () => {
    await using place = await company({ required: true });
    place.source.hire("kim", { employeeHireDate: "soon" });
    place.source.hire("ben", { employeeHireDate: "2026-01-31T08:00:00Z" });
    await place.cycle();
    expect(place.target.active()).toEqual(["ben@example.com"]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        objectId: "kim",
        code: "mappingFailed",
        reason: expect.stringMatching(/^startDate is required, .*"soon"/),
      },
    ]);
    place.source.change("kim", { employeeHireDate: "2026-03-01T08:00:00Z" });
    await place.cycle();
    expect(place.target.active()).toEqual(["ben@example.com", "kim@example.com"]);
  });

  it("keeps the person's other values unchanged, but does not keep a leaver active", async () => {
    await using place = await company({ required: true });
    place.source.hire("kim", { employeeHireDate: "2026-01-31T08:00:00Z" });
    await place.cycle();
    place.source.change("kim", { employeeHireDate: null, jobTitle: "Lead" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, skipped: 1 });
    place.source.change("kim", { accountEnabled: false });
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("that is only sent once concerns only new accounts", async () => {
    await using place = await company({ required: true, apply: "onCreate" });
    place.source.hire("kim", { employeeHireDate: "2026-01-31T08:00:00Z" });
    place.source.hire("ben");
    await place.cycle();
    place.source.change("kim", { employeeHireDate: null, jobTitle: "Lead" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 1, skipped: 1 });
  });
});

describe("an attribute of the wrong type", () => {
  it("is not changed, and the others are sent; the value is in no log above debug", async () => {
    await using place = await company({});
    place.source.hire("kim", { employeeHireDate: "2026-01-31T08:00:00Z" });
    await place.cycle();
    place.source.change("kim", { employeeHireDate: "hidden value", jobTitle: "Lead" });
    await place.cycle();
    const [account] = place.target.accounts.values();
    expect(account?.values).toMatchObject({ title: "Lead", [target]: "2026-01-31" });
    expect(place.warnings.join("\n")).toContain("startDate");
    expect(place.warnings.join("\n")).not.toContain("hidden value");
  });
});

describe("a date that Lattice shows as its midnight", () => {
  it("is not written again", async () => {
    await using place = await company({});
    place.source.hire("kim", { employeeHireDate: "2026-01-31T08:00:00Z" });
    await place.cycle();
    const [account] = place.target.accounts.values();
    if (account === undefined) throw new Error("no account was made");
    place.target.accounts.set(account.latticeId, {
      ...account,
      values: { ...account.values, [target]: "2026-01-31T00:00:00.000Z" },
    });
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ update: 0, unchanged: 1 });
  });
});
