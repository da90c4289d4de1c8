import fc from "fast-check";
import SCIMMY from "scimmy";
import { describe, expect, it } from "vitest";
import { RecordRejectedError } from "../../src/domain/errors.ts";
import { connect, failureOf, json, listOf, quiet, type SeenRequest, serve } from "../lattice/loopback.ts";
import { nastyText } from "./arbitraries.ts";

const seed = 20_260_303;
const attribute = fc.constantFrom("userName" as const, "externalId" as const);

/** A Lattice without accounts, and the query of the look-up for `value`. */
async function lookUps(): Promise<
  (name: "userName" | "externalId", value: string) => Promise<URLSearchParams>
> {
  const server = await serve((_request, response) => json(response, 200, listOf([])));
  const { target } = connect(server.url);
  return async (name, value) => {
    server.requests.length = 0;
    expect(await target.find(name, value, quiet)).toEqual([]);
    expect(server.requests).toHaveLength(1);
    return queryOf(server.requests[0]);
  };
}

function queryOf(request: SeenRequest | undefined): URLSearchParams {
  const url = new URL(request?.url ?? "", "http://lattice.example.com");
  expect(url.pathname).toBe("/scim/v2/Users");
  expect(url.hash).toBe("");
  return url.searchParams;
}

type Token = string | { readonly literal: string };

/**
 * The tokens of a filter: words, brackets and parentheses as they are, string literals (RFC 7644 section 3.4.2.2: JSON
 * strings) decoded. Written for this test alone, from the ABNF.
 */
function tokensOf(filter: string): Token[] {
  const tokens: Token[] = [];
  let index = 0;
  while (index < filter.length) {
    if (filter[index] === " ") {
      index += 1;
      continue;
    }
    const start = index;
    if (filter[index] !== '"') {
      index += 1;
      if (!"()[]".includes(filter[start] ?? ""))
        while (index < filter.length && !'"()[] '.includes(filter[index] ?? "")) index += 1;
      tokens.push(filter.slice(start, index));
      continue;
    }
    index += 1;
    while (index < filter.length && filter[index] !== '"') index += filter[index] === "\\" ? 2 : 1;
    index += 1;
    const literal: unknown = JSON.parse(filter.slice(start, index));
    if (typeof literal !== "string") throw new Error("a literal that is no string");
    tokens.push({ literal });
  }
  return tokens;
}

describe("the filter of a look-up", () => {
  it("is one comparison with exactly the value", async () => {
    const lookUp = await lookUps();
    await fc.assert(
      fc.asyncProperty(
        attribute,
        nastyText.map((text) => text.slice(0, 1_000)),
        async (name, value) => {
          const query = await lookUp(name, value);
          expect([...query.keys()]).toEqual(["filter"]);
          expect(tokensOf(query.get("filter") ?? "")).toEqual([name, "eq", { literal: value }]);
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it("is at most one comparison to a server written by others", async () => {
    const lookUp = await lookUps();
    await fc.assert(
      fc.asyncProperty(
        attribute,
        nastyText.map((text) => text.slice(0, 1_000)),
        async (name, value) => {
          const filter = (await lookUp(name, value)).get("filter") ?? "";
          const understood = readWithScimmy(filter);
          // scimmy takes no escapes: it refuses such a filter, or compares with the escape as it is written.
          if (understood === undefined) expect(JSON.stringify(value)).not.toBe(`"${value}"`);
          else if (JSON.stringify(value) === `"${value}"` && !/\s/.test(value))
            expect(understood).toEqual([{ [name]: ["eq", value] }]);
          else expect(understood).toEqual([{ [name]: ["eq", expect.any(String)] }]);
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  it("is not sent for a value that does not fit into an address", async () => {
    const server = await serve((_request, response) => json(response, 200, listOf([])));
    const { target } = connect(server.url);
    for (const value of ["x".repeat(10_000_000), '"'.repeat(10_000_000), "\ud800".repeat(1_001)]) {
      const failure = await failureOf(target.find("externalId", value, quiet));
      expect(failure).toBeInstanceOf(RecordRejectedError);
      expect(failure.message.length).toBeLessThan(300);
    }
    expect(server.requests).toEqual([]);
  });

  it("of the longest value still fits into an address", async () => {
    const lookUp = await lookUps();
    for (const character of ["x", '"', "\\", "\u0000", "日", "\ud800", "👩"]) {
      const value = character.repeat(1_000 / character.length);
      const query = await lookUp("externalId", value);
      expect(tokensOf(query.get("filter") ?? "")).toEqual(["externalId", "eq", { literal: value }]);
    }
  });
});

function readWithScimmy(filter: string): unknown[] | undefined {
  try {
    return [...new SCIMMY.Types.Filter(filter)];
  } catch (error) {
    if (error instanceof SCIMMY.Types.Error) return undefined;
    throw error;
  }
}
