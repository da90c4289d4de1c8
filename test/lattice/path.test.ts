import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/domain/errors.ts";
import { compilePaths, parseScimPath } from "../../src/lattice/path.ts";
import { enterpriseUrn, latticeUrn } from "./loopback.ts";

describe("a SCIM path", () => {
  it.each([
    ["userName", null, "userName", null, null],
    ["name.givenName", null, "name", null, "givenName"],
    ['emails[type eq "work"].value', null, "emails", "work", "value"],
    ['phoneNumbers[ TYPE EQ "work" ].value', null, "phoneNumbers", "work", "value"],
    [`${enterpriseUrn}:department`, enterpriseUrn, "department", null, null],
    [`${latticeUrn}:officeLocation`, latticeUrn, "officeLocation", null, null],
    ["urn:ietf:params:scim:schemas:core:2.0:User:title", null, "title", null, null],
  ])("%s is parsed", (text, schema, attribute, type, subAttribute) => {
    const takesUntyped = type === "work";
    expect(parseScimPath(text)).toEqual({
      text,
      schema,
      attribute,
      type,
      subAttribute,
      reference: false,
      takesUntyped,
    });
  });

  it("of the manager is a reference", () => {
    expect(parseScimPath(`${enterpriseUrn}:manager`).reference).toBe(true);
    expect(parseScimPath(`${enterpriseUrn}:manager.value`).reference).toBe(true);
    expect(parseScimPath("manager").reference).toBe(false);
  });

  it.each([
    "",
    "user name",
    "emails",
    "emails.value",
    'emails[type eq "work"]',
    'emails[primary eq "True"].value',
    'emails[type ne "work"].value',
    'emails[type eq "work" and primary eq true].value',
    "name.given.name",
    "id",
    "meta.created",
    "groups",
    "title.value",
    enterpriseUrn,
    `${enterpriseUrn}:manager.displayName`,
  ])("%j is refused", (text) => {
    expect(() => parseScimPath(text)).toThrow(UsageError);
  });

  it("may not be in a mapping twice, not even in another letter case", () => {
    expect(() => compilePaths(["title", "Title"])).toThrow(
      '"title" and "Title" are the same SCIM attribute.',
    );
  });
});
