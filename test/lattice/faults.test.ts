import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import {
  AlreadyExistsError,
  ConfigurationError,
  HostUnavailableError,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../src/domain/errors.ts";
import type { Target, TargetUser } from "../../src/domain/target.ts";
import { apiKey, collect, connect, failureOf, json, listOf, quiet, scimError, serve } from "./loopback.ts";

const ada: TargetUser = {
  latticeId: "l-1",
  userName: "ada@example.com",
  externalId: "o-1",
  active: true,
  values: { userName: "ada@example.com", title: "Analyst" },
};
const resource = { id: "l-1", userName: "ada@example.com", externalId: "o-1", active: true, title: "Chief" };
const newcomer = [{ path: "userName", value: "ada@example.com" }];
const promotion = [{ path: "title", value: "Chief" }];

/** Sends the head of an answer and half of its body, then hangs up. */
function truncate(response: ServerResponse, status: number): void {
  const body = JSON.stringify(resource);
  response.writeHead(status, { "Content-Type": "application/scim+json", "Content-Length": body.length });
  response.write(body.slice(0, 20), () => response.destroy());
}

const page = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { "Content-Type": "text/html" });
  response.end("<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>cdn</body></html>");
};

const fates: [string, (response: ServerResponse) => void][] = [
  ["the connection is dropped", (response) => response.destroy()],
  ["the answer is cut off", (response) => truncate(response, 201)],
  ["an error answer is cut off", (response) => truncate(response, 400)],
  ["the JSON is incomplete", (response) => response.writeHead(201).end('{"id":"l-1"')],
  ["a web page comes with 200", (response) => page(response, 200)],
  ["a web page comes with 502", (response) => page(response, 502)],
  ["500 is answered", (response) => scimError(response, 500, "oops")],
  ["503 is answered without Retry-After", (response) => scimError(response, 503, "busy")],
  ["504 is answered", (response) => scimError(response, 504, "late")],
  [
    "the answer is too large",
    (response) => response.writeHead(201).end(JSON.stringify({ id: "x".repeat(5000) })),
  ],
  ["no answer comes", () => undefined],
];

describe("a create in Lattice", () => {
  it.each([
    ...fates,
    ["the new account has no id", (response: ServerResponse) => json(response, 201, { userName: "a" })],
    ["the answer is empty", (response: ServerResponse) => void response.writeHead(202).end()],
  ] as typeof fates)("is sent once and has an unknown outcome if %s", async (_case, answer) => {
    const server = await serve((_request, response) => answer(response));
    const { target } = connect(server.url, { timeoutMs: 200, maxResponseBytes: 2000 });
    expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(UnknownOutcomeError);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /scim/v2/Users"]);
  });

  it("was certainly not sent if the host refuses connections", async () => {
    const { target } = connect("http://127.0.0.1:1/scim/v2");
    const failure = await failureOf(target.create(newcomer, quiet));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failure.message).toContain("ECONNREFUSED");
  });

  it("was certainly not sent if the name does not resolve", async () => {
    const { target } = connect("https://lattice.invalid/scim/v2");
    expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(HostUnavailableError);
  });

  it("meets an existing account with 409", async () => {
    const server = await serve((_request, response) =>
      scimError(response, 409, "userName is taken", { scimType: "uniqueness" }),
    );
    const failure = await failureOf(connect(server.url).target.create(newcomer, quiet));
    expect(failure).toBeInstanceOf(AlreadyExistsError);
    expect(failure).toMatchObject({ status: 409, scimType: "uniqueness" });
  });

  it.each([400, 413, 422])(
    "is refused for this account alone by %i, with the server's words",
    async (status) => {
      const server = await serve((_request, response) =>
        scimError(response, status, "userName must be an e-mail address", { scimType: "invalidValue" }),
      );
      const failure = await failureOf(connect(server.url).target.create(newcomer, quiet));
      expect(failure).toBeInstanceOf(RecordRejectedError);
      expect(failure).toMatchObject({ status, scimType: "invalidValue" });
      expect(failure.message).toContain("(invalidValue): “userName must be an e-mail address”");
    },
  );

  it("is refused for this account alone by 403, which may also concern the key", async () => {
    const server = await serve((_request, response) => scimError(response, 403, "no"));
    const { target } = connect(server.url);
    expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(RecordForbiddenError);
    expect(await failureOf(target.update(ada, promotion, quiet))).toBeInstanceOf(RecordForbiddenError);
    expect(await failureOf(target.find("userName", "ada@example.com", quiet))).toBeInstanceOf(
      RecordForbiddenError,
    );
    expect(await failureOf(target.get("l-1", quiet))).toBeInstanceOf(RecordForbiddenError);
    expect(await failureOf(collect(target.list(quiet)))).toBeInstanceOf(ConfigurationError);
  });

  it("stops everything at 401, with a web page or without", async () => {
    for (const answer of [
      (response: ServerResponse) => scimError(response, 401, "no"),
      (response: ServerResponse) => page(response, 401),
    ]) {
      const server = await serve((_request, response) => answer(response));
      const { target } = connect(server.url);
      for (const request of [
        () => target.create(newcomer, quiet),
        () => target.update(ada, promotion, quiet),
        () => target.get("l-1", quiet),
        () => target.find("userName", "ada@example.com", quiet),
      ]) {
        expect(await failureOf(request())).toBeInstanceOf(ConfigurationError);
      }
      expect(server.requests).toHaveLength(4);
    }
  });

  it.each([404, 405, 410, 501])("is refused for this account alone by %i, and sent once", async (status) => {
    const server = await serve((_request, response) => scimError(response, status, "no"));
    const failure = await failureOf(connect(server.url).target.create(newcomer, quiet));
    expect(failure).toBeInstanceOf(RecordRejectedError);
    expect(failure).not.toBeInstanceOf(RecordGoneError);
    expect(server.requests).toHaveLength(1);
  });

  it("returns the requested account if the server answers only with the id", async () => {
    const server = await serve((_request, response) =>
      json(response, 201, { id: "l-1" }, { "X-Request-Id": "req-7" }),
    );
    const receipt = await connect(server.url).target.create(newcomer, quiet);
    expect(receipt).toMatchObject({
      status: 201,
      requestId: "req-7",
      user: { latticeId: "l-1", userName: "ada@example.com", values: { userName: "ada@example.com" } },
    });
    expect(server.requests[0]).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      contentType: "application/scim+json",
    });
  });
});

