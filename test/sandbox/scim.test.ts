import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { type Sandbox, type ScimOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { enterprise, lattice, scim, userSchema } from "./clients.ts";
import { createManualClock } from "./manual-clock.ts";

const clock = createManualClock();
let sandbox: Sandbox;

const start = async (options: ScimOptions = {}) => {
  sandbox = await startSandbox({ file: ":memory:", ends: "lattice", scim: options, clock });
};
const user = (more: JsonObject = {}): JsonObject => ({
  schemas: [userSchema],
  userName: "mira@example.com",
  ...more,
});
const create = async (more: JsonObject = {}) => {
  const { status, body } = await scim(sandbox, "POST", "/Users", user(more));
  if (status !== 201) throw new Error(`Not created: ${JSON.stringify(body)}`);
  return body;
};
const add = (count: number) => {
  for (let index = 0; index < count; index += 1)
    sandbox.lattice.create({ userName: `u${index}@example.com` });
};

beforeEach(() => start());
afterEach(() => sandbox.close());

describe("a create in the embedded Lattice", () => {
  it("returns the whole account with its location and dates", async () => {
    const manager = await create({ userName: "boss@example.com", displayName: "Boss" });
    const { status, headers, body } = await scim(
      sandbox,
      "POST",
      "/Users",
      user({
        externalId: "object-1",
        active: true,
        name: { givenName: "Mira", familyName: "Dovel" },
        emails: [{ type: "work", value: "mira@example.com", primary: true }],
        [enterprise]: { department: "Finance", manager: { value: manager.id ?? "" } },
        [lattice]: { officeLocation: "Ålesund", startDate: "2026-01-05" },
      }),
    );
    const location = `${sandbox.latticeUrl}/Users/${body.id}`;
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(location);
    expect(headers.get("content-type")).toContain("application/scim+json");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toMatchObject({
      userName: "mira@example.com",
      externalId: "object-1",
      groups: [],
      [enterprise]: {
        department: "Finance",
        manager: {
          value: manager.id,
          displayName: "Boss",
          $ref: `${sandbox.latticeUrl}/Users/${manager.id}`,
        },
      },
      [lattice]: { officeLocation: "Ålesund", startDate: "2026-01-05" },
      meta: { resourceType: "User", location, lastModified: new Date(clock.now()).toISOString() },
    });
    expect((await scim(sandbox, "GET", `/Users/${body.id}`)).body).toEqual(body);
  });

  it.each<[string, JsonObject, number, string]>([
    ["a userName in other letter case", { userName: "TAKEN@example.com" }, 409, "uniqueness"],
    ["an externalId that is taken", { externalId: "taken" }, 409, "uniqueness"],
    ["a userName that is no email address", { userName: "front..desk@example" }, 400, "invalidValue"],
    ["no userName", { userName: null }, 400, "invalidValue"],
    ["a boolean as a string", { active: "True" }, 400, "invalidValue"],
    ["a manager who is nobody", { [enterprise]: { manager: { value: "nobody" } } }, 400, "invalidValue"],
    ["a manager that is no object", { [enterprise]: { manager: "nobody" } }, 400, "invalidValue"],
    ["an unknown time zone", { timezone: "Pacific Standard Time" }, 400, "invalidValue"],
    ["a day that does not exist", { [lattice]: { birthDate: "2026-02-30" } }, 400, "invalidValue"],
    ["no schemas", { schemas: [] }, 400, "invalidSyntax"],
  ])("refuses %s", async (_, wrong, expectedStatus, scimType) => {
    await create({ userName: "taken@example.com", externalId: "taken" });
    const { status, body } = await scim(sandbox, "POST", "/Users", user(wrong));
    expect(status).toBe(expectedStatus);
    expect(body).toMatchObject({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: String(expectedStatus),
      scimType,
    });
    expect(sandbox.lattice.count()).toBe(1);
  });

  it("treats externalIds that differ in letter case as different", async () => {
    await create({ userName: "one@example.com", externalId: "abc" });
    await create({ userName: "two@example.com", externalId: "ABC" });
    expect(sandbox.lattice.byExternalId("ABC")?.userName).toBe("two@example.com");
  });

  it("ignores unknown attributes, or refuses them if set", async () => {
    const odd = { shoeSize: 43, [lattice]: { favouriteColour: "blue" } };
    expect(await create(odd)).not.toHaveProperty("shoeSize");
    await sandbox.close();
    await start({ unknownAttributes: "refuse" });
    expect((await scim(sandbox, "POST", "/Users", user(odd))).status).toBe(400);
  });
});

describe("the listing of the embedded Lattice", () => {
  it("caps pages, keeps a stable order and states the total", async () => {
    await sandbox.close();
    await start({ maxPageSize: 7 });
    add(20);
    const seen: unknown[] = [];
    const sizes: unknown[] = [];
    for (let startIndex = 1; startIndex <= 20; ) {
      const { body } = await scim(sandbox, "GET", `/Users?startIndex=${startIndex}&count=100`);
      const page = Array.isArray(body.Resources) ? body.Resources : [];
      expect(body).toMatchObject({ totalResults: 20, startIndex, itemsPerPage: page.length });
      seen.push(...page.map((one: unknown) => one));
      sizes.push(page.length);
      startIndex += page.length;
    }
    expect(sizes).toEqual([7, 7, 6]);
    expect(seen).toEqual([...sandbox.lattice.accounts()]);
    expect((await scim(sandbox, "GET", "/Users?startIndex=21")).body).toMatchObject({
      totalResults: 20,
      Resources: [],
    });
  });

  it("finds its pages also after accounts were removed", async () => {
    add(10);
    for (const name of ["u2@example.com", "u5@example.com"]) {
      sandbox.lattice.remove(String(sandbox.lattice.byUserName(name)?.id));
    }
    const names = [...sandbox.lattice.accounts()].map(({ userName }) => userName);
    expect(names).toHaveLength(8);
    const { body } = await scim(sandbox, "GET", "/Users?startIndex=4&count=3");
    expect(body.totalResults).toBe(8);
    expect(body.Resources).toMatchObject(names.slice(3, 6).map((userName) => ({ userName })));
  });
});

describe("a filter of the embedded Lattice", () => {
  const find = async (filter: string) => scim(sandbox, "GET", `/Users?filter=${encodeURIComponent(filter)}`);

  it("matches userName in any letter case, and externalId exactly", async () => {
    const { id } = await create({ externalId: 'a"b\\c' });
    expect((await find('userName eq "MIRA@example.com"')).body).toMatchObject({
      totalResults: 1,
      Resources: [{ id }],
    });
    expect((await find('externalId eq "a\\"b\\\\c"')).body).toMatchObject({
      totalResults: 1,
      Resources: [{ id }],
    });
    expect((await find('externalId eq "A\\"b\\\\c"')).body).toMatchObject({ totalResults: 0, Resources: [] });
  });

  it.each([
    'emails[type eq "work"].value eq "a@example.com"',
    'userName sw "m"',
    'displayName eq "Mira"',
    'userName eq "a" or userName eq "b"',
    "userName eq 'a'",
  ])("refuses %s", async (filter) => {
    const { status, body } = await find(filter);
    expect({ status, scimType: body.scimType }).toEqual({ status: 400, scimType: "invalidFilter" });
  });
});

describe("a PUT to the embedded Lattice", () => {
  it("clears what is left out, but neither externalId nor active", async () => {
    const { id } = await create({
      externalId: "x",
      active: false,
      title: "Baker",
      [enterprise]: { department: "Finance" },
    });
    const { status, body } = await scim(sandbox, "PUT", `/Users/${id}`, user({ displayName: "Mira" }));
    expect(status).toBe(200);
    expect(body).toMatchObject({ externalId: "x", active: false, displayName: "Mira" });
    expect(body).not.toHaveProperty("title");
    expect(body).not.toHaveProperty(enterprise);
  });

  it("refuses another externalId, and missing accounts", async () => {
    const { id } = await create({ externalId: "x" });
    const { status, body } = await scim(sandbox, "PUT", `/Users/${id}`, user({ externalId: "y" }));
    expect({ status, scimType: body.scimType }).toEqual({ status: 400, scimType: "mutability" });
    expect((await scim(sandbox, "PUT", "/Users/nobody", user())).status).toBe(404);
  });
});

describe("the embedded Lattice", () => {
  it("refuses every request without the API key", async () => {
    const { status, body } = await scim(sandbox, "GET", "/Users", undefined, {
      Authorization: "Bearer wrong",
    });
    expect(status).toBe(401);
    expect(body).toMatchObject({ status: "401", schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"] });
  });

  it.each([
    ["GET", "/Groups", 501],
    ["POST", "/Bulk", 501],
    ["DELETE", "/Users/any", 501],
    ["DELETE", "/Users", 405],
    ["GET", "/Users/any", 404],
    ["GET", "/Elsewhere", 404],
    ["GET", "/Users?aadOptscim062020", 400],
    ["GET", "/ServiceProviderConfig?aadOptscim062020=1", 400],
  ])("answers %s %s with %i in SCIM's form", async (method, path, expected) => {
    const { status, body } = await scim(sandbox, method, path, method === "POST" ? {} : undefined);
    expect(status).toBe(expected);
    expect(body.status).toBe(String(expected));
  });

  it("refuses a body that is not JSON", async () => {
    const { status, body } = await scim(sandbox, "POST", "/Users", "{");
    expect({ status, scimType: body.scimType }).toEqual({ status: 400, scimType: "invalidSyntax" });
  });

  it("limits the rate, and says how long to wait", async () => {
    await sandbox.close();
    await start({ rateLimit: { requestsPerSecond: 1, burst: 2 } });
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await scim(sandbox, "GET", "/Users")).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refused = await scim(sandbox, "GET", "/Users");
    expect(refused.headers.get("retry-after")).toBe("1");
    clock.advance(1_000);
    expect((await scim(sandbox, "GET", "/Users")).status).toBe(200);
  });
});

it("describes itself: what it supports, its schemas and its resource types", async () => {
  expect((await scim(sandbox, "GET", "/ServiceProviderConfig")).body).toMatchObject({
    patch: { supported: true },
    bulk: { supported: false },
    filter: { supported: true, maxResults: 200 },
  });
  for (const path of ["/Schemas", "/schemas"]) {
    const { body } = await scim(sandbox, "GET", path);
    const schemas = Array.isArray(body.Resources) ? body.Resources : [];
    expect(schemas).toMatchObject([{ id: userSchema }, { id: enterprise }, { id: lattice }]);
    expect(JSON.stringify(schemas[2])).toContain('"officeLocation"');
  }
  expect((await scim(sandbox, "GET", "/ResourceTypes/User")).body).toMatchObject({ endpoint: "/Users" });
});

it("shows custom attributes under their display names if set", async () => {
  await sandbox.close();
  await start({ customNamesOnRead: "displayName" });
  const body = await create({ [lattice]: { officeLocation: "Ålesund", gender: "x" } });
  expect(body[lattice]).toEqual({ "Office Location": "Ålesund", gender: "x" });
});
