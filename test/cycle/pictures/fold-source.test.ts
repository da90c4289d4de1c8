import { describe, expect, it } from "vitest";
import { foldSource } from "../../../src/cycle/pictures/fold-source.ts";

const known = { attributes: { jobTitle: "Analyst", mail: "a@example.com" }, managerId: "m", unshown: [] };
const item = { kind: "upsert", objectId: "a", managerId: null } as const;

describe("a further read of a person", () => {
  it("in full empties the properties shown as empty, and keeps those that are not shown", () => {
    const read = {
      ...item,
      attributes: { mail: null },
      complete: true,
      unshown: ["jobTitle", "department"],
    } as const;
    expect(foldSource(known, read)).toEqual({
      attributes: { jobTitle: "Analyst" },
      managerId: null,
      unshown: ["department"],
      kept: ["jobTitle"],
    });
  });

  it("in full keeps a manager if no person in the answer shows one", () => {
    const read = {
      ...item,
      attributes: {},
      complete: true,
      managerId: undefined,
      perhapsNone: ["manager"],
    } as const;
    expect(foldSource(known, read)).toMatchObject({ managerId: "m", kept: ["manager"], attributes: {} });
    expect(foldSource(null, read)).toMatchObject({ managerId: null, kept: [], unshown: [] });
  });

  it("in part changes the properties that it shows, and makes unknown ones known", () => {
    const read = {
      ...item,
      attributes: { department: null, mail: "b@example.com" },
      complete: false,
    } as const;
    expect(foldSource({ ...known, unshown: ["department", "city"] }, read)).toEqual({
      attributes: { jobTitle: "Analyst", mail: "b@example.com" },
      managerId: null,
      unshown: ["city"],
      kept: [],
    });
  });
});