describe("an update in Lattice", () => {
  it.each(fates.filter(([name]) => name !== "the answer is too large"))(
    "is repeated if %s, and succeeds when that ends",
    async (_case, answer) => {
      const server = await serve((_request, response) =>
        server.requests.length < 4 ? answer(response) : json(response, 200, resource),
      );
      const { target, clock } = connect(server.url, { timeoutMs: 200 });
      const { user } = await target.update(ada, promotion, quiet);
      expect(user.values.title).toBe("Chief");
      expect(server.requests).toHaveLength(4);
      expect(clock.sleeps.slice(0, 3).reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(500);
    },
  );

  it("is given up for this account after four attempts", async () => {
    const server = await serve((_request, response) => page(response, 502));
    const failure = await failureOf(connect(server.url).target.update(ada, promotion, quiet));
    expect(failure).toBeInstanceOf(RecordUnavailableError);
    expect(failure.message).toContain('[PATCH] "/Users/l-1": 502 Bad Gateway: “a web page, "Bad gateway"”');
    expect(server.requests).toHaveLength(4);
  });

  it("reports the host as gone if nothing listens", async () => {
    const { target, clock } = connect("http://127.0.0.1:1/scim/v2");
    expect(await failureOf(target.update(ada, promotion, quiet))).toBeInstanceOf(HostUnavailableError);
    expect(clock.sleeps).toEqual([500, 1000, 2000]);
  });

  it("reports the account as gone at 404", async () => {
    const server = await serve((_request, response) => scimError(response, 404, "Resource l-1 not found"));
    expect(await failureOf(connect(server.url).target.update(ada, promotion, quiet))).toBeInstanceOf(
      RecordGoneError,
    );
    expect(server.requests).toHaveLength(1);
  });

  it.each([204, 200])("without a body in the answer (%i) returns the requested account", async (status) => {
    const server = await serve((_request, response) => void response.writeHead(status).end());
    const { user } = await connect(server.url).target.update(ada, promotion, quiet);
    expect(user).toEqual({ ...ada, values: { ...ada.values, title: "Chief" } });
  });

  it.each([405, 501])(
    "changes to PUT for good if PATCH meets %i and the method is automatic",
    async (status) => {
      const server = await serve(({ method, url }, response) => {
        if (url.endsWith("/ServiceProviderConfig")) scimError(response, 404, "none");
        else if (method === "PATCH") scimError(response, status, "not supported");
        else json(response, 200, resource);
      });
      const { target } = connect(server.url, { updateMethod: "auto" });
      await target.update(ada, promotion, quiet);
      await target.update(ada, promotion, quiet);
      expect(server.requests.map(({ method }) => method)).toEqual([
        "GET",
        "PATCH",
        "GET",
        "PUT",
        "GET",
        "PUT",
      ]);
      expect(await target.updateMethod(quiet)).toBe("put");
    },
  );

  it("is a configuration error if PATCH is demanded and refused", async () => {
    const server = await serve((_request, response) => scimError(response, 501, "not supported"));
    expect(await failureOf(connect(server.url).target.update(ada, promotion, quiet))).toBeInstanceOf(
      ConfigurationError,
    );
  });

  it("requests the ServiceProviderConfig once for many updates, and not at all if it is remembered", async () => {
    const server = await serve(({ url }, response) =>
      json(response, 200, url.endsWith("/ServiceProviderConfig") ? { patch: { supported: true } } : resource),
    );
    const { target } = connect(server.url, { updateMethod: "auto" });
    await Promise.all([1, 2, 3].map(() => target.update(ada, promotion, quiet)));
    expect(server.requests.filter(({ method }) => method === "GET")).toHaveLength(1);
    const remembered = connect(server.url, { updateMethod: "auto", knownUpdateMethod: "patch" });
    await remembered.target.update(ada, promotion, quiet);
    expect(server.requests.filter(({ method }) => method === "GET")).toHaveLength(1);
  });

  it("never replaces an account that it could not read", async () => {
    const server = await serve((_request, response) => json(response, 200, {}));
    const failure = await failureOf(
      connect(server.url, { updateMethod: "put" }).target.update(ada, promotion, quiet),
    );
    expect(failure).toBeInstanceOf(RecordUnavailableError);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  });
});

describe("a read of Lattice", () => {
  it("is repeated if it fails transiently, then the host counts as unavailable", async () => {
    const server = await serve((_request, response) => page(response, 200));
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failure.message).toContain("a web page instead of SCIM JSON");
    expect(server.requests).toHaveLength(4);
  });

  it.each([500, 502, 503, 504])(
    "of one account that keeps answering %i is that account's failure, of the listing the host's",
    async (status) => {
      const server = await serve((_request, response) => scimError(response, status, "oops"));
      const { target } = connect(server.url);
      expect(await failureOf(target.get("l-1", quiet))).toBeInstanceOf(RecordUnavailableError);
      expect(await failureOf(target.find("externalId", "o-1", quiet))).toBeInstanceOf(RecordUnavailableError);
      expect(await failureOf(collect(target.list(quiet)))).toBeInstanceOf(HostUnavailableError);
    },
  );

  it.each([400, 404, 405, 501])(
    "of a search that is refused with %i is one record's failure",
    async (status) => {
      const server = await serve((_request, response) => scimError(response, status, "no filters"));
      const failure = await failureOf(connect(server.url).target.find("externalId", "o-1", quiet));
      expect(failure).toBeInstanceOf(RecordRejectedError);
      expect(failure).toMatchObject({ status });
    },
  );

  it("that answers with something other than an account says nothing about that account", async () => {
    const server = await serve((_request, response) => json(response, 200, { maintenance: true }));
    const { target } = connect(server.url);
    expect(await failureOf(target.get("l-1", quiet))).toBeInstanceOf(RecordUnavailableError);
    expect(await failureOf(target.find("externalId", "o-1", quiet))).toBeInstanceOf(RecordUnavailableError);
  });

  it("of a missing account returns null", async () => {
    const server = await serve((_request, response) => scimError(response, 404, "none"));
    expect(await connect(server.url).target.get("l-1", quiet)).toBeNull();
  });

  it("is not tried again if the answer is larger than allowed", async () => {
    const server = await serve((_request, response) =>
      json(response, 200, listOf([{ id: "x".repeat(5000) }])),
    );
    const { target } = connect(server.url, { maxResponseBytes: 2000 });
    const failure = await failureOf(collect(target.list(quiet)));
    expect(failure).toBeInstanceOf(HostUnavailableError);
    expect(failure.message).toContain("larger than 2000 bytes");
    expect(server.requests).toHaveLength(1);
  });

  it("encodes an id in the address so that it cannot lead elsewhere", async () => {
    const id = "../Groups/1?x=y";
    const server = await serve((_request, response) => json(response, 200, { ...resource, id }));
    await connect(server.url).target.get(id, quiet);
    expect(server.requests[0]?.url).toBe("/scim/v2/Users/..%2FGroups%2F1%3Fx%3Dy");
  });
});

