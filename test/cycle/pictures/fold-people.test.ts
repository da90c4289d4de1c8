import { describe, expect, it } from "vitest";
import { type Derive, foldPeople } from "../../../src/cycle/pictures/fold-people.ts";
import type { SourceChange } from "../../../src/domain/source.ts";
import { personRow } from "../../state/contract/rows.ts";

const noKeys: Derive = {
  userNameKey: () => null,
  externalIdKey: () => null,
  alwaysInScope: () => false,
  ofManager: [],
};
const read: SourceChange = {
  kind: "upsert",
  objectId: "kim",
  attributes: { displayName: "Kim" },
  managerId: null,
  complete: true,
};

describe("a person on a page of the directory", () => {
  it("who is new is planned, even if nothing is mapped by which others could find them", () => {
    const { change } = foldPeople(new Map(), [read], 1, noKeys);
    expect(change.people?.put).toHaveLength(1);
    expect(change.marks).toContainEqual({ who: "person", objectId: "kim" });
  });

  it("who is as they were is not planned again", () => {
    const known = personRow("kim", { attributes: { displayName: "Kim" } });
    const { change } = foldPeople(new Map([["kim", known]]), [read], 2, noKeys);
    expect(change).toEqual({ people: { readIn: 2, put: [], seen: ["kim"] }, marks: [] });
  });
});
