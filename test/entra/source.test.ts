import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError, WatermarkExpiredError } from "../../src/domain/errors.ts";
import { type Arrived, drain, graphError, never, sourceFor, startGraph } from "./graph-double.ts";

const origin = (request: Arrived) => `http://${request.headers.host}`;

describe("readAll", () => {
  it("takes the watermark first, then follows the pages to their end", async () => {
    const shown = { userPrincipalName: null, accountEnabled: true, displayName: null };
    await using graph = await startGraph((request) => {
      if (request.url.startsWith("/v1.0/users/delta")) {
        return {
          json: { value: [], "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?$deltatoken=d1` },
        };
      }
      if (request.url.includes("skiptoken=2"))
        return { json: { value: [{ ...shown, id: "u3", manager: null }] } };
      const next = `${origin(request)}/v1.0/users?$skiptoken=2&z=1&$select=id&a=%2B`;
      const ann = { ...shown, id: "u1", displayName: "Ann", manager: { id: "u2" } };
      return { json: { value: [ann, { ...shown, id: "u2" }], "@odata.nextLink": next } };
    });
    const { items, result } = await drain(sourceFor(graph).readAll(never));
    expect(result).toEqual({ watermark: `${graph.origin}/v1.0/users/delta?$deltatoken=d1` });
    expect(items).toEqual([
      {
        kind: "upsert",
        objectId: "u1",
        attributes: { id: "u1", accountEnabled: true, displayName: "Ann" },
        complete: true,
        managerId: "u2",
      },
      {
        kind: "upsert",
        objectId: "u2",
        attributes: { id: "u2", accountEnabled: true },
        complete: true,
        managerId: null,
      },
      {
        kind: "upsert",
        objectId: "u3",
        attributes: { id: "u3", accountEnabled: true },
        complete: true,
        managerId: null,
      },
    ]);
    const properties = "id,userPrincipalName,accountEnabled,displayName";
    expect(graph.requests.map((request) => request.url)).toEqual([
      `/v1.0/users/delta?$deltatoken=latest&$select=${properties},manager`,
      `/v1.0/users?$top=999&$select=${properties}&$expand=manager($select=id)`,
      // Links are opaque: this one arrives exactly as it was given, the order of its parameters included.
      "/v1.0/users?$skiptoken=2&z=1&$select=id&a=%2B",
    ]);
    expect(graph.requests.map((request) => request.authorization)).toEqual(Array(3).fill("Bearer token-1"));
    expect(graph.tokenRequests).toHaveLength(1);
    expect(Object.fromEntries(graph.tokenRequests[0] ?? [])).toEqual({
      grant_type: "client_credentials",
      client_id: "app-id",
      client_secret: "the-right-secret",
      scope: `${graph.origin}/.default`,
    });
  });

  for (const reading of ["readAll", "readChanges"] as const) {
    it(`cancels the page that is read ahead if it is not needed any more (${reading})`, async () => {
      const cut = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      await using graph = await startGraph((request) => {
        if (request.url.includes("deltatoken=latest")) {
          return { json: { value: [], "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?d` } };
        }
        if (!request.url.includes("page=2")) {
          const next = `${origin(request)}/v1.0/users/delta?page=2`;
          return { json: { value: [{ id: "u1" }], "@odata.nextLink": next } };
        }
        return (response) => {
          response.on("close", cut.resolve);
          asked.resolve();
        };
      });
      const source = sourceFor(graph);
      const pages =
        reading === "readAll"
          ? source.readAll(never)
          : source.readChanges(`${graph.origin}/v1.0/users/delta?d`, never);
      await pages.next();
      await asked.promise;
      await pages.return({ watermark: "" });
      await cut.promise;
    });
  }

  it("requests no manager if the mapping needs none", async () => {
    await using graph = await startGraph((request) => ({
      json: { value: [{ id: "u1" }], "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?d` },
    }));
    const source = sourceFor(graph, { select: ["mail"] });
    expect((await drain(source.readAll(never))).items).toMatchObject([{ managerId: undefined }]);
    expect(graph.requests.some((request) => request.url.includes("manager"))).toBe(false);
  });

  it("calls a page token that expired half-way an outage, not an expired watermark", async () => {
    await using graph = await startGraph((request, count) => {
      if (count === 1)
        return { json: { value: [], "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?d` } };
      if (count === 2)
        return { json: { value: [{ id: "u1" }], "@odata.nextLink": `${origin(request)}/v1.0/users?p=2` } };
      return graphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.");
    });
    await expect(drain(sourceFor(graph).readAll(never))).rejects.toBeInstanceOf(HostUnavailableError);
  });
});

describe("readChanges", () => {
  it("costs exactly one request if nothing changed", async () => {
    await using graph = await startGraph((request) => ({
      json: { value: [], "@odata.deltaLink": `${origin(request)}/v1.0/users/delta?$deltatoken=d2` },
    }));
    const before = `${graph.origin}/v1.0/users/delta?$deltatoken=d1`;
    const { items, result } = await drain(sourceFor(graph).readChanges(before, never));
    expect(items).toEqual([]);
    expect(result).toEqual({ watermark: `${graph.origin}/v1.0/users/delta?$deltatoken=d2` });
    expect(graph.requests.map((request) => request.url)).toEqual(["/v1.0/users/delta?$deltatoken=d1"]);
  });

  it("goes through empty pages, replays, removals and changed managers", async () => {
    await using graph = await startGraph((request) => {
      const link = (name: string, token: string) => ({
        [`@odata.${name}`]: `${origin(request)}/v1.0/users/delta?t=${token}`,
      });
      if (request.url.endsWith("t=1")) return { json: { value: [], ...link("nextLink", "2") } };
      if (request.url.endsWith("t=2")) {
        const items = [
          { id: "u1", displayName: null, "manager@delta": [{ id: "m1", "@removed": { reason: "deleted" } }] },
          { id: "u2", "@removed": { reason: "changed" } },
        ];
        return { json: { value: items, ...link("nextLink", "3") } };
      }
      const items = [
        { id: "u1", displayName: "Ann" },
        { id: "u3", "@removed": { reason: "deleted" } },
      ];
      return { json: { value: items, ...link("deltaLink", "4") } };
    });
    const { items, result } = await drain(
      sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never),
    );
    expect(items).toMatchObject([
      {
        kind: "upsert",
        objectId: "u1",
        attributes: { id: "u1", displayName: null },
        complete: false,
        managerId: null,
      },
      { kind: "removed", objectId: "u2", presence: "softDeleted" },
      {
        kind: "upsert",
        objectId: "u1",
        attributes: { id: "u1", displayName: "Ann" },
        complete: false,
        managerId: undefined,
      },
      { kind: "removed", objectId: "u3", presence: "deleted" },
    ]);
    expect(result.watermark).toMatch(/t=4$/);
  });

  it.each([
    ["410 with a Location", { status: 410, headers: { location: "https://evil.example.com/" }, json: {} }],
    ["syncStateNotFound", graphError(400, "syncStateNotFound")],
    ["resyncRequired", graphError(410, "resyncRequired")],
    ["resyncChangesApplyDifferences", graphError(409, "resyncChangesApplyDifferences")],
    ["a token it cannot read", graphError(400, "Request_BadRequest", "Badly formed token.")],
  ])("reports %s as an expired watermark", async (_name, reply) => {
    await using graph = await startGraph(() => reply);
    const pages = sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never);
    await expect(drain(pages)).rejects.toBeInstanceOf(WatermarkExpiredError);
    expect(graph.requests).toHaveLength(1);
  });

  it("does not treat another 400 as an expired watermark", async () => {
    await using graph = await startGraph(() => graphError(400, "Request_BadRequest", "Unknown property."));
    const pages = sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never);
    await expect(drain(pages)).rejects.toThrow(
      /refused to read users \(400 Request_BadRequest\): Unknown property\./,
    );
  });

  it.each(["https://graph.example.com/v1.0/users/delta?t=1", "not a link", ""])(
    "sends nothing for the foreign watermark %j",
    async (watermark) => {
      await using graph = await startGraph(() => ({ json: { value: [] } }));
      const pages = sourceFor(graph).readChanges(watermark, never);
      await expect(drain(pages)).rejects.toBeInstanceOf(WatermarkExpiredError);
      expect(graph.requests).toEqual([]);
    },
  );

  it.each([
    ["has no delta link", { value: [] }],
    ["has no list", { "@odata.deltaLink": "x" }],
    ["holds somebody without an id", { value: [{ displayName: "Ann" }] }],
  ])("refuses a last page that %s", async (_name, json) => {
    await using graph = await startGraph(() => ({ json }));
    const pages = sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never);
    await expect(drain(pages)).rejects.toThrow(/malformed answer/);
  });

  it("does not follow next links in a circle", async () => {
    await using graph = await startGraph((request) => ({
      json: { value: [], "@odata.nextLink": `${origin(request)}/v1.0/users/delta?t=1` },
    }));
    const pages = sourceFor(graph).readChanges(`${graph.origin}/v1.0/users/delta?t=1`, never);
    await expect(drain(pages)).rejects.toThrow(/form a loop/);
    expect(graph.requests).toHaveLength(1);
  });
});

describe("readUser", () => {
  it("reads one person by name", async () => {
    await using graph = await startGraph(() => ({
      json: { id: "u1", displayName: "Ann", manager: { id: "m1" } },
    }));
    const user = await sourceFor(graph).readUser("o'hara_example.org#EXT#@example.com", never);
    expect(user).toMatchObject({ objectId: "u1", complete: true, managerId: "m1" });
    expect(graph.requests[0]?.url).toMatch(
      /^\/v1\.0\/users\/o%27hara_example\.org%23EXT%23%40example\.com\?\$select=id,.*&\$expand=manager\(\$select=id\)$/,
    );
  });

  it("answers null for Graph's own 404", async () => {
    await using graph = await startGraph(() => graphError(404, "Request_ResourceNotFound"));
    expect(await sourceFor(graph).readUser("u1", never)).toBeNull();
  });

  it("does not believe the 404 of something that is not Graph", async () => {
    await using graph = await startGraph(() => ({ status: 404, text: "<html>not here</html>" }));
    await expect(sourceFor(graph).readUser("u1", never)).rejects.toBeInstanceOf(ConfigurationError);
  });

  it("sends nothing for a name that would lead to another resource", async () => {
    await using graph = await startGraph(() => ({ json: { value: [] } }));
    expect(await sourceFor(graph).readUser("..", never)).toBeNull();
    expect(graph.requests).toEqual([]);
  });
});
