import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { enterprise, lattice, patchOf, scim } from "./clients.ts";
import { createManualClock } from "./manual-clock.ts";

const clock = createManualClock();
let sandbox: Sandbox;
let boss: string;
let id: string;

beforeEach(async () => {
  sandbox = await startSandbox({ file: ":memory:", ends: "lattice", clock });
  boss = String(sandbox.lattice.create({ userName: "boss@example.com" }).id);
  const mira = sandbox.lattice.create({
    userName: "mira@example.com",
    externalId: "object-1",
    active: true,
    title: "Baker",
    name: { givenName: "Mira", familyName: "Dovel" },
    emails: [{ type: "work", value: "mira@example.com" }],
    [enterprise]: { department: "Finance", manager: { value: boss } },
  });
  id = String(mira.id);
});
afterEach(() => sandbox.close());

const patch = (...operations: JsonObject[]) => scim(sandbox, "PATCH", `/Users/${id}`, patchOf(...operations));

describe("operations of RFC 7644", () => {
  it("set and remove attributes by path, URN paths and parts of a name included", async () => {
    clock.advance(1_000);
    const { status, body } = await patch(
      { op: "replace", path: "active", value: false },
      { op: "replace", path: "name.givenName", value: "Mirabel" },
      { op: "remove", path: "title" },
      { op: "add", path: `${enterprise}:department`, value: "Legal" },
      { op: "remove", path: `${enterprise}:manager` },
      { op: "replace", path: `${lattice}:officeLocation`, value: "Hamburg" },
      { op: "replace", path: "emails", value: [{ type: "work", value: "mirabel@example.com" }] },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      active: false,
      name: { givenName: "Mirabel", familyName: "Dovel" },
      emails: [{ type: "work", value: "mirabel@example.com" }],
      [lattice]: { officeLocation: "Hamburg" },
      meta: { lastModified: new Date(clock.now()).toISOString() },
    });
    expect(body).not.toHaveProperty("title");
    expect(body[enterprise]).toEqual({ department: "Legal" });
    expect(sandbox.lattice.get(id)).toEqual(body);
  });

  it("set nested values without a path, and keep the others", async () => {
    const { body } = await patch({
      op: "replace",
      value: { title: "Chef", name: { familyName: "Quinmore" }, [enterprise]: { employeeNumber: "7" } },
    });
    expect(body).toMatchObject({
      title: "Chef",
      name: { givenName: "Mira", familyName: "Quinmore" },
      [enterprise]: { department: "Finance", employeeNumber: "7", manager: { value: boss } },
    });
  });

  it("set the manager as an object or by its value", async () => {
    const other = sandbox.lattice.create({ userName: "other@example.com" }).id ?? "";
    const whole = await patch({ op: "replace", path: `${enterprise}:manager`, value: { value: other } });
    expect(whole.body[enterprise]).toMatchObject({ manager: { value: other } });
    const part = await patch({ op: "replace", path: `${enterprise}:manager.value`, value: boss });
    expect(part.body[enterprise]).toMatchObject({ manager: { value: boss } });
  });

  it("clear with null, and add to lists without repeating", async () => {
    const work = { type: "work", value: "mira@example.com" };
    const home = { type: "home", value: "m@example.com" };
    const { body } = await patch(
      { op: "replace", path: "title", value: null },
      { op: "add", path: "emails", value: [work, home] },
    );
    expect(body).not.toHaveProperty("title");
    expect(body.emails).toEqual([work, home]);
  });

  it("keep the date of the last change if nothing changes", async () => {
    const before = sandbox.lattice.get(id);
    clock.advance(1_000);
    expect((await patch({ op: "replace", path: "title", value: "Baker" })).body).toEqual(before);
  });

  it("are applied together or not at all", async () => {
    const before = sandbox.lattice.get(id);
    const { status } = await patch(
      { op: "replace", path: "title", value: "Chef" },
      { op: "replace", path: "active", value: "False" },
    );
    expect(status).toBe(400);
    expect(sandbox.lattice.get(id)).toEqual(before);
  });
});

