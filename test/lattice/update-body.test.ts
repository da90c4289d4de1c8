import { describe, expect, it } from "vitest";
import { compilePaths } from "../../src/lattice/path.ts";
import { parseUser } from "../../src/lattice/resource.ts";
import { buildPatchBody, buildPutBody } from "../../src/lattice/update-body.ts";
import { ENTERPRISE, LATTICE, PATHS } from "./loopback.ts";

const WORK = 'emails[type eq "work"].value';
const paths = compilePaths(PATHS);

function operations(emails: object[], writes: { path: string; value: string | boolean | null }[]) {
  const user = parseUser({ id: "l-1", userName: "a@example.com", emails }, paths);
  if (user === undefined) throw new Error("no user");
  return buildPatchBody(user, writes, paths).Operations;
}

describe("the body of a PATCH", () => {
  it("replaces and removes with lower-case operations and real booleans", () => {
    const writes = [
      { path: "active", value: false },
      { path: "title", value: null },
      { path: "name.givenName", value: "Ada" },
      { path: `${ENTERPRISE}:department`, value: "Engines" },
    ];
    expect(operations([], writes)).toEqual([
      { op: "replace", path: "active", value: false },
      { op: "remove", path: "title" },
      { op: "replace", path: "name.givenName", value: "Ada" },
      { op: "replace", path: `${ENTERPRISE}:department`, value: "Engines" },
    ]);
  });

  it("sends the manager as an object, and removes it", () => {
    const path = `${ENTERPRISE}:manager`;
    expect(operations([], [{ path, value: "l-9" }])).toEqual([
      { op: "replace", path, value: { value: "l-9" } },
    ]);
    expect(operations([], [{ path, value: null }])).toEqual([{ op: "remove", path }]);
  });

  it("sends the whole of a multi-valued attribute without a filter, other entries and parts included", () => {
    const emails = [
      { type: "home", value: "h@example.com" },
      { type: "work", value: "a@example.com", primary: true, display: "Ada" },
    ];
    expect(operations(emails, [{ path: WORK, value: "b@example.com" }])).toEqual([
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

  it("marks a sole e-mail address as primary, but not one beside others", () => {
    const value = "b@example.com";
    expect(operations([], [{ path: WORK, value }])).toEqual([
      { op: "replace", path: "emails", value: [{ type: "work", value, primary: true }] },
    ]);
    const home = { type: "home", value: "h@example.com", primary: true };
    expect(operations([home], [{ path: WORK, value }])).toEqual([
      { op: "replace", path: "emails", value: [home, { type: "work", value }] },
    ]);
  });

  it("leaves the second of two work addresses alone", () => {
    const emails = [
      { type: "work", value: "kept@example.com" },
      { type: "work", value: "a@example.com", primary: true },
    ];
    expect(operations(emails, [{ path: WORK, value: "b@example.com" }])).toEqual([
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

  it("takes a cleared entry out, and the attribute with its last entry", () => {
    const work = { type: "work", value: "a@example.com", primary: true, display: "Ada" };
    const home = { type: "home", value: "h@example.com" };
    expect(operations([work, home], [{ path: WORK, value: null }])).toEqual([
      { op: "replace", path: "emails", value: [home] },
    ]);
    expect(operations([work], [{ path: WORK, value: null }])).toEqual([{ op: "remove", path: "emails" }]);
  });
});

describe("the body of a PUT", () => {
  it("carries what is not mapped, and leaves out what is the server's", () => {
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
      [LATTICE]: { "Office Location": "Oslo", gender: "x" },
    };
    const writes = [
      { path: "title", value: null },
      { path: "name.givenName", value: "Augusta" },
      { path: `${ENTERPRISE}:manager`, value: "l-9" },
    ];
    expect(buildPutBody(resource, writes, paths)).toEqual({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
      id: "l-1",
      externalId: "o-1",
      userName: "a@example.com",
      name: { givenName: "Augusta", formatted: "Ada Byron" },
      photos: resource.photos,
      [LATTICE]: { officeLocation: "Oslo", gender: "x" },
      [ENTERPRISE]: { manager: { value: "l-9" } },
    });
  });
});
