import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import { parseSelection } from "../../src/entra/selection.ts";
import { parseDeltaItem, parseListedUser } from "../../src/entra/users.ts";

const selection = parseSelection(
  ["id", "displayName", "mail", "onPremisesExtensionAttributes", "manager"],
  "graph.test",
);
const withoutManager = parseSelection(["displayName"], "graph.test");

describe("parseSelection", () => {
  it("always requests the id, each property once, and keeps the manager apart", () => {
    expect(parseSelection(["mail", "MANAGER", "mail", " "], "h")).toMatchObject({
      properties: ["id", "mail"],
      manager: true,
    });
  });
});

describe("parseListedUser", () => {
  it("keeps the selected properties that have a value", () => {
    const user = {
      "@odata.type": "#microsoft.graph.user",
      id: "u1",
      displayName: "Ann",
      mail: null,
      jobTitle: "not selected",
      onPremisesExtensionAttributes: { extensionAttribute1: "x", extensionAttribute2: null },
      manager: { "@odata.type": "#microsoft.graph.user", id: "m1" },
    };
    expect(parseListedUser(user, selection)).toEqual({
      kind: "upsert",
      objectId: "u1",
      attributes: {
        id: "u1",
        displayName: "Ann",
        onPremisesExtensionAttributes: { extensionAttribute1: "x", extensionAttribute2: null },
      },
      complete: true,
      managerId: "m1",
    });
  });

  it("distinguishes a missing manager from one that was not requested", () => {
    expect(parseListedUser({ id: "u1" }, selection)).toMatchObject({ managerId: null });
    expect(parseListedUser({ id: "u1", manager: null }, selection)).toMatchObject({ managerId: null });
    expect(parseListedUser({ id: "u1", manager: { id: "m1" } }, withoutManager)).toMatchObject({
      managerId: undefined,
    });
  });

  it("uses the spelling of the configuration", () => {
    const other = parseSelection(["displayname"], "h");
    expect(parseListedUser({ id: "u1", displayName: "Ann" }, other)).toMatchObject({
      attributes: { displayname: "Ann" },
    });
  });

  it("drops __proto__ at any place", () => {
    const text =
      '{"id":"u1","__proto__":{"a":1},"onPremisesExtensionAttributes":{"__proto__":{"b":1},"c":2}}';
    const hostile = parseSelection(["onPremisesExtensionAttributes", "__proto__"], "h");
    const user = parseListedUser(JSON.parse(text), hostile);
    expect(JSON.stringify(user)).not.toContain("__proto__");
    expect(user).toMatchObject({ attributes: { onPremisesExtensionAttributes: { c: 2 } } });
  });

  it.each([
    ["a string", "u1"],
    ["a list", [{ id: "u1" }]],
    ["no id", { displayName: "Ann" }],
    ["an id that is a number", { id: 7 }],
    ["an empty id", { id: "" }],
    ["a manager without id", { id: "u1", manager: {} }],
    ["a manager that is a string", { id: "u1", manager: "m1" }],
  ])("refuses %s", (_name, value) => {
    expect(() => parseListedUser(value, selection)).toThrow(HostUnavailableError);
  });
});

describe("parseDeltaItem", () => {
  it("keeps null as a cleared value", () => {
    expect(parseDeltaItem({ id: "u1", mail: null, displayName: "Ann" }, selection)).toMatchObject({
      kind: "upsert",
      objectId: "u1",
      attributes: { id: "u1", mail: null, displayName: "Ann" },
      complete: false,
      managerId: undefined,
    });
  });

  const added = { "@odata.type": "#microsoft.graph.user", id: "m2" };
  const removed = { id: "m1", "@removed": { reason: "deleted" } };
  it.each([
    ["an added link", [added], "m2"],
    ["a removed link", [removed], null],
    ["a change, removal first", [removed, added], "m2"],
    ["a change, removal last", [added, removed], "m2"],
    ["an empty list", [], undefined],
    ["nothing", undefined, undefined],
  ])("reads the manager from %s", (_name, links, expected) => {
    const item = links === undefined ? { id: "u1" } : { id: "u1", "manager@delta": links };
    expect(parseDeltaItem(item, selection)).toMatchObject({ managerId: expected });
  });

  it.each([
    ["changed", "softDeleted"],
    ["deleted", "deleted"],
    ["something new", "softDeleted"],
  ])("reads a removal for the reason %j", (reason, presence) => {
    expect(parseDeltaItem({ id: "u1", "@removed": { reason } }, selection)).toEqual({
      kind: "removed",
      objectId: "u1",
      presence,
    });
  });

  it("refuses malformed manager links", () => {
    expect(() => parseDeltaItem({ id: "u1", "manager@delta": {} }, selection)).toThrow(HostUnavailableError);
    expect(() => parseDeltaItem({ id: "u1", "manager@delta": [{}] }, selection)).toThrow(
      HostUnavailableError,
    );
  });
});
