import { describe, expect, it } from "vitest";
import { HostUnavailableError, WatermarkExpiredError } from "../../src/domain/errors.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { ScopePart } from "../../src/domain/source.ts";
import type { EntraSource } from "../../src/entra/source.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { drain, graphError, never, sourceFor, startGraph } from "./graph-double.ts";

const group = (number: number): string => `bbbbbbbb-0000-4000-8000-${String(number).padStart(12, "0")}`;
const parts = (...ids: readonly string[]): readonly ScopePart[] =>
  ids.map((id) => ({ id, name: "a part", members: 1 }));
const staff = { mode: "groups", groups: ["Staff"], nested: false } as const;

async function removed(source: EntraSource, watermark: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of source.readScopeRemovals(watermark, never)) found.push(...page);
  return found;
}

describe("who was removed from a group of the scope", () => {
  it("is read since a watermark of the groups that were read, and of no others", async () => {
    const sandbox = await startSandbox({ file: ":memory:", people: 25 });
    try {
      const { directory, tenantId, clientId, authorityHost } = sandbox;
      const [a = "", b = "", c = ""] = [...directory.users()].map(({ id }) => id);
      const first = directory.createGroup("Staff", { members: [a, b] });
      const second = directory.createGroup("Board", { members: [a, b, c] });
      const other = directory.createGroup("Choir", { members: [c] });
      const source = sourceFor(
        { origin: sandbox.graphUrl },
        {
          tenantId,
          clientId,
          authorityHost,
          credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
          scope: { ...staff, groups: ["Staff", "Board"] },
        },
      );
      const { result } = await drain(source.readScope(never) ?? expect.fail("no list"));
      const watermark = (await source.scopeWatermark(result, never)) ?? expect.fail("no watermark");
      expect(await removed(source, watermark)).toEqual([]);
      directory.removeMember(first, a);
      directory.removeMember(second, b);
      directory.removeMember(second, c);
      directory.addMember(second, c);
      directory.removeMember(other, c);
      directory.addMember(first, c);
      expect(await removed(source, watermark)).toEqual([a, b]);
      // The same again, until a cycle has read the scope.
      expect(await removed(source, watermark)).toEqual([a, b]);
      const next = (await source.scopeWatermark(result, never)) ?? expect.fail("no watermark");
      expect(await removed(source, next)).toEqual([]);
      sandbox.forceResync("expired");
      await expect(removed(source, next)).rejects.toThrow(WatermarkExpiredError);
    } finally {
      await sandbox.close();
    }
  });

  it.each([
    ["groups within groups count", { ...staff, nested: true }, parts(group(1))],
    ["everybody is in scope", { mode: "all" } as const, []],
    [
      "people are assigned one by one only",
      { mode: "assigned", application: "x", nested: false } as const,
      parts("direct"),
    ],
    [
      "there are more groups than Graph tracks",
      staff,
      parts(...Array.from({ length: 51 }, (_, n) => group(n))),
    ],
  ])("is not asked for if %s", async (_case, scope, read) => {
    await using graph = await startGraph(() => graphError(500, "unexpected"));
    expect(await sourceFor(graph, { scope }).scopeWatermark(read, never)).toBeNull();
    expect(graph.requests).toEqual([]);
  });

  it("asks with one request for the groups of an application's assignments too", async () => {
    await using graph = await startGraph(({ headers }) => ({
      json: { value: [], "@odata.deltaLink": `http://${headers.host}/v1.0/groups/delta?$deltatoken=x` },
    }));
    const source = sourceFor(graph, { scope: { mode: "assigned", application: "x", nested: false } });
    expect(await source.scopeWatermark(parts("direct", group(1), group(2)), never)).toBe(
      `${graph.origin}/v1.0/groups/delta?$deltatoken=x`,
    );
    const [{ url = "" } = {}, ...others] = graph.requests;
    expect(others).toEqual([]);
    expect(Object.fromEntries(new URL(url, graph.origin).searchParams)).toEqual({
      $deltatoken: "latest",
      $select: "members",
      $filter: `id eq '${group(1)}' or id eq '${group(2)}'`,
    });
  });

  it("is read to the end of the pages; groups that were deleted or renamed name no one", async () => {
    await using graph = await startGraph(({ url, headers }) => {
      const link = `http://${headers.host}/v1.0/groups/delta?$skiptoken=2`;
      const value = [
        { id: group(1), "@removed": { reason: "deleted" } },
        { id: group(2), displayName: "Renamed" },
      ];
      if (!url.includes("skiptoken")) return { json: { value, "@odata.nextLink": link } };
      const changed = [{ id: "U1" }, { id: "U2", "@removed": { reason: "deleted" } }];
      return {
        json: { value: [{ id: group(2), "members@delta": changed }], "@odata.deltaLink": link },
      };
    });
    const source = sourceFor(graph, { scope: staff });
    expect(await removed(source, `${graph.origin}/v1.0/groups/delta?$deltatoken=x`)).toEqual(["u2"]);
  });

  it.each([
    ["something else than groups", [7]],
    ["members that are no list", [{ id: group(1), "members@delta": "none" }]],
    ["a removed member without an id", [{ id: group(1), "members@delta": [{ "@removed": {} }] }]],
  ])("is not believed if the answer has %s", async (_case, value) => {
    await using graph = await startGraph(({ headers }) => ({
      json: { value, "@odata.deltaLink": `http://${headers.host}/v1.0/groups/delta?$deltatoken=y` },
    }));
    const source = sourceFor(graph, { scope: staff });
    const from = `${graph.origin}/v1.0/groups/delta?$deltatoken=x`;
    await expect(removed(source, from)).rejects.toThrow(HostUnavailableError);
  });

  it("is not asked of another host than Graph's", async () => {
    await using graph = await startGraph(() => graphError(500, "unexpected"));
    const source = sourceFor(graph, { scope: staff });
    const from = "https://graph.example.com/v1.0/groups/delta?$deltatoken=x";
    await expect(removed(source, from)).rejects.toThrow(WatermarkExpiredError);
    expect(graph.requests).toEqual([]);
  });
});
