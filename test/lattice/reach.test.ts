import { expect, it } from "vitest";
import { ConfigurationError } from "../../src/domain/errors.ts";
import { createLatticeTarget } from "../../src/lattice/target.ts";
import { json, listOf, optionsFor, quiet, serve } from "./loopback.ts";

it("is reached by one small request with the key", async () => {
  const server = await serve((_request, response) => json(response, 200, listOf([])));
  const target = createLatticeTarget(optionsFor(server.url));
  await target.reach(quiet);
  expect(server.requests.map(({ method, url }) => `${method} ${url?.replace(/.*(?=\/Users)/, "")}`)).toEqual([
    "GET /Users?startIndex=1&count=1",
  ]);
  target.close();
});

it.each([401, 403])(
  "is not reached with a key that is answered with %d, which concerns all accounts",
  async (status) => {
    const server = await serve((_request, response) => json(response, status, {}));
    const target = createLatticeTarget(optionsFor(server.url));
    await expect(target.reach(quiet)).rejects.toThrow(ConfigurationError);
    target.close();
  },
);
