import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError } from "../../src/domain/errors.ts";
import type { EntraScope } from "../../src/entra/options.ts";
import {
  type Answer,
  type Arrived,
  drain,
  graphError,
  never,
  sourceFor,
  startGraph,
} from "./graph-double.ts";

const application = "aaaaaaaa-0000-4000-8000-000000000001";
const applicationId = "aaaaaaaa-0000-4000-8000-000000000002";
const group = "bbbbbbbb-0000-4000-8000-000000000001";
const empty: Answer = { json: { value: [] } };
const notFound = graphError(404, "Request_ResourceNotFound");

const assigned = (name: string, nested = true): EntraScope => ({
  mode: "assigned",
  application: name,
  nested,
});
const grouped = (groups: readonly string[], nested = true): EntraScope => ({
  mode: "groups",
  groups,
  nested,
});

function read(graph: { origin: string }, scope: EntraScope): Promise<string[]> {
  const pages = sourceFor(graph, { scope }).readScope(never);
  if (pages === null) throw new Error("This scope has no list.");
  return drain(pages).then(({ items }) => items);
}

const filterOf = (request: Arrived) => new URL(request.url, "http://x").searchParams.get("$filter");

/** An application with two users, a group and a service principal; the group has two pages of members. */
function company(request: Arrived): Answer {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  const base = `http://${request.headers.host}`;
  if (pathname === `/v1.0/servicePrincipals/${application}`) return { json: { id: application } };
  if (pathname === `/v1.0/servicePrincipals/${applicationId}`) return notFound;
  if (pathname === "/v1.0/servicePrincipals") {
    const known = [`appId eq '${applicationId}'`, "displayName eq 'Ann''s Lattice'"];
    return { json: { value: known.includes(filterOf(request) ?? "") ? [{ id: application }] : [] } };
  }
  if (pathname === "/v1.0/groups") {
    return { json: { value: filterOf(request) === "displayName eq 'R&D + Ops'" ? [{ id: group }] : [] } };
  }
  if (pathname === `/v1.0/servicePrincipals/${application}/appRoleAssignedTo`) {
    if (searchParams.has("p")) return { json: { value: [{ principalId: "u2", principalType: "User" }] } };
    const value = [
      { principalId: "u1", principalType: "User" },
      { principalId: group, principalType: "Group" },
      { principalId: group, principalType: "Group" },
      { principalId: "s1", principalType: "ServicePrincipal" },
    ];
    return { json: { value, "@odata.nextLink": `${base}${pathname}?p=2` } };
  }
  if (pathname === `/v1.0/groups/${group}/members/microsoft.graph.user`)
    return { json: { value: [{ id: "u9" }] } };
  if (pathname === `/v1.0/groups/${group}/transitiveMembers/microsoft.graph.user`) {
    if (searchParams.has("p")) return { json: { value: [{ id: "u4" }] } };
    return { json: { value: [{ id: "u3" }, { id: "u1" }], "@odata.nextLink": `${base}${pathname}?p=2` } };
  }
  return notFound;
}

