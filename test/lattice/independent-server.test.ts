import { describe, expect, it } from "vitest";
import {
  AlreadyExistsError,
  ConfigurationError,
  RecordGoneError,
  RecordRejectedError,
} from "../../src/domain/errors.ts";
import { Secret } from "../../src/domain/secret.ts";
import { collect, connect, enterpriseUrn, failureOf, knownPaths, latticeUrn, quiet } from "./loopback.ts";
import { startScimmy } from "./scimmy-server.ts";

const workPath = 'emails[type eq "work"].value';
const phonePath = 'phoneNumbers[type eq "work"].value';
const departmentPath = `${enterpriseUrn}:department`;
const managerPath = `${enterpriseUrn}:manager`;
const officePath = `${latticeUrn}:officeLocation`;
const paths = [...knownPaths, officePath];

function person(name: string, extra: Record<string, string | boolean | null> = {}) {
  const values = {
    userName: `${name}@example.com`,
    externalId: `o-${name}`,
    active: true,
    displayName: name,
    "name.givenName": name,
    "name.familyName": "Example",
    [workPath]: `${name}@example.com`,
    ...extra,
  };
  return Object.entries(values).map(([path, value]) => ({ path, value }));
}

describe.each(["patch", "put"] as const)("against an independent SCIM server, updating by %s,", (method) => {
  const start = async () => {
    const server = await startScimmy({ patch: method === "patch" });
    return { server, ...connect(server.url, { updateMethod: "auto", paths }) };
  };

  it("the method is read from the ServiceProviderConfig", async () => {
    const { target } = await start();
    expect(await target.updateMethod(quiet)).toBe(method);
  });

  it("a created account is found, fetched and listed with what was written", async () => {
    const { target, server } = await start();
    const boss = await target.create(person("boss"), quiet);
    const writes = person("ada", {
      title: "Analyst",
      [phonePath]: "+47 22 00 00 00",
      [departmentPath]: "Engines",
      [officePath]: "Oslo",
      [managerPath]: boss.user.latticeId,
    });
    const { user, status } = await target.create(writes, quiet);
    expect(status).toBe(201);
    expect(user).toEqual({
      latticeId: expect.stringMatching(/^[\da-f-]{36}$/),
      userName: "ada@example.com",
      externalId: "o-ada",
      active: true,
      values: Object.fromEntries(writes.map(({ path, value }) => [path, value])),
    });
    expect(await target.find("userName", "ADA@example.com", quiet)).toEqual([user]);
    expect(await target.find("externalId", "o-ada", quiet)).toEqual([user]);
    expect(await target.find("userName", "nobody@example.com", quiet)).toEqual([]);
    expect(await target.get(user.latticeId, quiet)).toEqual(user);
    expect(await target.get("missing", quiet)).toBeNull();
    expect(await collect(target.list(quiet))).toEqual([boss.user, user]);
    expect(server.users.get(user.latticeId)?.emails).toEqual([
      { type: "work", value: "ada@example.com", primary: true },
    ]);
  });

  it("a change, a clearing, a deactivation and a reactivation are carried out, one write each", async () => {
    const { target, server } = await start();
    let { user } = await target.create(
      person("ada", { title: "Analyst", [departmentPath]: "Engines" }),
      quiet,
    );
    const before = server.requests.length;
    const update = async (writes: Record<string, string | boolean | null>) => {
      const list = Object.entries(writes).map(([path, value]) => ({ path, value }));
      ({ user } = await target.update(user, list, quiet));
      expect(await target.get(user.latticeId, quiet)).toEqual(user);
    };
    await update({ title: "Chief", "name.givenName": "Augusta", userName: "augusta@example.com" });
    expect(user).toMatchObject({
      userName: "augusta@example.com",
      values: { title: "Chief", "name.givenName": "Augusta" },
    });
    expect(user.values["name.familyName"]).toBe("Example");
    await update({ title: null, [departmentPath]: null, "name.givenName": null });
    expect(user.values).not.toHaveProperty("title");
    expect(user.values).not.toHaveProperty([departmentPath]);
    expect(user.values).not.toHaveProperty(["name.givenName"]);
    await update({ active: false });
    expect(user.active).toBe(false);
    await update({ active: true });
    expect(user.active).toBe(true);
    expect(user.externalId).toBe("o-ada");
    const writes = server.requests.slice(before).filter((request) => /^P(?:ATCH|UT) /.test(request));
    expect(writes).toHaveLength(4);
  });

  it("a manager is set, replaced and cleared", async () => {
    const { target, server } = await start();
    const first = (await target.create(person("first"), quiet)).user;
    const second = (await target.create(person("second"), quiet)).user;
    let { user } = await target.create(person("ada"), quiet);
    for (const { latticeId } of [first, second]) {
      ({ user } = await target.update(user, [{ path: managerPath, value: latticeId }], quiet));
      expect(user.values[managerPath]).toBe(latticeId);
      expect(server.users.get(user.latticeId)?.[enterpriseUrn]).toMatchObject({
        manager: { value: latticeId },
      });
    }
    ({ user } = await target.update(user, [{ path: managerPath, value: null }], quiet));
    expect(user.values).not.toHaveProperty([managerPath]);
    expect((await target.get(user.latticeId, quiet))?.values).not.toHaveProperty([managerPath]);
  });

  it("attributes that are not mapped survive", async () => {
    const { target, server } = await start();
    const { latticeId } = (await target.create(person("ada", { title: "Analyst" }), quiet)).user;
    const stored = server.users.get(latticeId);
    if (stored === undefined) throw new Error("not stored");
    Object.assign(stored, {
      nickName: "Countess",
      timezone: "Europe/London",
      photos: [{ type: "thumbnail", value: "https://example.com/ada.png" }],
      [latticeUrn]: { gender: "x", officeLocation: "Oslo" },
    });
    const user = await target.get(latticeId, quiet);
    if (user === null) throw new Error("not found");
    await target.update(
      user,
      [
        { path: "title", value: "Chief" },
        { path: officePath, value: null },
      ],
      quiet,
    );
    expect(server.users.get(latticeId)).toMatchObject({
      externalId: "o-ada",
      title: "Chief",
      nickName: "Countess",
      timezone: "Europe/London",
      photos: [{ type: "thumbnail", value: "https://example.com/ada.png" }],
      [latticeUrn]: { gender: "x" },
    });
    expect(server.users.get(latticeId)?.[latticeUrn]).not.toHaveProperty("officeLocation");
  });

  it("other e-mail addresses survive a change and a clearing of the work address", async () => {
    const { target, server } = await start();
    const { latticeId } = (await target.create(person("ada"), quiet)).user;
    const home = { type: "home", value: "ada@home.example.com" };
    Object.assign(server.users.get(latticeId) ?? {}, {
      emails: [home, { type: "work", value: "ada@example.com", primary: true }],
    });
    const user = await target.get(latticeId, quiet);
    if (user === null) throw new Error("not found");
    const changed = await target.update(user, [{ path: workPath, value: "new@example.com" }], quiet);
    expect(server.users.get(latticeId)?.emails).toEqual([
      home,
      { type: "work", value: "new@example.com", primary: true },
    ]);
    await target.update(changed.user, [{ path: workPath, value: null }], quiet);
    expect(server.users.get(latticeId)?.emails).toEqual([home]);
  });

  it("a taken user name, bad data and a missing account are errors of this account", async () => {
    const { target } = await start();
    await target.create(person("ada"), quiet);
    const { user } = await target.create(person("grace"), quiet);
    expect(await failureOf(target.create(person("ada"), quiet))).toBeInstanceOf(AlreadyExistsError);
    const renamed = target.update(user, [{ path: "userName", value: "ada@example.com" }], quiet);
    expect(await failureOf(renamed)).toBeInstanceOf(AlreadyExistsError);
    expect(await failureOf(target.create([{ path: "title", value: "x" }], quiet))).toBeInstanceOf(
      RecordRejectedError,
    );
    const gone = target.update({ ...user, latticeId: "missing" }, [{ path: "title", value: "x" }], quiet);
    expect(await failureOf(gone)).toBeInstanceOf(RecordGoneError);
  });

  it("a listing of several pages reaches every account once", async () => {
    const { target, server } = await start();
    for (let index = 0; index < 45; index += 1) {
      const id = `l-${index}`;
      server.users.set(id, { id, userName: `user${index}@example.com` });
    }
    const paged = connect(server.url, { paths, pageSize: 20 });
    const users = await collect(paged.target.list(quiet));
    expect(new Set(users.map(({ latticeId }) => latticeId)).size).toBe(45);
    expect(server.requests.filter((request) => request.startsWith("GET /Users?"))).toHaveLength(3);
    expect(await collect(target.list(quiet))).toHaveLength(45);
  });

  it("a wrong key is a configuration error, with advice and without the key", async () => {
    const { server } = await start();
    const { target } = connect(server.url, { token: new Secret("revoked-key") });
    const failure = await failureOf(target.create(person("ada"), quiet));
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect(failure.message).toContain("super admin");
    expect(failure.message).not.toContain("revoked-key");
    expect(server.users.size).toBe(0);
  });
});
