import { afterEach, describe, expect, it } from "vitest";
import { isJsonObject, type Json, type JsonObject } from "../../src/domain/json.ts";
import { type Sandbox, type ScimOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { enterprise, scim, userSchema } from "./clients.ts";

let sandbox: Sandbox;

async function start(options: ScimOptions = {}): Promise<void> {
  sandbox = await startSandbox({ file: ":memory:", ends: "lattice", scim: options });
}

afterEach(() => sandbox.close());

async function create(name: string, manager?: Json): Promise<Json> {
  const { status, body } = await scim(sandbox, "POST", "/Users", {
    schemas: [userSchema],
    userName: `${name}@example.com`,
    ...(manager === undefined ? {} : { [enterprise]: { manager: { value: manager } } }),
  });
  if (status !== 201) throw new Error(`Not created: ${JSON.stringify(body)}`);
  return body.id ?? null;
}

const replace = (id: Json, path: string, value: Json) =>
  scim(sandbox, "PATCH", `/Users/${String(id)}`, {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations: [{ op: "replace", path, value }],
  });
const setManager = (id: Json, manager: Json) => replace(id, `${enterprise}:manager`, { value: manager });

function managerOf(id: Json): Json {
  const account: JsonObject = sandbox.lattice.get(String(id)) ?? {};
  const own = account[enterprise];
  const manager = isJsonObject(own) ? own.manager : null;
  return isJsonObject(manager) ? (manager.value ?? null) : null;
}

describe("a deactivation in the embedded Lattice", () => {
  it("removes the person as manager and as report, and a reactivation restores nothing", async () => {
    await start();
    const chief = await create("chief");
    const boss = await create("boss", chief);
    const reports = [await create("one", boss), await create("two", boss)];
    await replace(boss, "active", false);
    expect([boss, ...reports].map(managerOf)).toEqual([null, null, null]);
    await replace(boss, "active", true);
    expect([boss, ...reports].map(managerOf)).toEqual([null, null, null]);
  });

  it("does the same if an administrator does it by hand", async () => {
    await start();
    const boss = await create("boss");
    const report = await create("one", boss);
    sandbox.lattice.edit(String(boss), { active: false });
    expect(managerOf(report)).toBeNull();
  });

  it("changes nothing else if the switch says so", async () => {
    await start({ deactivationCascades: false });
    const boss = await create("boss");
    const report = await create("one", boss);
    await replace(boss, "active", false);
    expect(managerOf(report)).toBe(boss);
  });
});

describe("a manager whose account is deactivated", () => {
  it.each([
    ["accept", 200, true],
    ["drop", 200, false],
    ["refuse", 400, false],
  ] as const)("is answered according to the switch: %s", async (inactiveManager, status, taken) => {
    await start({ inactiveManager });
    const boss = await create("boss");
    const report = await create("one");
    await replace(boss, "active", false);
    expect((await setManager(report, boss)).status).toBe(status);
    expect(managerOf(report)).toBe(taken ? boss : null);
  });

  it("may stay: only a new one is checked", async () => {
    await start({ inactiveManager: "refuse", deactivationCascades: false });
    const boss = await create("boss");
    const report = await create("one", boss);
    await replace(boss, "active", false);
    expect((await replace(report, "title", "Analyst")).status).toBe(200);
    expect(managerOf(report)).toBe(boss);
  });
});

describe("an invitation", () => {
  it("goes to each account that is created active, if auto-invite is on", async () => {
    await start({ autoInvite: true });
    await create("one");
    await scim(sandbox, "POST", "/Users", {
      schemas: [userSchema],
      userName: "off@example.com",
      active: false,
    });
    expect(sandbox.lattice.invitations()).toEqual(["one@example.com"]);
  });

  it("goes to no one by default", async () => {
    await start();
    await create("one");
    expect(sandbox.lattice.invitations()).toEqual([]);
  });
});