describe("readScope", () => {
  it("is null if everybody takes part", () => {
    expect(sourceFor({ origin: "http://127.0.0.1:1" }).readScope(never)).toBeNull();
  });

  it.each([application, applicationId, "Ann's Lattice"])(
    "finds the application %j and its people",
    async (name) => {
      await using graph = await startGraph(company);
      expect(await read(graph, assigned(name))).toEqual(["u1", "u2", "u3", "u1", "u4"]);
      const members = graph.requests.filter((request) => request.url.includes("transitiveMembers"));
      // A group that is assigned twice is read once; each page of a cast needs the header.
      expect(members.map((request) => request.headers.consistencylevel)).toEqual(["eventual", "eventual"]);
      expect(members[0]?.url).toContain("?$select=id&$top=999&$count=true");
    },
  );

  it("leaves nested groups out if configured", async () => {
    await using graph = await startGraph(company);
    expect(await read(graph, assigned(application, false))).toEqual(["u1", "u2", "u9"]);
    expect(await read(graph, grouped([group], false))).toEqual(["u9"]);
  });

  it.each([group, "R&D + Ops"])("finds the group %j and its people", async (name) => {
    await using graph = await startGraph(company);
    expect(await read(graph, grouped([name]))).toEqual(["u3", "u1", "u4"]);
  });

  it("is empty for an application without assignments", async () => {
    await using graph = await startGraph((request) =>
      request.url.includes("appRoleAssignedTo") ? empty : { json: { id: application } },
    );
    expect(await read(graph, assigned(application))).toEqual([]);
  });

  it.each<[string, EntraScope]>([
    ["application id", assigned("cccccccc-0000-4000-8000-000000000009")],
    ["application name", assigned("Nobody's")],
    ["group id", grouped(["cccccccc-0000-4000-8000-000000000009"])],
    ["group name", grouped(["Nobody's"])],
  ])("never treats a missing %s as an empty scope", async (_name, scope) => {
    await using graph = await startGraph(company);
    const reading = read(graph, scope);
    await expect(reading).rejects.toBeInstanceOf(ConfigurationError);
    await expect(reading).rejects.toThrow(
      /Entra has no (enterprise application|group) .*Check entra\.scope\./,
    );
  });

  it.each<[EntraScope, RegExp]>([
    [assigned("Lattice"), /2 enterprise applications named "Lattice" \(x1, x2\).*entra\.scope\.application/],
    [grouped(["Sales"]), /2 groups named "Sales" \(x1, x2\).*entra\.scope\.groups/],
  ])("refuses an ambiguous name", async (scope, words) => {
    await using graph = await startGraph(() => ({ json: { value: [{ id: "x1" }, { id: "x2" }] } }));
    const reading = read(graph, scope);
    await expect(reading).rejects.toBeInstanceOf(ConfigurationError);
    await expect(reading).rejects.toThrow(words);
  });

  it.each<[EntraScope, string]>([
    [assigned(application), "Application.Read.All"],
    [grouped([group]), "GroupMember.Read.All"],
    [grouped(["Sales"]), "GroupMember.Read.All"],
  ])("names the permission that is missing", async (scope, permission) => {
    await using graph = await startGraph(() => graphError(403, "Authorization_RequestDenied"));
    await expect(read(graph, scope)).rejects.toThrow(`needs the application permission ${permission}`);
  });

  it("throws half-way instead of reporting a part of the members", async () => {
    await using graph = await startGraph((request) =>
      request.url.includes("?p=2") ? { status: 503 } : company(request),
    );
    await expect(read(graph, grouped([group]))).rejects.toBeInstanceOf(HostUnavailableError);
  });

  it.each([[{ principalType: "User" }], ["u1"], [{ principalId: 7, principalType: "User" }]])(
    "refuses the malformed assignment %j",
    async (assignment) => {
      await using graph = await startGraph((request) =>
        request.url.includes("appRoleAssignedTo")
          ? { json: { value: [assignment] } }
          : { json: { id: application } },
      );
      await expect(read(graph, assigned(application))).rejects.toThrow(/malformed answer/);
    },
  );
});

describe("readNamedGroup", () => {
  const drained = (graph: { origin: string }, name: string, nested: boolean) =>
    drain(sourceFor(graph, { namedGroups: { names: [name], nested } }).readNamedGroup(name, never));

  it.each([group, "R&D + Ops"])(
    "reads the group %j to its end, with or without groups inside it",
    async (name) => {
      await using graph = await startGraph(company);
      expect(await drained(graph, name, true)).toEqual({
        items: ["u3", "u1", "u4"],
        result: { id: `filters/${group}`, name: `the group "${name}"`, members: 3, usedBy: "filters" },
      });
      expect((await drained(graph, name, false)).items).toEqual(["u9"]);
    },
  );

  it.each(["cccccccc-0000-4000-8000-000000000009", "Nobody's"])(
    "never treats the missing group %j as an empty one",
    async (name) => {
      await using graph = await startGraph(company);
      const reading = drained(graph, name, true);
      await expect(reading).rejects.toBeInstanceOf(ConfigurationError);
      await expect(reading).rejects.toThrow(/Entra has no group .*Check entra\.scope\.filters/);
    },
  );

  it.each(["cccccccc-0000-4000-8000-000000000009", "Nobody's"])(
    "says which setting names the missing group %j, and not that the scope cannot be read",
    async (name) => {
      await using graph = await startGraph(company);
      const reading = drain(sourceFor(graph).readNamedGroup(name, never, "rollout.canary.group"));
      await expect(reading).rejects.toThrow(
        new ConfigurationError(`Entra has no group "${name}". Check rollout.canary.group.`),
      );
    },
  );

  it("names the missing permission, and breaks off half-way instead of leaving a person out", async () => {
    await using refusing = await startGraph(() => graphError(403, "Authorization_RequestDenied"));
    await expect(drained(refusing, group, true)).rejects.toThrow("GroupMember.Read.All");
    await using breaking = await startGraph((request) =>
      request.url.includes("?p=2") ? { status: 503 } : company(request),
    );
    await expect(drained(breaking, group, true)).rejects.toBeInstanceOf(HostUnavailableError);
  });

  it("is tried by the check", async () => {
    await using graph = await startGraph(company);
    const probe = async (names: readonly string[]) => {
      const steps = await sourceFor(graph, { namedGroups: { names, nested: true } }).probe(never);
      return steps.find(({ name }) => name === "Entra groups of filters and expressions");
    };
    expect(await probe([])).toBeUndefined();
    expect(await probe(["R&D + Ops"])).toMatchObject({
      ok: true,
      detail:
        'All groups that scoping filters and expressions name exist. Users on the first page of members: "R&D + Ops" 2.',
    });
    expect(await probe(["Nobody's"])).toMatchObject({ ok: false });
  });
});
