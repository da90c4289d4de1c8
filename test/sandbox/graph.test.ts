import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { connectGraph, type GraphCalls, valuesOf } from "./clients.ts";

const advanced = { ConsistencyLevel: "eventual" };
let sandbox: Sandbox;
let graph: GraphCalls;

beforeAll(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 250 });
  graph = await connectGraph(sandbox);
});
afterAll(() => sandbox.close());

describe("the list of users", () => {
  it("comes in pages of the requested size, each person once, with absolute next links", async () => {
    const pages = await graph.pages("/users?$select=id&$top=99");
    expect(pages.map((page) => valuesOf(page).length)).toEqual([99, 99, 52]);
    expect(pages[0]?.["@odata.nextLink"]).toMatch(
      new RegExp(`^${sandbox.graphUrl}/v1\\.0/users\\?.*\\$skiptoken=`),
    );
    expect(valuesOf(...pages).map(({ id }) => id)).toEqual(
      [...sandbox.directory.users()].map(({ id }) => id),
    );
  });

  it("has 100 on a page by default and 999 at most", async () => {
    expect(valuesOf(await graph.get("/users"))).toHaveLength(100);
    expect(valuesOf(await graph.get("/users?$top=999"))).toHaveLength(250);
    await expect(graph.get("/users?$top=1000")).rejects.toMatchObject({ statusCode: 400 });
  });

  it("shows the default properties if none were selected, and null for a missing value", async () => {
    const [user] = valuesOf(await graph.get("/users?$top=1"));
    expect(Object.keys(user ?? {}).sort()).toEqual(
      [
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
      ].sort(),
    );
    const [selected] = valuesOf(await graph.get("/users?$top=1&$select=faxNumber,accountEnabled"));
    expect(selected).toEqual({ faxNumber: null, accountEnabled: true, id: user?.id });
  });

  it("refuses a property that users do not have", async () => {
    await expect(graph.get("/users?$select=objectId")).rejects.toMatchObject({
      statusCode: 400,
      code: "BadRequest",
    });
  });

  it("expands the manager, and leaves it out if there is none", async () => {
    const users = valuesOf(...(await graph.pages("/users?$select=id&$expand=manager($select=id)&$top=999")));
    const stored = [...sandbox.directory.users()];
    expect(users.map(({ manager }) => manager ?? null)).toEqual(
      stored.map(({ managerId }) =>
        managerId === null ? null : { "@odata.type": "#microsoft.graph.user", id: managerId },
      ),
    );
    expect(users.filter((user) => !("manager" in user))).toHaveLength(1);
  });

  it("is filtered by user principal name in any case, apostrophes doubled", async () => {
    const found = await graph.get(
      `/users?$filter=${encodeURIComponent("userPrincipalName eq 'DARA.O''TOLVANE@example.com'")}`,
    );
    expect(valuesOf(found).map(({ surname }) => surname)).toEqual(["O'Tolvane"]);
    await expect(graph.get("/users?$filter=startswith(displayName,'A')")).rejects.toMatchObject({
      statusCode: 400,
    });
  });
});

describe("a user of the embedded Graph", () => {
  it("is found by id and by user principal name, a guest's included", async () => {
    const guest = [...sandbox.directory.users()].find(({ properties }) => properties.userType === "Guest");
    const userPrincipalName = String(guest?.properties.userPrincipalName);
    expect(userPrincipalName).toContain("#EXT#");
    const byName = await graph.get(`/users/${encodeURIComponent(userPrincipalName)}?$select=id,userType`);
    expect(byName).toMatchObject({ id: guest?.id, userType: "Guest" });
    expect(await graph.get(`/users/${guest?.id}?$select=userPrincipalName`)).toMatchObject({
      userPrincipalName,
    });
  });

  it("answers 404 if there is none", async () => {
    await expect(graph.get("/users/nobody@example.com")).rejects.toMatchObject({
      statusCode: 404,
      code: "Request_ResourceNotFound",
    });
  });
});

