import { describe, expect, it } from "vitest";
import { foldSource } from "../../src/cycle/pictures/fold-source.ts";

const known = { attributes: { jobTitle: "Analyst", mail: "a@example.com" }, managerId: "m", unshown: [] };
const item = { kind: "upsert", objectId: "a", managerId: null } as const;

describe("one more read of a person", () => {
  it("in full empties what it shows as empty, and keeps what it does not show", () => {
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

  it("in full keeps a manager that nobody in the answer shows", () => {
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

  it("in part changes what it shows, and what was unknown is known when it does", () => {
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
