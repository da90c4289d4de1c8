import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/domain/errors.ts";
import { type Arrived, drain, never, sourceFor, startGraph } from "./graph-double.ts";

const select = ["id", "mail", "customSecurityAttributes"];
const values = { Engineering: { "@odata.type": "#microsoft.graph.customSecurityAttributeValue", Level: 3 } };

function graphWith(...roles: string[]) {
  const claims = Buffer.from(JSON.stringify({ roles })).toString("base64url");
  const reply = (request: Arrived) => ({
    json: {
      value: [{ id: "u1", customSecurityAttributes: values }],
      "@odata.deltaLink": `http://${request.headers.host}/v1.0/users/delta?$deltatoken=d1`,
    },
  });
  return startGraph(reply, () => ({ json: { access_token: `e30.${claims}.x`, expires_in: 3600 } }));
}

describe("custom security attributes", () => {
  it("are read with all users, and not requested in rounds of changes", async () => {
    await using graph = await graphWith("User.Read.All", "CustomSecAttributeAssignment.Read.All");
    const { items } = await drain(sourceFor(graph, { select }).readAll(never));
    expect(items).toMatchObject([{ objectId: "u1", attributes: { customSecurityAttributes: values } }]);
    expect(graph.requests.map(({ url }) => url)).toEqual([
      "/v1.0/users/delta?$deltatoken=latest&$select=id,mail",
      "/v1.0/users?$top=999&$select=id,mail,customSecurityAttributes",
    ]);
  });

  it("stop a read if the token must not see them, because Graph would show them as empty for all", async () => {
    await using graph = await graphWith("User.Read.All");
    const source = sourceFor(graph, { select });
    await expect(drain(source.readAll(never))).rejects.toThrow(ConfigurationError);
    await expect(source.readUser("u1", never)).rejects.toThrow(/CustomSecAttributeAssignment\.Read\.All/);
    expect(graph.requests).toEqual([]);
    // A configuration that does not map them needs no such permission.
    await drain(sourceFor(graph, { select: ["mail"] }).readAll(never));
  });

  it("have their own step in the check, which names the missing permission", async () => {
    await using graph = await graphWith("User.Read.All");
    const name = "Entra custom security attributes";
    const steps = await sourceFor(graph, { select }).probe(never);
    expect(steps.find((step) => step.name === name)).toMatchObject({
      ok: false,
      detail: expect.stringContaining("CustomSecAttributeAssignment.Read.All"),
    });
    await using granted = await graphWith("CustomSecAttributeAssignment.ReadWrite.All");
    const well = await sourceFor(granted, { select }).probe(never);
    expect(well.find((step) => step.name === name)).toMatchObject({ ok: true });
    expect((await sourceFor(granted).probe(never)).some((step) => step.name === name)).toBe(false);
  });
});
