import { describe, expect, it } from "vitest";
import type { EntraScope } from "../../src/entra/options.ts";
import { type Answer, fakeClock, graphError, never, sourceFor, startGraph } from "./graph-double.ts";

const group = "bbbbbbbb-0000-4000-8000-000000000001";
const scope: EntraScope = { mode: "groups", groups: [group], nested: true };
const people: Answer = { json: { value: [{ id: "u1" }] } };
const claims = Buffer.from(JSON.stringify({ roles: ["User.Read.All"] })).toString("base64url");
const jwt = () => ({ json: { access_token: `e30.${claims}.x`, expires_in: 3600 } });

describe("probe", () => {
  it("reports every step of a working connection, with one request for each", async () => {
    await using graph = await startGraph(() => people, jwt);
    const steps = await sourceFor(graph, { scope }).probe(never);
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["Entra sign-in", true],
      ["Entra users", true],
      ["Entra scope", true],
      ["Entra clock", true],
    ]);
    expect(steps[0]?.detail).toMatch(/valid for 60 minutes; permissions: User\.Read\.All\.$/);
    expect(graph.requests).toHaveLength(2);
  });

  it("reads the group of a canary", async () => {
    await using graph = await startGraph(() => people);
    const [found] = (await sourceFor(graph, { canaryGroup: group }).probe(never)).slice(3);
    expect(found).toEqual({
      name: "Entra group of the canary",
      ok: true,
      detail: `The group exists. Users on the first page of members: "${group}" 1.`,
    });
    await using none = await startGraph((request) =>
      request.url.startsWith("/v1.0/groups/") ? graphError(404, "Request_ResourceNotFound") : people,
    );
    const [missing] = (await sourceFor(none, { canaryGroup: group }).probe(never)).slice(3);
    expect(missing).toMatchObject({
      ok: false,
      detail: `Entra has no group "${group}". Check rollout.canary.group.`,
    });
  });

  it("stops without a token", async () => {
    await using graph = await startGraph(
      () => people,
      () => ({ status: 401, json: { error: "invalid_client", error_codes: [7000222] } }),
    );
    const steps = await sourceFor(graph).probe(never);
    expect(steps).toMatchObject([{ name: "Entra sign-in", ok: false }]);
    expect(steps[0]?.detail).toContain("has expired");
  });

  it("goes on after a missing permission and names it", async () => {
    await using graph = await startGraph((request) =>
      request.url.startsWith("/v1.0/groups/") ? graphError(403, "Authorization_RequestDenied") : people,
    );
    const steps = await sourceFor(graph, { scope }).probe(never);
    expect(steps.map((step) => step.ok)).toEqual([true, true, false, true]);
    expect(steps[2]?.detail).toContain("GroupMember.Read.All");
  });

  it("reports a directory without users, and a wrong clock, as faults", async () => {
    await using graph = await startGraph(() => ({ json: { value: [] } }));
    const clock = fakeClock(Date.now() + 600_000);
    const steps = await sourceFor(graph, { clock }).probe(never);
    expect(steps[1]).toMatchObject({ ok: false, remedy: expect.stringContaining("entra.tenantId") });
    expect(steps[3]).toMatchObject({ ok: false, detail: expect.stringContaining("10 minutes ahead of") });
  });

  it("throws only the signal's reason", async () => {
    await using graph = await startGraph(() => people);
    const reason = new Error("stop");
    await expect(sourceFor(graph).probe(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