describe("the dialect of Azure's client and other mistakes", () => {
  it.each<[string, JsonObject, string]>([
    ["capitalised operations", { op: "Replace", path: "title", value: "Chef" }, "invalidSyntax"],
    ["booleans as strings", { op: "replace", path: "active", value: "False" }, "invalidValue"],
    [
      "filters in paths",
      { op: "replace", path: 'emails[type eq "work"].value', value: "a@example.com" },
      "invalidPath",
    ],
    ["dotted keys in a value", { op: "replace", value: { "name.givenName": "Mirabel" } }, "invalidPath"],
    [
      "URN keys of one attribute",
      { op: "add", value: { [`${enterprise}:department`]: "Legal" } },
      "invalidPath",
    ],
    ["paths of unknown schemas", { op: "add", path: "urn:example:User:title", value: "x" }, "invalidPath"],
    [
      "a part of every element",
      { op: "replace", path: "emails.value", value: "a@example.com" },
      "invalidPath",
    ],
    ["a removal without a path", { op: "remove" }, "noTarget"],
    ["another externalId", { op: "replace", path: "externalId", value: "object-2" }, "mutability"],
    ["no externalId", { op: "remove", path: "externalId" }, "mutability"],
    ["another id", { op: "replace", value: { id: "me" } }, "mutability"],
    ["no userName", { op: "remove", path: "userName" }, "mutability"],
    ["a wrong userName", { op: "replace", path: "userName", value: "mira" }, "invalidValue"],
    [
      "an unknown manager",
      { op: "replace", path: `${enterprise}:manager.value`, value: "x" },
      "invalidValue",
    ],
    ["a manager as a string", { op: "replace", path: `${enterprise}:manager`, value: "x" }, "invalidValue"],
  ])("are refused: %s", async (_, operation, scimType) => {
    const before = sandbox.lattice.get(id);
    const { status, body } = await patch(operation);
    expect({ status, scimType: body.scimType }).toEqual({ status: 400, scimType });
    expect(sandbox.lattice.get(id)).toEqual(before);
  });

  it("are refused: a body that is not a PatchOp", async () => {
    const { body } = await scim(sandbox, "PATCH", `/Users/${id}`, {
      Operations: [{ op: "remove", path: "title" }],
    });
    expect(body.scimType).toBe("invalidSyntax");
  });

  it("are refused: a userName that another account has", async () => {
    const { status, body } = await patch({ op: "replace", path: "userName", value: "BOSS@example.com" });
    expect({ status, scimType: body.scimType }).toEqual({ status: 409, scimType: "uniqueness" });
  });
});

it("sets externalId once if an account has none", async () => {
  const path = `/Users/${boss}`;
  const set = await scim(
    sandbox,
    "PATCH",
    path,
    patchOf({ op: "add", path: "externalId", value: "object-9" }),
  );
  expect(set.body.externalId).toBe("object-9");
  const changed = await scim(
    sandbox,
    "PATCH",
    path,
    patchOf({ op: "add", path: "externalId", value: "object-8" }),
  );
  expect(changed.status).toBe(400);
});

it("can be set to offer no PATCH, or to answer it without a body", async () => {
  await sandbox.close();
  sandbox = await startSandbox({ file: ":memory:", ends: "lattice", scim: { patch: false } });
  const account = sandbox.lattice.create({ userName: "boss@example.com" });
  const operation = patchOf({ op: "add", path: "title", value: "Chef" });
  expect((await scim(sandbox, "PATCH", `/Users/${account.id}`, operation)).status).toBe(501);
  expect((await scim(sandbox, "GET", "/ServiceProviderConfig")).body.patch).toEqual({ supported: false });
  await sandbox.close();
  sandbox = await startSandbox({ file: ":memory:", ends: "lattice", scim: { patchStatus: 204 } });
  const other = sandbox.lattice.create({ userName: "boss@example.com" });
  expect((await scim(sandbox, "PATCH", `/Users/${other.id}`, operation)).status).toBe(204);
  expect(sandbox.lattice.get(String(other.id))?.title).toBe("Chef");
});
