import { describe, expect, it } from "vitest";
import {
  ConfigurationError,
  HostUnavailableError,
  RecordRejectedError,
  UnknownOutcomeError,
} from "../../src/domain/errors.ts";
import type { TargetUser } from "../../src/domain/target.ts";
import { probeLattice } from "../../src/lattice/check.ts";
import {
  collect,
  connect,
  failureOf,
  json,
  knownPaths,
  listOf,
  optionsFor,
  quiet,
  scimError,
  serve,
} from "./loopback.ts";

const account = (latticeId: string): TargetUser => ({
  latticeId,
  userName: `${latticeId}@example.com`,
  externalId: null,
  active: true,
  values: {},
});
const idOf = (url: string): string => url.split("/").at(-1) ?? "";
const shown = (url: string) => ({
  id: idOf(url),
  userName: `${idOf(url)}@example.com`,
  active: true,
  title: "Head",
});
const title = [{ path: "title", value: "Head" }];
const isConfig = (url: string): boolean => url.endsWith("/ServiceProviderConfig");

describe("a PATCH that is refused although PUT is accepted", () => {
  it.each([400, 403, 404])("with %i means PUT for all accounts after three of them", async (status) => {
    const server = await serve(({ method, url }, response) => {
      if (isConfig(url)) scimError(response, 404, "none");
      else if (method === "PATCH") scimError(response, status, "no");
      else json(response, 200, shown(url));
    });
    const { target } = connect(server.url, { updateMethod: "auto" });
    const methods: string[] = [];
    for (const id of ["a", "a", "b", "c", "d"]) {
      await target.update(account(id), title, quiet);
      methods.push(await target.updateMethod(quiet));
    }
    expect(methods).toEqual(["patch", "patch", "patch", "put", "put"]);
    expect(server.requests.at(-2)?.method).toBe("GET");
    expect(server.requests.filter(({ method }) => method === "PATCH")).toHaveLength(4);
  });

  it("concerns that account if PATCH was accepted for another", async () => {
    const server = await serve(({ method, url }, response) => {
      if (method === "PATCH" && idOf(url) === "b")
        scimError(response, 400, "too long", { scimType: "invalidValue" });
      else json(response, 200, shown(url));
    });
    const { target } = connect(server.url, { updateMethod: "auto" });
    await target.update(account("a"), title, quiet);
    expect(await failureOf(target.update(account("b"), title, quiet))).toBeInstanceOf(RecordRejectedError);
    expect(server.requests.filter(({ method }) => method === "PUT")).toEqual([]);
  });

  it("is no longer tried with PUT after PUT was refused for three accounts too", async () => {
    const server = await serve(({ method, url }, response) => {
      if (isConfig(url)) scimError(response, 404, "none");
      else if (method === "GET") json(response, 200, shown(url));
      else scimError(response, 400, "too long");
    });
    const { target } = connect(server.url, { updateMethod: "auto" });
    for (const id of ["a", "b", "c", "d", "e"]) {
      expect(await failureOf(target.update(account(id), title, quiet))).toBeInstanceOf(RecordRejectedError);
    }
    expect(server.requests.filter(({ method }) => method === "PUT")).toHaveLength(3);
    expect(await target.updateMethod(quiet)).toBe("patch");
  });

  it("is not a configuration error because of one account's 405 if others succeed", async () => {
    const server = await serve(({ url }, response) =>
      idOf(url) === "b" ? scimError(response, 405, "no") : json(response, 200, shown(url)),
    );
    const { target } = connect(server.url, { updateMethod: "patch" });
    await target.update(account("a"), title, quiet);
    const failure = await failureOf(target.update(account("b"), title, quiet));
    expect(failure).toBeInstanceOf(RecordRejectedError);
  });
});

describe("a version that the server requires", () => {
  it("is read again, and sent, if it has changed in between", async () => {
    let version = 1;
    const sent: (string | undefined)[] = [];
    const server = await serve(({ method, url, ifMatch }, response) => {
      if (method === "GET") {
        json(response, 200, { ...shown(url), meta: { version: `W/"${version}"` } });
        return;
      }
      sent.push(ifMatch);
      if (ifMatch === undefined) scimError(response, 428, "If-Match");
      else if (ifMatch === 'W/"1"') {
        version = 2;
        scimError(response, 412, "changed");
      } else json(response, 200, shown(url));
    });
    const { target } = connect(server.url);
    await target.update(account("a"), title, quiet);
    expect(sent).toEqual([undefined, 'W/"1"', 'W/"2"']);
  });

  it("is this account's failure if it never matches", async () => {
    const server = await serve(({ method, url }, response) =>
      method === "GET" ? json(response, 200, shown(url)) : scimError(response, 412, "changed"),
    );
    expect(await failureOf(connect(server.url).target.update(account("a"), title, quiet))).toBeInstanceOf(
      RecordRejectedError,
    );
    expect(server.requests.filter(({ method }) => method === "PATCH")).toHaveLength(3);
  });
});

