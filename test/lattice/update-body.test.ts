import { describe, expect, it } from "vitest";
import type { Json } from "../../src/domain/json.ts";
import { compilePaths } from "../../src/lattice/path.ts";
import { buildPatchBody, buildPutBody } from "../../src/lattice/update-body.ts";
import { enterpriseUrn, knownPaths, latticeUrn } from "./loopback.ts";

const workPath = 'emails[type eq "work"].value';
const paths = compilePaths(knownPaths);

function operations(emails: Json[], writes: { path: string; value: string | boolean | null }[]) {
  return buildPatchBody({ id: "l-1", userName: "a@example.com", emails }, writes, paths)?.Operations;
}

describe("the body of a PATCH", () => {
  it("replaces and removes with lower-case operations and real booleans", () => {
    const writes = [
      { path: "active", value: false },
      { path: "title", value: null },
      { path: "name.givenName", value: "Ada" },
      { path: `${enterpriseUrn}:department`, value: "Engines" },
    ];
    expect(operations([], writes)).toEqual([
      { op: "replace", path: "active", value: false },
      { op: "remove", path: "title" },
      { op: "replace", path: "name.givenName", value: "Ada" },
      { op: "replace", path: `${enterpriseUrn}:department`, value: "Engines" },
    ]);
  });

  it("sends the manager as an object, and removes it", () => {
    const path = `${enterpriseUrn}:manager`;
    expect(operations([], [{ path, value: "l-9" }])).toEqual([
      { op: "replace", path, value: { value: "l-9" } },
    ]);
    expect(operations([], [{ path, value: null }])).toEqual([{ op: "remove", path }]);
    // If a new value would leave the former manager's other parts, the manager is removed first, and once.
    expect(buildPatchBody({}, [{ path, value: null }], paths, new Set([path]))?.Operations).toEqual([
      { op: "remove", path },
    ]);
    const value = `${path}.value`;
    expect(buildPatchBody({}, [{ path: value, value: "l-9" }], compilePaths([value]))?.Operations).toEqual([
      { op: "replace", path, value: { value: "l-9" } },
    ]);
  });

  it("sends the whole of a multi-valued attribute without a filter, other entries and parts included", () => {
    const emails = [
      { type: "home", value: "h@example.com" },
      { type: "work", value: "a@example.com", primary: true, display: "Ada" },
    ];
    expect(operations(emails, [{ path: workPath, value: "b@example.com" }])).toEqual([
      {
        op: "replace",
        path: "emails",
        value: [
          { type: "home", value: "h@example.com" },
          { type: "work", value: "b@example.com", primary: true, display: "Ada" },
        ],
      },
    ]);
  });

  it("marks a sole e-mail address as primary, but not one next to others", () => {
    const value = "b@example.com";
    expect(operations([], [{ path: workPath, value }])).toEqual([
      { op: "replace", path: "emails", value: [{ type: "work", value, primary: true }] },
    ]);
    const home = { type: "home", value: "h@example.com", primary: true };
    expect(operations([home], [{ path: workPath, value }])).toEqual([
      { op: "replace", path: "emails", value: [home, { type: "work", value }] },
    ]);
  });

  it("leaves the second of two work addresses alone", () => {
    const emails = [
      { type: "work", value: "kept@example.com" },
      { type: "work", value: "a@example.com", primary: true },
    ];
    expect(operations(emails, [{ path: workPath, value: "b@example.com" }])).toEqual([
      {
        op: "replace",
        path: "emails",
        value: [
          { type: "work", value: "kept@example.com" },
          { type: "work", value: "b@example.com", primary: true },
        ],
      },
    ]);
  });

  it("removes a cleared entry, and the attribute with its last entry", () => {
    const work = { type: "work", value: "a@example.com", primary: true, display: "Ada" };
    const home = { type: "home", value: "h@example.com" };
    expect(operations([work, home], [{ path: workPath, value: null }])).toEqual([
      { op: "replace", path: "emails", value: [home] },
    ]);
    expect(operations([work], [{ path: workPath, value: null }])).toEqual([{ op: "remove", path: "emails" }]);
  });

  it.each([
    ["the only one", [{ value: "a@example.com" }], [{ value: "b@example.com" }]],
    [
      "the primary one",
      [{ value: "x@example.com" }, { value: "a@example.com", primary: true }],
      [{ value: "x@example.com" }, { value: "b@example.com", primary: true }],
    ],
    ["a plain value", ["a@example.com"], ["b@example.com"]],
    [
      "one whose type is empty",
      [{ type: "", value: "a@example.com" }],
      [{ type: "", value: "b@example.com" }],
    ],
    [
      "none beside one of another type",
      [{ type: "home", value: "h@example.com" }, { value: "x@example.com" }],
      [
        { type: "home", value: "h@example.com" },
        { value: "x@example.com" },
        { type: "work", value: "b@example.com" },
      ],
    ],
    [
      "none of several",
      [{ value: "x@example.com" }, { value: "y@example.com" }],
      [{ value: "x@example.com" }, { value: "y@example.com" }, { type: "work", value: "b@example.com" }],
    ],
  ])("replaces an entry without a type in its place: %s", (_which, emails, value) => {
    expect(operations(emails, [{ path: workPath, value: "b@example.com" }])).toEqual([
      { op: "replace", path: "emails", value },
    ]);
  });

  it.each([
    [[{ value: "a@example.com", primary: true }]],
    [["a@example.com"]],
    [[{ type: "WORK", Value: "a@example.com", display: "A" }]],
    [[{ type: "work", value: "a@example.com", verified: true }]],
  ])("clears an entry %j", (emails) => {
    expect(operations(emails, [{ path: workPath, value: null }])).toEqual([{ op: "remove", path: "emails" }]);
  });

  it("never sends an entry without a value", () => {
    const emails = [{ type: "work", value: "a@example.com" }, { type: "work" }, { type: "home", value: "" }];
    expect(operations(emails, [{ path: workPath, value: "b@example.com" }])).toEqual([
      { op: "replace", path: "emails", value: [{ type: "work", value: "b@example.com" }] },
    ]);
    const two = [
      { type: "work", value: "a@example.com" },
      { type: "work", value: "kept@example.com" },
    ];
    expect(operations(two, [{ path: workPath, value: null }])).toEqual([
      { op: "replace", path: "emails", value: [{ type: "work", value: "kept@example.com" }] },
    ]);
  });

  it("gives another address no primary mark", () => {
    const home = compilePaths(['emails[type eq "home"].value']);
    const writes = [{ path: 'emails[type eq "home"].value', value: "h@example.com" }];
    expect(buildPatchBody({}, writes, home)?.Operations).toEqual([
      { op: "replace", path: "emails", value: [{ type: "home", value: "h@example.com" }] },
    ]);
    expect(
      operations([{ type: "work", value: "a@example.com" }], [{ path: workPath, value: "b@example.com" }]),
    ).toEqual([{ op: "replace", path: "emails", value: [{ type: "work", value: "b@example.com" }] }]);
  });

  describe("for parts of an entry without a value of its own", () => {
    const street = 'addresses[type eq "work"].streetAddress';
    const city = 'addresses[type eq "work"].locality';
    const table = compilePaths([street, city]);
    const home = { type: "home", country: "NO" };
    const sent = (addresses: Json[], writes: { path: string; value: string | null }[]) =>
      buildPatchBody({ addresses }, writes, table)?.Operations;

    it("is one operation, and the other entries stay", () => {
      const writes = [
        { path: street, value: "Main Street 1" },
        { path: city, value: "Oslo" },
      ];
      const work = { type: "work", streetAddress: "Main Street 1", locality: "Oslo" };
      expect(sent([home], writes)).toEqual([{ op: "replace", path: "addresses", value: [home, work] }]);
    });

    it("removes the entry with its last part, however its labels are spelled", () => {
      const work = { Type: "work", Primary: true, Display: "Office", streetAddress: "Main Street 1" };
      expect(sent([work, home], [{ path: street, value: null }])).toEqual([
        { op: "replace", path: "addresses", value: [home] },
      ]);
      const rest = { ...work, locality: "Oslo" };
      expect(sent([rest], [{ path: street, value: null }])).toEqual([
        {
          op: "replace",
          path: "addresses",
          value: [{ Type: "work", Primary: true, Display: "Office", locality: "Oslo" }],
        },
      ]);
    });
  });

  it("means the same with a path in another letter case", () => {
    const text = 'Emails[type eq "Work"].Value';
    const table = compilePaths([text]);
    const writes = [{ path: text, value: "b@example.com" }];
    expect(buildPatchBody({ emails: ["a@example.com"] }, writes, table)?.Operations).toEqual([
      { op: "replace", path: "Emails", value: ["b@example.com"] },
    ]);
    expect(buildPatchBody({}, writes, table)?.Operations).toEqual([
      { op: "replace", path: "Emails", value: [{ type: "Work", Value: "b@example.com", primary: true }] },
    ]);
  });

  it("is left out if the entry to remove does not exist", () => {
    expect(buildPatchBody({}, [{ path: workPath, value: null }], paths)).toBeUndefined();
  });
});

