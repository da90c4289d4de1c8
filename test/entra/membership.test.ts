import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import { ConfigurationError } from "../../src/domain/errors.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { EntraScope } from "../../src/entra/options.ts";
import { createEntraSource, type EntraSource } from "../../src/entra/source.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";

const never = new AbortController().signal;

describe("the membership of single people", () => {
  let sandbox: Sandbox;
  let application: string;
  const people: Record<string, string> = {};

  beforeAll(async () => {
    sandbox = await startSandbox({ file: ":memory:", people: 20, requestLogSize: 1_000 });
    const { directory } = sandbox;
    for (const name of ["direct", "inGroup", "nested", "both", "outside"]) {
      people[name] = directory.createUser({ userPrincipalName: `${name}@example.com` });
    }
    const { direct = "", inGroup = "", nested = "", both = "" } = people;
    const inner = directory.createGroup("Inner", { members: [nested] });
    const outer = directory.createGroup("Outer", { members: [inGroup, both], groups: [inner] });
    // Groups may contain each other.
    directory.addMember(inner, outer);
    directory.createGroup("Elsewhere", { members: [nested, people.outside ?? ""] });
    const created = directory.createApplication("Membership test");
    application = created.id;
    for (const principal of [direct, both, outer]) directory.assign(application, principal);
  });
  afterAll(() => sandbox.close());

  function source(scope: EntraScope, from = sandbox): EntraSource {
    return createEntraSource({
      tenantId: from.tenantId,
      clientId: from.clientId,
      credential: { kind: "clientSecret", secret: new Secret(from.clientSecret) },
      authorityHost: from.authorityHost,
      graphUrl: from.graphUrl,
      scope,
      select: ["id"],
      clock: systemClock,
    });
  }

  async function membersOf(scope: EntraScope): Promise<Record<string, readonly string[]>> {
    const found = await source(scope).readMembership(Object.values(people), never);
    return Object.fromEntries(Object.entries(people).map(([name, id]) => [name, found.get(id) ?? ["?"]]));
  }

  it("comes from assignments or groups, including nested groups", async () => {
    expect(await membersOf({ mode: "assigned", application, nested: true })).toEqual({
      direct: ["the direct assignments"],
      inGroup: ['the group "Outer"'],
      nested: ['the group "Outer"'],
      both: ["the direct assignments", 'the group "Outer"'],
      outside: [],
    });
  });

  it("is only direct if nested groups do not count", async () => {
    expect(await membersOf({ mode: "groups", groups: ["Outer"], nested: false })).toMatchObject({
      inGroup: ['the group "Outer"'],
      nested: [],
      outside: [],
    });
  });

  it("in groups that scoping filters name agrees with their lists", async () => {
    for (const nested of [true, false]) {
      const { inGroup = "", nested: deep = "", outside = "", direct = "" } = people;
      const asked = createEntraSource({
        tenantId: sandbox.tenantId,
        clientId: sandbox.clientId,
        credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
        authorityHost: sandbox.authorityHost,
        graphUrl: sandbox.graphUrl,
        scope: { mode: "all" },
        namedGroups: { names: ["Outer", "Elsewhere"], nested },
        select: ["id"],
        clock: systemClock,
      });
      const ids = [inGroup, deep, outside, direct];
      const found = await asked.readNamedMembership(["Outer", "Elsewhere"], ids, never);
      for (const group of ["Outer", "Elsewhere"]) {
        const listed = new Set<string>();
        for await (const page of asked.readNamedGroup(group, never)) for (const id of page) listed.add(id);
        for (const id of ids) expect(found.get(id)?.has(group)).toBe(listed.has(id));
      }
      expect(found.get(deep)?.has("Outer")).toBe(nested);
    }
  });

  it("agrees with the whole scope for all people", async () => {
    for (const nested of [true, false]) {
      const scope: EntraScope = { mode: "assigned", application: "Lattice SCIM", nested };
      const everybody = [...sandbox.directory.users()].map(({ id }) => id);
      const members = new Set<string>();
      for await (const page of source(scope).readScope(never) ?? []) for (const id of page) members.add(id);
      const found = await source(scope).readMembership(everybody, never);
      expect(
        [...found]
          .filter(([, parts]) => parts.length > 0)
          .map(([id]) => id)
          .sort(),
      ).toEqual([...members].sort());
    }
  });

  it("is asked for without reading lists of members, and is empty for a person who is gone", async () => {
    const before = sandbox.requests.length;
    const gone = "00000000-0000-4000-8000-000000000000";
    const scope: EntraScope = { mode: "groups", groups: ["Outer"], nested: true };
    expect(await source(scope).readMembership([gone], never)).toEqual(new Map([[gone, []]]));
    const paths = sandbox.requests.slice(before).map(({ path }) => path);
    expect(paths.some((path) => path.includes("/transitiveMembers"))).toBe(false);
    expect(paths.some((path) => path.includes("/transitiveMemberOf"))).toBe(true);
  });

  it("is refused in words if the scope must not be read", async () => {
    const roles = ["User.Read.All"];
    const poor = await startSandbox({ file: ":memory:", people: 20, graph: { roles } });
    try {
      const scope: EntraScope = { mode: "groups", groups: ["All Employees"], nested: true };
      await expect(source(scope, poor).readMembership(["x"], never)).rejects.toThrow(ConfigurationError);
    } finally {
      await poor.close();
    }
  });
});
