import { describe, expect, it } from "vitest";
import { compilePaths } from "../../src/lattice/path.ts";
import { applyWrites, buildCreateBody, parseUser } from "../../src/lattice/resource.ts";
import { enterpriseUrn, knownPaths, latticeUrn } from "./loopback.ts";

const workPath = 'emails[type eq "work"].value';
const paths = compilePaths([...knownPaths, `${latticeUrn}:officeLocation`]);

const full = {
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterpriseUrn],
  id: "l-1",
  externalId: "o-1",
  userName: "Ada@example.com",
  active: true,
  name: { givenName: "Ada", familyName: "Byron", formatted: "Ada Byron" },
  title: "Analyst",
  nickName: "unmapped",
  emails: [{ type: "work", value: "ada@example.com", primary: true }],
  [enterpriseUrn]: {
    department: "Engines",
    manager: { value: "l-9", $ref: "../Users/l-9", displayName: "Boss" },
  },
};

describe("a SCIM user that is read", () => {
  it("gives only the mapped values, by the path of the mapping", () => {
    expect(parseUser(full, paths)).toEqual({
      latticeId: "l-1",
      userName: "Ada@example.com",
      externalId: "o-1",
      active: true,
      values: {
        userName: "Ada@example.com",
        externalId: "o-1",
        active: true,
        title: "Analyst",
        "name.givenName": "Ada",
        "name.familyName": "Byron",
        [workPath]: "ada@example.com",
        [`${enterpriseUrn}:department`]: "Engines",
        [`${enterpriseUrn}:manager`]: "l-9",
      },
    });
  });

  it.each([null, "", [], {}])("reads %j as no value", (nothing) => {
    const user = parseUser(
      { id: "l-1", userName: "a@example.com", title: nothing, externalId: nothing },
      paths,
    );
    expect(user?.values).toEqual({ userName: "a@example.com" });
    expect(user?.externalId).toBeNull();
  });

  it.each(["l-9", { value: "l-9" }, { Value: "l-9", $ref: "x", displayName: "Boss" }])(
    "reads the manager from %j",
    (manager) => {
      const user = parseUser({ id: "l-1", [enterpriseUrn]: { manager } }, paths);
      expect(user?.values[`${enterpriseUrn}:manager`]).toBe("l-9");
    },
  );

  it("reads words instead of the boolean", () => {
    expect(parseUser({ id: "l-1", active: "False" }, paths)).toMatchObject({
      active: false,
      values: { active: false },
    });
  });

  it("finds attributes whatever their case, and Lattice's custom ones under their display names", () => {
    const user = parseUser(
      { ID: "l-1", USERNAME: "a@example.com", [latticeUrn]: { "Office Location": "Oslo" } },
      paths,
    );
    expect(user).toMatchObject({
      latticeId: "l-1",
      userName: "a@example.com",
      values: { userName: "a@example.com", [`${latticeUrn}:officeLocation`]: "Oslo" },
    });
  });

  it.each([{}, { id: "" }, { id: null }, { id: ".." }, [], "l-1", null])(
    "is not accepted if it is %j",
    (resource) => {
      expect(parseUser(resource, paths)).toBeUndefined();
    },
  );

  it.each([
    ["the only one", [{ value: "ada@example.com" }], "ada@example.com"],
    [
      "the primary one",
      [{ value: "x@example.com" }, { value: "ada@example.com", Primary: true }],
      "ada@example.com",
    ],
    ["a plain value", ["ada@example.com"], "ada@example.com"],
    [
      "one of several, none of them primary",
      [{ value: "x@example.com" }, { value: "y@example.com" }],
      undefined,
    ],
    [
      "beside one of the type",
      [{ value: "x@example.com" }, { type: "Work", value: "ada@example.com" }],
      "ada@example.com",
    ],
    ["of another type", [{ type: "home", value: "x@example.com", primary: true }], undefined],
  ])("reads an entry without a type as the mapped one: %s", (_which, emails, value) => {
    expect(parseUser({ id: "l-1", emails }, paths)?.values[workPath]).toBe(value);
  });

  it("reads an entry without a type as only one of the mapped types: work", () => {
    const mobile = 'phoneNumbers[type eq "mobile"].value';
    const work = 'phoneNumbers[type eq "work"].value';
    const resource = { id: "l-1", phoneNumbers: [{ value: "+47 1" }] };
    expect(parseUser(resource, compilePaths([mobile, work]))?.values).toEqual({ [work]: "+47 1" });
    expect(parseUser(resource, compilePaths([mobile]))?.values).toEqual({ [mobile]: "+47 1" });
    expect(parseUser(resource, compilePaths([mobile, 'phoneNumbers[type eq "fax"].value']))?.values).toEqual(
      {},
    );
  });

  it("finds an extension whatever the case of its URN", () => {
    const resource = {
      id: "l-1",
      [enterpriseUrn.toUpperCase()]: { DEPARTMENT: "Engines", manager: { value: "l-9" } },
    };
    expect(parseUser(resource, paths)?.values).toEqual({
      [`${enterpriseUrn}:department`]: "Engines",
      [`${enterpriseUrn}:manager`]: "l-9",
    });
    const spelled = `${enterpriseUrn.toUpperCase()}:manager`;
    expect(
      parseUser({ id: "l-1", [enterpriseUrn]: { manager: { value: "l-9" } } }, compilePaths([spelled]))
        ?.values,
    ).toEqual({
      [spelled]: "l-9",
    });
  });

  it.each([
    ["https://lattice.example.com/scim/v2/Users/l-9", "l-9"],
    ["../Users/l%209", "l 9"],
    ["https://lattice.example.com/scim/v2/Groups/l-9", undefined],
    ["Users/%E0%A4%A", undefined],
  ])("reads a manager that is only a reference: %s", ($ref, id) => {
    expect(
      parseUser({ id: "l-1", [enterpriseUrn]: { manager: { $ref } } }, paths)?.values[
        `${enterpriseUrn}:manager`
      ],
    ).toBe(id);
  });

  it("treats a missing active as unknown", () => {
    expect(parseUser({ id: "l-1" }, paths)?.active).toBeNull();
    expect(parseUser({ id: "l-1", active: null }, paths)?.active).toBeNull();
    expect(parseUser({ id: "l-1", Active: "False" }, paths)?.active).toBe(false);
  });

  it("prefers the primary one of two entries of a type", () => {
    const emails = [
      { type: "work", value: "old@example.com" },
      { type: "work", value: "new@example.com", primary: true },
    ];
    expect(parseUser({ id: "l-1", emails }, paths)?.values[workPath]).toBe("new@example.com");
  });
});