describe("the body of a PUT", () => {
  it("keeps unmapped attributes, and leaves out the server's own", () => {
    const resource = {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      id: "l-1",
      externalId: "o-1",
      userName: "a@example.com",
      title: "Analyst",
      name: { givenName: "Ada", formatted: "Ada Byron" },
      photos: [{ type: "thumbnail", value: "https://example.com/a.png" }],
      groups: [],
      meta: { resourceType: "User" },
      [latticeUrn]: { "Office Location": "Oslo", costCenter: "7", gender: "x" },
    };
    const writes = [
      { path: "title", value: null },
      { path: "name.givenName", value: "Augusta" },
      { path: `${enterpriseUrn}:manager`, value: "l-9" },
    ];
    expect(buildPutBody(resource, writes, paths)).toEqual({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", latticeUrn, enterpriseUrn],
      id: "l-1",
      externalId: "o-1",
      userName: "a@example.com",
      name: { givenName: "Augusta", formatted: "Ada Byron" },
      photos: resource.photos,
      [latticeUrn]: { officeLocation: "Oslo", costCenter: "7", gender: "x" },
      [enterpriseUrn]: { manager: { value: "l-9" } },
    });
  });

  it("merges into names and URNs in the account's spelling, and lists the extensions in schemas", () => {
    const core = "urn:ietf:params:scim:schemas:core:2.0:User";
    const shouted = enterpriseUrn.toUpperCase();
    const resource = {
      Schemas: [core, latticeUrn],
      ID: "l-1",
      username: "a@example.com",
      Meta: { resourceType: "User" },
      [shouted]: {
        employeeNumber: "7",
        Manager: { value: "l-8", $ref: "../Users/l-8", displayName: "Former" },
      },
    };
    const writes = [
      { path: "userName", value: "b@example.com" },
      { path: `${enterpriseUrn}:department`, value: "Engines" },
      { path: `${enterpriseUrn}:manager`, value: "l-9" },
    ];
    expect(buildPutBody(resource, writes, paths)).toEqual({
      Schemas: [core, shouted],
      ID: "l-1",
      username: "b@example.com",
      [shouted]: { employeeNumber: "7", department: "Engines", Manager: { value: "l-9" } },
    });
  });
});
