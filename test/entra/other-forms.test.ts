import { describe, expect, it } from "vitest";
import { HostUnavailableError, WatermarkExpiredError } from "../../src/domain/errors.ts";
import { type Arrived, drain, graphError, never, sourceFor, startGraph } from "./graph-double.ts";

const origin = (request: Arrived) => `http://${request.headers.host}`;
const upper = "AAAAAAAA-1111-4222-8333-BBBBBBBBBBBB";
const lower = upper.toLowerCase();
const manager = "CCCCCCCC-1111-4222-8333-DDDDDDDDDDDD";

describe("an answer of Graph in another form than usual", () => {
  it.each<[string, number, object]>([
    ["in innerError", 400, { code: "BadRequest", innerError: { code: "syncStateNotFound" } }],
    ["in innererror, upper case", 404, { code: "UnknownError", innererror: { code: "SYNCSTATENOTFOUND" } }],
    [
      "two levels down",
      400,
      { code: "E", innerError: { code: "E", innerError: { code: "resyncRequired" } } },
    ],
    ["among the details", 409, { code: "Conflict", details: [{ code: "x" }, { code: "syncStateInvalid" }] }],
  ])("means an expired watermark if it says so %s", async (_name, status, error) => {
    await using graph = await startGraph(() => ({ status, json: { error } }));
    const reading = drain(sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never));
    await expect(reading).rejects.toBeInstanceOf(WatermarkExpiredError);
  });

  it("is requested again after a 509, and waits as long as it says", async () => {
    await using graph = await startGraph((_request, count) =>
      count === 1 ? { status: 509, headers: { "retry-after": "7" } } : { json: { id: "u1" } },
    );
    const sleeps: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
    expect(await sourceFor(graph, { clock }).readUser("u1", never)).toMatchObject({ objectId: "u1" });
    expect(sleeps).toEqual([7_000]);
  });

  it.each([520, 524, 599])("is requested again after a %i of a gateway", async (status) => {
    await using graph = await startGraph((_request, count) =>
      count === 1 ? { status, text: "<html>" } : { json: { id: "u1" } },
    );
    expect(await sourceFor(graph).readUser("u1", never)).toMatchObject({ objectId: "u1" });
  });

  it("is read after a byte order mark", async () => {
    await using graph = await startGraph(() => ({ text: '\ufeff{"id":"u1","displayName":"Ann"}' }));
    expect(await sourceFor(graph).readUser("u1", never)).toMatchObject({
      attributes: { displayName: "Ann" },
    });
  });

  it("is followed if its links have no host", async () => {
    await using graph = await startGraph((request) => {
      if (request.url.endsWith("t=1")) {
        return { json: { value: [{ id: "u1" }], "@odata.nextLink": "/v1.0/users/delta?t=2" } };
      }
      if (request.url.endsWith("t=2")) {
        return { json: { value: [{ id: "u2" }], "@odata.nextLink": "users/delta?t=3" } };
      }
      return { json: { value: [{ id: "u3" }], "@odata.deltaLink": "users/delta?t=4" } };
    });
    const { items, result } = await drain(
      sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never),
    );
    expect(items.map(({ objectId }) => objectId)).toEqual(["u1", "u2", "u3"]);
    expect(result).toEqual({ watermark: `${graph.origin}/v1.0/users/delta?t=4` });
  });

  it.each(["//elsewhere.example.com/v1.0/users?t=2", "https://elsewhere.example.com/v1.0/users?t=2"])(
    "is not followed to another host: %s",
    async (link) => {
      await using graph = await startGraph(() => ({ json: { value: [], "@odata.nextLink": link } }));
      const reading = drain(sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never));
      await expect(reading).rejects.toThrow(/points to another host/);
    },
  );

  it("is an outage if a page has no list of values", async () => {
    await using graph = await startGraph(() => ({ json: { value: null, "@odata.deltaLink": "users?t=2" } }));
    const reading = drain(sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never));
    await expect(reading).rejects.toBeInstanceOf(HostUnavailableError);
  });

  it("gives the same ids if it writes them in capitals", async () => {
    await using graph = await startGraph((request) => {
      if (request.url.includes("appRoleAssignedTo")) {
        const assigned = [
          { principalId: upper, principalType: "User" },
          { principalId: manager, principalType: "Group", principalDisplayName: "Staff" },
        ];
        return { json: { value: assigned } };
      }
      if (request.url.includes("/transitiveMembers/")) return { json: { value: [{ id: upper }] } };
      if (request.url.includes("/transitiveMemberOf")) return { json: { value: [{ id: manager }] } };
      if (request.url.includes("/servicePrincipals?")) return { json: { value: [{ id: "sp" }] } };
      if (request.url.includes("/users/delta")) {
        const changed = [
          { id: upper, "manager@delta": [{ id: manager }] },
          { id: upper, "@removed": { reason: "changed" } },
        ];
        return { json: { value: changed, "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?t=2` } };
      }
      return { json: { id: upper, manager: { id: manager } } };
    });
    const scope = { mode: "assigned", application: "Lattice", nested: true } as const;
    const source = sourceFor(graph, { scope });
    expect(await source.readUser(upper, never)).toMatchObject({
      objectId: lower,
      managerId: manager.toLowerCase(),
      attributes: { id: lower },
    });
    const changes = await drain(source.readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never));
    expect(changes.items).toMatchObject([
      { objectId: lower, managerId: manager.toLowerCase() },
      { objectId: lower, kind: "removed" },
    ]);
    const pages = source.readScope(never);
    expect(pages === null ? null : await drain(pages)).toEqual({
      items: [lower, lower],
      result: [
        { id: "direct", name: "the direct assignments", members: 1 },
        { id: manager.toLowerCase(), name: 'the group "Staff"', members: 1 },
      ],
    });
    const parts = ["the direct assignments", 'the group "Staff"'];
    expect(await source.readMembership([lower], never)).toEqual(new Map([[lower, parts]]));
  });

  it("that is a proxy's 404 for a person's groups says nothing about the membership", async () => {
    await using graph = await startGraph((request) => {
      if (request.url.includes("/transitiveMemberOf")) return { status: 404, text: "<html>gone</html>" };
      return { json: { value: [] } };
    });
    const scope = { mode: "groups", groups: [upper], nested: true } as const;
    await expect(sourceFor(graph, { scope }).readMembership(["u1"], never)).rejects.toThrow(/404/);
  });

  it("that is Graph's 404 for a person's groups says that there is no membership", async () => {
    await using graph = await startGraph(() => graphError(404, "Request_ResourceNotFound"));
    const scope = { mode: "groups", groups: [upper], nested: true } as const;
    expect(await sourceFor(graph, { scope }).readMembership(["u1"], never)).toEqual(new Map([["u1", []]]));
  });
});
