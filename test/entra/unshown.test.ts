import { describe, expect, it } from "vitest";
import type { SourceChange } from "../../src/domain/source.ts";
import { type Arrived, drain, never, sourceFor, startGraph } from "./graph-double.ts";

const origin = (request: Arrived) => `http://${request.headers.host}`;
const extension = `extension_${"0".repeat(32)}_costCentre`;
const select = ["id", "userPrincipalName", "accountEnabled", "jobTitle", extension, "manager"];
const ann = { id: "ann", userPrincipalName: "ann@example.com", accountEnabled: true, jobTitle: null };

async function listed(users: readonly object[]): Promise<readonly SourceChange[]> {
  await using graph = await startGraph((request) => ({
    json: { value: users, "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?t=1` },
  }));
  return (await drain(sourceFor(graph, { select }).readAll(never))).items;
}

describe("a requested property", () => {
  it("has no value if it is null, and is not shown if it is left out", async () => {
    const { jobTitle: _title, ...untitled } = ann;
    const [first, second] = await listed([
      { ...ann, manager: { id: "m" } },
      { ...untitled, id: "ben" },
    ]);
    expect(first).toMatchObject({ complete: true, managerId: "m" });
    expect(first).not.toHaveProperty("unshown");
    expect(second).toMatchObject({ unshown: ["jobTitle"] });
  });

  it("is shown in whatever letter case Graph writes its name", async () => {
    const { jobTitle: _title, ...untitled } = ann;
    const [user] = await listed([{ ...untitled, JobTitle: "Analyst" }]);
    expect(user).toMatchObject({ attributes: { jobTitle: "Analyst" } });
    expect(user).not.toHaveProperty("unshown");
  });

  it("is not shown if accountEnabled is null, in a list and in a round of changes", async () => {
    const [user] = await listed([{ ...ann, accountEnabled: null }]);
    expect(user).toMatchObject({ unshown: ["accountEnabled"] });
    await using graph = await startGraph((request) => ({
      json: {
        value: [{ ...ann, accountEnabled: null }],
        "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?t=2`,
      },
    }));
    const reading = sourceFor(graph, { select }).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never);
    const { items } = await drain(reading);
    expect(items[0]).toMatchObject({
      complete: false,
      attributes: { jobTitle: null },
      unshown: ["accountEnabled", extension, "manager"],
    });
    expect(items[0]).not.toHaveProperty("attributes.accountEnabled");
  });

  it("may be unreadable if it is a manager or a directory extension that no user on the page has", async () => {
    const [alone] = await listed([ann]);
    expect(alone).toMatchObject({ managerId: undefined, perhapsNone: [extension, "manager"] });
    const users = await listed([ann, { ...ann, id: "ben", manager: { id: "ann" }, [extension]: "42" }]);
    expect(users).toMatchObject([{ managerId: null }, { managerId: "ann" }]);
    for (const user of users) expect(user).not.toHaveProperty("perhapsNone");
  });

  it("is empty if one person, read alone, has no manager", async () => {
    await using graph = await startGraph(() => ({ json: ann }));
    expect(await sourceFor(graph, { select }).readUser("ann", never)).toMatchObject({ managerId: null });
  });
});

describe("the permissions of the token", () => {
  it("are read from it", async () => {
    const claims = Buffer.from('{"roles":["User.ReadBasic.All"]}').toString("base64url");
    await using graph = await startGraph(
      () => ({ json: {} }),
      () => ({ json: { access_token: `e30.${claims}.x`, expires_in: 3600 } }),
    );
    expect(await sourceFor(graph).readPermissions(never)).toEqual(["User.ReadBasic.All"]);
  });
});