describe("an answer with another account than the requested one", () => {
  const other = { ...resource, id: "l-2", userName: "bob@example.com", externalId: "o-2", title: "Clerk" };

  it("says nothing about either account after a read", async () => {
    const server = await serve((_request, response) => json(response, 200, other));
    const failure = await failureOf(connect(server.url).target.get("l-1", quiet));
    expect(failure).toBeInstanceOf(RecordUnavailableError);
    expect(failure.message).toContain("l-1 with another account, l-2");
  });

  it("is never written over the account that is to be replaced", async () => {
    const server = await serve((_request, response) => json(response, 200, other));
    const { target } = connect(server.url, { updateMethod: "put" });
    expect(await failureOf(target.update(ada, promotion, quiet))).toBeInstanceOf(RecordUnavailableError);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  it.each([
    ["patch", ["PATCH", "GET"]],
    ["put", ["GET", "PUT", "GET"]],
  ] as const)("to a write (%s) has the account read, and the read counts", async (updateMethod, methods) => {
    const server = await serve(({ method }, response) =>
      json(response, 200, method === "GET" ? resource : other),
    );
    const { target } = connect(server.url, { updateMethod });
    const { user } = await target.update(ada, [{ path: "title", value: "Head" }], quiet);
    expect(user).toMatchObject({
      latticeId: "l-1",
      userName: "ada@example.com",
      values: { title: "Chief" },
    });
    expect(server.requests.map(({ method }) => method)).toEqual(methods);
  });
});

describe("a fault of one record that looks like a fault of all", () => {
  const requests: [string, (target: Target) => Promise<unknown>][] = [
    ["a read", (target) => target.get("l-1", quiet)],
    ["a search", (target) => target.find("userName", "ada@example.com", quiet)],
    ["an update", (target) => target.update(ada, promotion, quiet)],
  ];

  it.each(requests)("concerns that record if %s is redirected (302)", async (_case, request) => {
    const server = await serve(
      (_request, response) => void response.writeHead(302, { Location: "/login" }).end(),
    );
    const failure = await failureOf(request(connect(server.url).target));
    expect(failure).toBeInstanceOf(RecordUnavailableError);
    expect(failure.message).toContain("only 307 and 308");
  });

  it("leaves a redirected create to the look-up", async () => {
    const server = await serve(
      (_request, response) => void response.writeHead(302, { Location: "/login" }).end(),
    );
    expect(await failureOf(connect(server.url).target.create(newcomer, quiet))).toBeInstanceOf(
      RecordUnavailableError,
    );
    expect(server.requests).toHaveLength(1);
  });

  it.each(requests)(
    "concerns that record if %s is delayed again and again (503, Retry-After)",
    async (_case, request) => {
      const server = await serve((_request, response) =>
        scimError(response, 503, "try again", { headers: { "Retry-After": "1" } }),
      );
      const { target } = connect(server.url);
      expect(await failureOf(request(target))).toBeInstanceOf(RecordUnavailableError);
      expect(server.requests).toHaveLength(4);
      expect(await failureOf(collect(target.list(quiet)))).toBeInstanceOf(HostUnavailableError);
    },
  );
});

/** Answers of a gateway, a firewall or a web framework in Lattice's place. */
const foreign: [string, (response: ServerResponse, status: number) => void][] = [
  ["a web page", page],
  [
    "an XML document",
    (response, status) =>
      response.writeHead(status).end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'),
  ],
];
const unlikeScim: [string, (response: ServerResponse, status: number) => void][] = [
  ...foreign,
  ["nothing", (response, status) => response.writeHead(status).end()],
  ["a word", (response, status) => response.writeHead(status).end("Not Found")],
  ["a gateway's JSON", (response, status) => json(response, status, { message: "no Route matched" })],
  ["a framework's JSON", (response, status) => json(response, status, { detail: "Not Found" })],
  [
    "a problem document",
    (response, status) =>
      json(response, status, { type: "about:blank", title: "Not Found", status, detail: "no such route" }),
  ],
  ["another SCIM message", (response, status) => json(response, status, listOf([]))],
];

describe("an answer that is not Lattice's own", () => {
  for (const status of [404, 410]) {
    it.each(unlikeScim)(`with ${status} and %s says nothing about the account`, async (_case, answer) => {
      const server = await serve((_request, response) => answer(response, status));
      const { target } = connect(server.url);
      for (const request of [() => target.get("l-1", quiet), () => target.update(ada, promotion, quiet)]) {
        const failure = await failureOf(request());
        expect(failure).toBeInstanceOf(RecordUnavailableError);
        expect(failure.message).toContain("A proxy or firewall answered instead of Lattice");
      }
      const put = connect(server.url, { updateMethod: "put" }).target;
      expect(await failureOf(put.update(ada, promotion, quiet))).toBeInstanceOf(RecordUnavailableError);
    });

    it.each([
      ["the schema alone", { schemas: ["URN:ietf:params:scim:api:messages:2.0:error"] }],
      ["the fields alone", { status: String(status), detail: "none" }],
      ["a number as status", { status, scimType: "noTarget" }],
    ])(`with ${status} is Lattice's own if the body is a SCIM error by %s`, async (_case, body) => {
      const server = await serve((_request, response) => json(response, status, body));
      const { target } = connect(server.url);
      expect(await target.get("l-1", quiet)).toBeNull();
      expect(await failureOf(target.update(ada, promotion, quiet))).toBeInstanceOf(RecordGoneError);
    });
  }

  for (const status of [400, 403, 404, 409, 413, 422]) {
    it.each(foreign)(`with ${status} and %s refuses nothing, and confirms nothing`, async (_case, answer) => {
      const server = await serve((_request, response) => answer(response, status));
      const { target } = connect(server.url);
      for (const request of [
        () => target.create(newcomer, quiet),
        () => target.update(ada, promotion, quiet),
        () => target.get("l-1", quiet),
        () => target.find("userName", "ada@example.com", quiet),
      ]) {
        const failure = await failureOf(request());
        expect(failure).toBeInstanceOf(RecordUnavailableError);
        expect(failure).toMatchObject({ status });
      }
      expect(server.requests).toHaveLength(4);
    });
  }

  it("to the listing is the host's fault, not the key's", async () => {
    for (const status of [400, 403, 404]) {
      const server = await serve((_request, response) => page(response, status));
      const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
      expect(failure).toBeInstanceOf(HostUnavailableError);
      expect(failure.message).toContain("Check lattice.url, and whether a login page");
    }
  });

  it("to a PATCH still shows that PATCH is not accepted", async () => {
    const server = await serve(({ method }, response) => {
      if (method === "PATCH") page(response, 405);
      else json(response, 200, resource);
    });
    const { target } = connect(server.url, { updateMethod: "auto", knownUpdateMethod: "patch" });
    expect((await target.update(ada, promotion, quiet)).user.values.title).toBe("Chief");
  });
});

describe("the API key of Lattice", () => {
  it("does not follow a redirect to another host", async () => {
    const elsewhere = await serve((_request, response) => json(response, 200, listOf([])));
    const server = await serve(
      (_request, response) =>
        void response.writeHead(307, { Location: `${elsewhere.url}/Users?secret=1` }).end(),
    );
    const failure = await failureOf(collect(connect(server.url).target.list(quiet)));
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect(failure.message).toContain(new URL(elsewhere.url).origin);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([400, 401, 500])("stays out of the error if the server repeats it with %i", async (status) => {
    const server = await serve(({ authorization }, response) =>
      scimError(response, status, `bad ${authorization}`),
    );
    const failure = await failureOf(connect(server.url).target.create(newcomer, quiet));
    expect(failure.message).not.toContain(apiKey);
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(apiKey);
    expect(failure.message).toContain(status === 500 ? "bad Bearer ***" : "***");
  });

  it("stays out of the error if the connection fails", async () => {
    const { inspect } = await import("node:util");
    const failure = await failureOf(connect("http://127.0.0.1:1/scim/v2").target.create(newcomer, quiet));
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(apiKey);
  });
});
