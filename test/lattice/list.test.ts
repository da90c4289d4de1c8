import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError, ListingIncompleteError } from "../../src/domain/errors.ts";
import { collect, connect, failureOf, json, listOf, quiet, scimError, serve } from "./loopback.ts";

const everybody = Array.from({ length: 250 }, (_, index) => ({
  id: `l-${index}`,
  userName: `user${index}@example.com`,
  externalId: `o-${index}`,
}));

function startIndexOf(url: string): number {
  return Number(new URL(url, "http://x").searchParams.get("startIndex") ?? 1);
}

describe("the listing of all accounts", () => {
  it.each([
    ["gives what is asked for", 100],
    ["caps the page below what is asked for", 7],
    ["has one account left for the last page", 83],
    ["gives one account at a time", 1],
  ])("reaches every account if the server %s", async (_case, cap) => {
    const server = await serve(({ url }, response) => {
      const from = startIndexOf(url) - 1;
      json(response, 200, listOf(everybody.slice(from, from + cap), everybody.length));
    });
    const users = await collect(connect(server.url).target.list(quiet));
    expect(users.map(({ latticeId }) => latticeId)).toEqual(everybody.map(({ id }) => id));
    expect(server.requests).toHaveLength(Math.ceil(250 / cap));
  });

  it("takes one request for an empty Lattice, also without Resources", async () => {
    const server = await serve((_request, response) => json(response, 200, { totalResults: 0 }));
    expect(await collect(connect(server.url).target.list(quiet))).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["ignores startIndex", (from: number) => everybody.slice(0, from > 0 ? 100 : 100)],
    ["begins again past the end", (from: number) => everybody.slice(from < 250 ? from : 0).slice(0, 100)],
  ])("ends with an error if the server %s", async (_case, page) => {
    const server = await serve(({ url }, response) =>
      json(response, 200, listOf(page(startIndexOf(url) - 1), 300)),
    );
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failure.message).toContain("repeats itself");
  });

  it("ends with an error if pages run dry before the total", async () => {
    const server = await serve(({ url }, response) =>
      json(response, 200, listOf(everybody.slice(startIndexOf(url) - 1).slice(0, 100), 300)),
    );
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failure.message).toContain("says it has 300 accounts, but its list has 250");
  });

  it("ends with an error if each page promises more", async () => {
    const server = await serve(({ url }, response) => {
      const from = startIndexOf(url) - 1;
      const page = Array.from({ length: 100 }, (_, at) => ({
        id: `l-${from + at}`,
        userName: `u${from + at}`,
      }));
      // It would have an end after all, so that this test has one.
      json(response, 200, listOf(page, Math.min(from + 200, 3_000)));
    });
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure.message).toBe(
      "Lattice's list of accounts does not end: it has given 1,500 accounts and now promises 1,600; the list was not used. Report it to Lattice.",
    );
  });

  it.each([-1, 1.5, 1_000_000_000, "many"])("is not a list with %s accounts", async (totalResults) => {
    const server = await serve((_request, response) => json(response, 200, { totalResults, Resources: [] }));
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure.message).toContain("not a SCIM list");
  });

  it("returns an account once that moved to the next page during the read", async () => {
    const server = await serve(({ url }, response) => {
      const from = startIndexOf(url) - 1;
      json(response, 200, listOf(from === 0 ? everybody.slice(0, 3) : everybody.slice(2, 4), 5));
    });
    const users = await collect(connect(server.url).target.list(quiet));
    expect(users.map(({ latticeId }) => latticeId)).toEqual(["l-0", "l-1", "l-2", "l-3"]);
  });

  it("shows every readable account, and then ends with an error, if an entry has no id", async () => {
    const people = [{ userName: "nobody@example.com" }, ...everybody.slice(0, 3)];
    const server = await serve(({ url }, response) => {
      const from = startIndexOf(url) - 1;
      json(response, 200, listOf(people.slice(from, from + 2), people.length));
    });
    const shown: string[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const page of connect(server.url).target.list(quiet)) {
          shown.push(...page.map(({ latticeId }) => latticeId));
        }
      })(),
    );
    expect(failure).toBeInstanceOf(ListingIncompleteError);
    expect(failure.message).toContain("has 1 entry without an id, next to 3 accounts");
    expect(shown).toEqual(["l-0", "l-1", "l-2"]);
  });

  it("answers a wrong base address with advice", async () => {
    const server = await serve((_request, response) => scimError(response, 404, "Endpoint Not Found"));
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect(failure.message).toContain("lattice.url");
  });
});

describe("a look-up in Lattice", () => {
  it("escapes the value and asks once", async () => {
    const value = 'o"b\\r+&ü@example.com';
    const server = await serve((_request, response) => json(response, 200, listOf([])));
    await connect(server.url).target.find("userName", value, quiet);
    const { pathname, searchParams } = new URL(server.requests[0]?.url ?? "", "http://x");
    expect(pathname).toBe("/scim/v2/Users");
    expect([...searchParams]).toEqual([["filter", 'userName eq "o\\"b\\\\r+&ü@example.com"']]);
  });

  it("compares user names case-insensitively and external ids case-sensitively", async () => {
    const server = await serve((_request, response) =>
      json(response, 200, listOf([{ id: "l-1", userName: "Ada@Example.com", externalId: "Ab" }])),
    );
    const { target } = connect(server.url);
    expect(await target.find("userName", "ada@example.COM", quiet)).toHaveLength(1);
    expect(await target.find("externalId", "Ab", quiet)).toHaveLength(1);
    expect(await target.find("externalId", "ab", quiet)).toEqual([]);
  });

  it("finds only the right account if the server ignores the filter", async () => {
    const server = await serve(({ url }, response) =>
      json(response, 200, listOf(everybody.slice(startIndexOf(url) - 1).slice(0, 100), 250)),
    );
    const { target } = connect(server.url);
    expect(
      (await target.find("userName", "user249@example.com", quiet)).map(({ latticeId }) => latticeId),
    ).toEqual(["l-249"]);
    expect(await target.find("userName", "nobody@example.com", quiet)).toEqual([]);
  });
});