describe("the scope in the embedded Graph", () => {
  it("leads from the application through the assigned group to nested members", async () => {
    const [application] = valuesOf(
      await graph.get("/servicePrincipals?$filter=displayName eq 'Lattice SCIM'"),
    );
    expect(valuesOf(await graph.get(`/servicePrincipals?$filter=appId eq '${application?.appId}'`))).toEqual([
      application,
    ]);
    expect(await graph.get(`/servicePrincipals/${application?.id}`)).toMatchObject({
      appId: application?.appId,
    });

    const assigned = valuesOf(await graph.get(`/servicePrincipals/${application?.id}/appRoleAssignedTo`));
    expect(assigned.map(({ principalType }) => principalType)).toEqual(["Group", "User"]);
    const group = assigned[0]?.principalId;
    expect(await graph.get(`/groups/${group}`)).toMatchObject({ displayName: "All Employees" });

    const direct = await graph.get(
      `/groups/${group}/members/microsoft.graph.user?$select=id&$count=true`,
      advanced,
    );
    expect(direct).toMatchObject({ "@odata.count": 0, value: [] });
    const pages = await graph.pages(
      `/groups/${group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true&$top=100`,
      advanced,
    );
    const inGroups = [...sandbox.directory.users()].filter(
      ({ id }) => sandbox.directory.groupsOf(id).length > 0,
    );
    expect(valuesOf(...pages).map(({ id }) => id)).toEqual(inGroups.map(({ id }) => id));
    expect(pages.map((page) => page["@odata.count"])).toEqual([inGroups.length, undefined, undefined]);
    expect(inGroups.length).toBeLessThan(sandbox.directory.count());
  });

  it("ends if groups contain each other", async () => {
    const { directory } = sandbox;
    const [someone = ""] = [...directory.users()].map(({ id }) => id);
    const outer = directory.createGroup("Circle A", { members: [someone] });
    const inner = directory.createGroup("Circle B", { members: [someone], groups: [outer] });
    directory.addMember(outer, inner);
    const path = `/groups/${inner}/transitiveMembers/microsoft.graph.user?$select=id&$count=true`;
    expect(valuesOf(await graph.get(path, advanced))).toEqual([{ id: someone }]);
    directory.deleteGroup(outer);
    directory.deleteGroup(inner);
    await expect(graph.get(path, advanced)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("refuses casts without the header for advanced queries", async () => {
    const group = sandbox.directory.groupByName("Engineering");
    await expect(
      graph.get(`/groups/${group}/members/microsoft.graph.user?$count=true`),
    ).rejects.toMatchObject({
      statusCode: 400,
      code: "Request_UnsupportedQuery",
    });
  });

  it("hides the people in the recycle bin, and shows them there", async () => {
    const { directory } = sandbox;
    const group = directory.groupByName("Engineering") ?? "";
    const application = directory.applicationByName("Lattice SCIM")?.id ?? "";
    const id = directory.createUser({ userPrincipalName: "short.stay@example.com" });
    directory.addMember(group, id);
    directory.assign(application, id);
    directory.softDelete(id);
    const members = `/groups/${group}/members/microsoft.graph.user?$select=id&$count=true&$top=999`;
    const assignments = `/servicePrincipals/${application}/appRoleAssignedTo`;
    expect(valuesOf(await graph.get(members, advanced))).not.toContainEqual({ id });
    expect(valuesOf(await graph.get(assignments)).map(({ principalId }) => principalId)).not.toContain(id);
    await expect(graph.get(`/users/${id}`)).rejects.toMatchObject({ statusCode: 404 });
    expect(valuesOf(await graph.get("/directory/deletedItems/microsoft.graph.user?$select=id"))).toEqual([
      { id },
    ]);

    directory.restore(id);
    expect(valuesOf(await graph.get(members, advanced))).toContainEqual({ id });
    expect(valuesOf(await graph.get(assignments)).map(({ principalId }) => principalId)).toContain(id);
    directory.purge(id);
    expect(valuesOf(await graph.get(assignments)).map(({ principalId }) => principalId)).not.toContain(id);
  });
});

it("knows the organization, and sends the date and a request id", async () => {
  const [organization] = valuesOf(await graph.get("/organization"));
  expect(organization?.id).toBe(sandbox.tenantId);
  const response = await fetch(`${sandbox.graphUrl}/v1.0/users`);
  expect(Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now())).toBeLessThan(5_000);
  expect(response.headers.get("request-id")).toMatch(/^[0-9a-f-]{36}$/);
});
