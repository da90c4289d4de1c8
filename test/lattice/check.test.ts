import { describe, expect, it } from "vitest";
import { Secret } from "../../src/domain/secret.ts";
import type { AttributeType } from "../../src/domain/target.ts";
import { probeLattice } from "../../src/lattice/check.ts";
import type { LatticeOptions } from "../../src/lattice/options.ts";
import { json, knownPaths, latticeUrn, listOf, optionsFor, quiet, scimError, serve } from "./loopback.ts";
import { startScimmy } from "./scimmy-server.ts";

const untyped: ReadonlyMap<string, AttributeType> = new Map();

async function probe(options: LatticeOptions, types = untyped) {
  const steps = await probeLattice(options, types, quiet);
  return Object.fromEntries(steps.map((step) => [step.name, step]));
}

function now() {
  return { clock: { now: () => Date.now(), sleep: async () => undefined } };
}

describe("the check of Lattice", () => {
  it("passes if all is well, and writes nothing", async () => {
    const server = await startScimmy({ patch: true });
    const steps = await probeLattice(
      { ...optionsFor(server.url, { updateMethod: "auto" }), ...now() },
      untyped,
      quiet,
    );
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["Lattice host", true],
      ["Lattice API key", true],
      ["Lattice clock", true],
      ["Lattice update method", true],
      ["Lattice attributes", true],
    ]);
    expect(server.requests.every((request) => request.startsWith("GET "))).toBe(true);
  });

  it("names the mapped attributes that Lattice does not have", async () => {
    const server = await startScimmy({ patch: true });
    const missing = `${latticeUrn}:shoeSize`;
    const paths = [...knownPaths, `${latticeUrn}:officeLocation`, missing, "name.shoutedName"];
    const steps = await probe({ ...optionsFor(server.url, { paths }), ...now() });
    expect(steps["Lattice attributes"]).toMatchObject({
      ok: false,
      detail: `Lattice does not know ${missing}, name.shoutedName`,
      remedy: expect.stringContaining("custom attribute"),
    });
  });

  it("names the mapped attributes that have another type in Lattice", async () => {
    const attributes = [
      { name: "userName", type: "string" },
      { name: "emails", type: "complex", subAttributes: [{ name: "value", type: "string" }] },
      { name: "active", type: "boolean" },
    ];
    const own = [
      { name: "Shoe Size", type: "decimal" },
      { name: "startDate", type: "dateTime" },
      { name: "level", type: "integer" },
      { name: "untold" },
    ];
    const server = await serve(({ url }, response) => {
      if (url.includes("/Users")) json(response, 200, listOf([]));
      else if (url.endsWith("/Schemas")) {
        const core = { id: "urn:ietf:params:scim:schemas:core:2.0:User", attributes };
        json(response, 200, listOf([core, { id: latticeUrn, attributes: own }]));
      } else scimError(response, 404, "none");
    });
    const types = new Map<string, AttributeType>([
      ["userName", "text"],
      ["active", "boolean"],
      ['emails[type eq "work"].value', "email"],
      [`${latticeUrn}:shoeSize`, "text"],
      [`${latticeUrn}:startDate`, "date"],
      [`${latticeUrn}:level`, "number"],
      [`${latticeUrn}:untold`, "number"],
    ]);
    const steps = await probe(optionsFor(server.url, { paths: [...types.keys()] }), types);
    expect(steps["Lattice attributes"]).toMatchObject({
      ok: false,
      detail: `${latticeUrn}:shoeSize is mapped as text, but is decimal in Lattice`,
      remedy: 'Set "type" in its attribute mapping to the type that Lattice has.',
    });
  });

  it("finds the schemas under Lattice's own spelling", async () => {
    const server = await serve(({ url }, response) => {
      if (url.includes("/Users")) json(response, 200, listOf([]));
      else if (url.endsWith("/schemas")) {
        const attributes = [{ name: "userName" }];
        json(response, 200, listOf([{ id: "urn:ietf:params:scim:schemas:core:2.0:User", attributes }]));
      } else scimError(response, 404, "none");
    });
    const steps = await probe(optionsFor(server.url, { paths: ["userName", "title"] }));
    expect(steps["Lattice attributes"]).toMatchObject({ ok: false, detail: "Lattice does not know title" });
    expect(steps["Lattice update method"]).toMatchObject({ ok: true });
  });

  it("reports that PATCH is not accepted if the configuration demands it", async () => {
    const server = await startScimmy({ patch: false });
    const steps = await probe({ ...optionsFor(server.url, { updateMethod: "patch" }), ...now() });
    expect(steps["Lattice update method"]).toMatchObject({
      ok: false,
      remedy: expect.stringContaining("auto"),
    });
  });

  it("stops at a refused key and never repeats the key", async () => {
    const server = await startScimmy({ patch: true });
    const options = { ...optionsFor(server.url, { token: new Secret("revoked-key") }), ...now() };
    const steps = await probeLattice(options, untyped, quiet);
    expect(steps.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["Lattice API key"]);
    expect(server.requests).toHaveLength(1);
    expect(JSON.stringify(steps)).toContain("super admin");
    expect(JSON.stringify(steps)).not.toContain("revoked-key");
  });

  it("stops if nothing listens", async () => {
    const steps = await probeLattice(optionsFor("http://127.0.0.1:1/scim/v2"), untyped, quiet);
    expect(steps).toEqual([
      {
        name: "Lattice host",
        ok: false,
        detail: expect.stringMatching(/^127\.0\.0\.1:1 refused the connection .*ECONNREFUSED/),
        remedy: expect.stringContaining("lattice.url"),
      },
    ]);
  });

  it("measures the clock by the Date of the answer", async () => {
    const options = optionsFor("");
    const date = new Date(options.clock.now() + 600_000).toUTCString();
    const server = await serve((_request, response) => json(response, 200, listOf([]), { Date: date }));
    const steps = await probe({ ...options, url: server.url });
    expect(steps["Lattice clock"]).toMatchObject({
      ok: false,
      detail: "this machine's clock is 600 s behind Lattice's",
    });
    expect(steps["Lattice attributes"]).toBeDefined();
  });
});
