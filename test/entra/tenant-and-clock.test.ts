import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import { fakeClock, never, sourceFor, startGraph } from "./graph-double.ts";

const id = "AAAAAAAA-1111-4222-8333-BBBBBBBBBBBB";
const jwt = (claims: object): string =>
  ["{}", JSON.stringify(claims), "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");
const giving = (token: string, date?: string) => () => ({
  json: { access_token: token, token_type: "Bearer", expires_in: 3600 },
  ...(date === undefined ? {} : { headers: { date } }),
});

describe("the tenant", () => {
  it("is learnt from the token, in lower case", async () => {
    await using graph = await startGraph(() => ({ json: {} }), giving(jwt({ tid: id })));
    expect(await sourceFor(graph).readTenant(never)).toBe(id.toLowerCase());
    expect(graph.requests).toEqual([]);
  });

  it.each(["opaque", jwt({}), jwt({ tid: "common" })])(
    "is unknown for a token that does not contain it",
    async (token) => {
      await using graph = await startGraph(() => ({ json: {} }), giving(token));
      expect(await sourceFor(graph).readTenant(never)).toBeNull();
    },
  );

  it("of a domain name is read from the authority's discovery document", async () => {
    await using graph = await startGraph(({ url, authorization }) => {
      expect(authorization).toBeUndefined();
      if (url === "/contoso.example.com/v2.0/.well-known/openid-configuration") {
        return { json: { issuer: `https://login.example.com/${id}/v2.0` } };
      }
      return { status: 400, json: { error: "invalid_tenant" } };
    });
    const source = sourceFor(graph);
    expect(await source.tenantOf("contoso.example.com", never)).toBe(id.toLowerCase());
    expect(await source.tenantOf("nobody.example.com", never)).toBeNull();
  });

  it("of a domain name is not denied by an outage", async () => {
    await using graph = await startGraph(() => ({ status: 503 }));
    await expect(sourceFor(graph).tenantOf("contoso.example.com", never)).rejects.toThrow(
      HostUnavailableError,
    );
  });
});

describe("the directory's clock", () => {
  const start = Date.UTC(2026, 10, 23, 8);
  const at = (milliseconds: number): string => new Date(milliseconds).toUTCString();

  it("is known from the answer of the token endpoint, then from Graph's", async () => {
    const minute = 60_000;
    await using graph = await startGraph(
      () => ({ json: { id: "u1" }, headers: { date: at(start - 20 * minute) } }),
      giving("token", at(start + 10 * minute)),
    );
    const source = sourceFor(graph, { clock: fakeClock(start) });
    expect(source.clockSkewMs()).toBeUndefined();
    await source.readTenant(never);
    expect(source.clockSkewMs()).toBe(10 * minute);
    await source.readUser("u1", never);
    expect(source.clockSkewMs()).toBe(-20 * minute);
  });
});