describe("the body of a create", () => {
  it("nests the paths and names the extensions in use", () => {
    const writes = [
      { path: "userName", value: "ada@example.com" },
      { path: "active", value: true },
      { path: "title", value: null },
      { path: "name.givenName", value: "Ada" },
      { path: "name.familyName", value: "Byron" },
      { path: workPath, value: "ada@example.com" },
      { path: `${enterpriseUrn}:manager`, value: "l-9" },
      { path: `${latticeUrn}:officeLocation`, value: null },
    ];
    expect(buildCreateBody(writes, paths)).toEqual({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterpriseUrn],
      userName: "ada@example.com",
      active: true,
      name: { givenName: "Ada", familyName: "Byron" },
      emails: [{ type: "work", value: "ada@example.com", primary: true }],
      [enterpriseUrn]: { manager: { value: "l-9" } },
    });
  });
});

describe("writes applied to a known account", () => {
  it("give the expected account", () => {
    const user = parseUser({ ...full, emails: [{ type: "home", value: "h@example.com" }] }, paths);
    if (user === undefined) throw new Error("no user");
    const after = applyWrites(
      user,
      [
        { path: "userName", value: "ada.byron@example.com" },
        { path: "active", value: false },
        { path: "title", value: null },
        { path: workPath, value: "ada.byron@example.com" },
      ],
      paths,
    );
    expect(after).toMatchObject({
      latticeId: "l-1",
      userName: "ada.byron@example.com",
      active: false,
      externalId: "o-1",
    });
    expect(after.values.title).toBeUndefined();
    expect(after.values[workPath]).toBe("ada.byron@example.com");
  });
});