describe("a redirect that is not followed", () => {
  it.each([
    [301, "/elsewhere", "only 307 and 308"],
    [302, "/login", "only 307 and 308"],
    [303, "/elsewhere", "only 307 and 308"],
    [307, "https://other.example.com/scim/v2/Users", "send the API key to another host"],
    [308, "//other.example.com/scim/v2/Users", "send the API key to another host"],
    [307, "", "has no target"],
    [307, "/scim/v2/Users", "5 redirects were already followed"],
  ])("%i to %j is reported with the reason", async (status, location, why) => {
    const server = await serve(
      (_request, response) =>
        void response.writeHead(status, location === "" ? {} : { Location: location }).end(),
    );
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect(failure.message).toContain(why);
  });
});

describe("a create that is answered only with a Location", () => {
  it.each([
    "https://other.example.com/scim/v2/Users/x",
    "/elsewhere/Users/x",
    "/scim/v2/Users/",
    "/scim/v2/Groups/x",
  ])("is looked up if that is not an account of this API: %s", async (location) => {
    const server = await serve(
      (_request, response) => void response.writeHead(201, { Location: location }).end(),
    );
    const failure = await failureOf(connect(server.url).target.create(title, quiet));
    expect(failure).toBeInstanceOf(UnknownOutcomeError);
    expect(server.requests).toHaveLength(1);
  });

  it("returns the requested account if it cannot be read", async () => {
    const server = await serve(({ method }, response) =>
      method === "POST"
        ? void response.writeHead(201, { Location: "Users/l-7" }).end()
        : scimError(response, 400, "no"),
    );
    const { user } = await connect(server.url).target.create(
      [{ path: "userName", value: "a@example.com" }],
      quiet,
    );
    expect(user).toMatchObject({ latticeId: "l-7", userName: "a@example.com" });
  });
});

describe("a listing that does not state its total", () => {
  const users = Array.from({ length: 7 }, (_, index) => ({
    id: `l-${index}`,
    userName: `${index}@example.com`,
  }));

  it("ends with a page that is not full and is followed by nothing new", async () => {
    const server = await serve((_request, response) => json(response, 200, { Resources: users }));
    expect(await collect(connect(server.url, { pageSize: 10 }).target.list(quiet))).toHaveLength(7);
  });

  it("is an error if its end cannot be known", async () => {
    const server = await serve((_request, response) => json(response, 200, { Resources: users }));
    const failure = await failureOf(collect(connect(server.url, { pageSize: 7 }).target.list(quiet)));
    expect(failure).toBeInstanceOf(HostUnavailableError);
  });
});

describe("the check of a server near the RFCs", () => {
  const coreUrn = "urn:ietf:params:scim:schemas:core:2.0:User";
  const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
  const named = (id: string, names: string[]) => ({
    id,
    attributes: names.map((name) => ({ name, type: "string" })),
  });
  const schemas = [
    named(coreUrn.toUpperCase(), [
      "userName",
      "active",
      "displayName",
      "title",
      "emails",
      "name",
      "phoneNumbers",
    ]),
    named(enterpriseUrn, ["department", "manager"]),
  ];

  it("reads schemas in pages, under either spelling, and reports the learnt method", async () => {
    const server = await serve(({ url }, response) => {
      const { pathname, searchParams } = new URL(url, "http://localhost");
      const from = Number(searchParams.get("startIndex") ?? 1) - 1;
      if (pathname.endsWith("/schemas")) json(response, 200, listOf(schemas.slice(from, from + 1), 2));
      else if (pathname.endsWith("/Users")) json(response, 200, listOf([]));
      else scimError(response, 401, "no");
    });
    const steps = await probeLattice(
      optionsFor(server.url, { updateMethod: "auto", knownUpdateMethod: "put" }),
      new Map(),
      quiet,
    );
    expect(steps.filter(({ name, ok }) => !ok && name !== "Lattice clock")).toEqual([]);
    const said = steps.map(({ detail }) => detail);
    expect(said).toContain(`Lattice knows all ${knownPaths.length} mapped attributes`);
    expect(said).toContain(
      "Lattice does not say whether it accepts PATCH, but in an earlier sync it accepted PUT only; updates are sent with PUT",
    );
  });
});
