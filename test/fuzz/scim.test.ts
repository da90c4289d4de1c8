import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  DomainError,
  HostUnavailableError,
  RecordRejectedError,
  RecordUnavailableError,
} from "../../src/domain/errors.ts";
import type { AttributeWrite, TargetUser } from "../../src/domain/target.ts";
import { probeLattice } from "../../src/lattice/check.ts";
import { createLatticeTarget, type LatticeTarget } from "../../src/lattice/target.ts";
import {
  collect,
  connect,
  enterpriseUrn,
  failureOf,
  json,
  knownPaths,
  type Loopback,
  latticeUrn,
  listOf,
  optionsFor,
  quiet,
  serve,
} from "../lattice/loopback.ts";
import {
  answerHeaders,
  answerStatus,
  delivery,
  mangled,
  nastyJson,
  nastyText,
  retryAfter,
} from "./arbitraries.ts";
import { deliver, type HostileAnswer, outcomeOf } from "./outcome.ts";

const seed = 20_260_302;

const targetUser = z.strictObject({
  latticeId: z.string().min(1).max(1_000),
  userName: z.string(),
  externalId: z.string().min(1).nullable(),
  active: z.boolean().nullable(),
  values: z.partialRecord(z.enum(knownPaths), z.json()),
});
const receipt = z.strictObject({
  user: targetUser,
  status: z.int().min(200).max(299),
  requestId: z.string().max(200).optional(),
});

const known: TargetUser = {
  latticeId: "l-1",
  userName: "ada@example.com",
  externalId: "o-1",
  active: true,
  values: { userName: "ada@example.com", title: "Analyst" },
};
const writes: readonly AttributeWrite[] = [
  { path: "userName", value: "ada@example.com" },
  { path: 'emails[type eq "work"].value', value: "ada@example.com" },
  { path: `${enterpriseUrn}:department`, value: null },
  { path: `${enterpriseUrn}:manager`, value: "l-2" },
];

/** The calls of the target; each checks its result. */
const deeds: Readonly<Record<string, (target: LatticeTarget, url: string) => Promise<unknown>>> = {
  list: async (target) => {
    for (const user of await collect(target.list(quiet))) targetUser.parse(user);
  },
  find: async (target) => {
    for (const user of await target.find("userName", "ada@example.com", quiet)) targetUser.parse(user);
  },
  get: async (target) => targetUser.nullable().parse(await target.get("l-1", quiet)),
  create: async (target) => receipt.parse(await target.create(writes, quiet)),
  update: async (target) => receipt.parse(await target.update(known, writes, quiet)),
  followUp: async (target) => {
    for (const user of await collect(target.list(quiet))) {
      await target.get(user.latticeId, quiet);
      receipt.parse(await target.update(user, writes, quiet));
    }
  },
  probe: (_target, url) => probeLattice(optionsFor(url), new Map([["userName", "text"]]), quiet),
};

const element = mangled({
  type: fc.constantFrom("work", "home", "WORK"),
  value: nastyText,
  primary: fc.boolean(),
});
const user = mangled({
  schemas: fc.array(nastyText, { maxLength: 2 }),
  id: fc.oneof(fc.constantFrom("l-1", "l-2", 7), nastyText),
  userName: fc.oneof(fc.constant("ada@example.com"), nastyText),
  externalId: fc.oneof(fc.constant("o-1"), nastyText),
  active: fc.constantFrom(true, false, "True", "false"),
  title: nastyJson,
  name: mangled({ givenName: nastyText, familyName: nastyText }),
  emails: fc.array(element, { maxLength: 3 }),
  phoneNumbers: fc.array(element, { maxLength: 2 }),
  [enterpriseUrn]: mangled({ department: nastyText, manager: mangled({ value: nastyText }) }),
  [latticeUrn]: mangled({ "Office Location": nastyText }),
});
const count = fc.constantFrom(0, 1, 2, 3, -1, 0.5, 1e300, "2");
const users = fc.array(user, { maxLength: 3 });
const list = fc.oneof(
  users.map((Resources) => ({ totalResults: Resources.length, Resources })),
  mangled({ totalResults: count, itemsPerPage: count, startIndex: count, Resources: users }),
);
const refusal = mangled({
  schemas: fc.constant(["urn:ietf:params:scim:api:messages:2.0:Error"]),
  status: nastyText,
  scimType: fc.oneof(fc.constant("uniqueness"), nastyText),
  detail: nastyText,
});
const config = mangled({ patch: mangled({ supported: fc.boolean() }) });
const schemas = mangled({
  Resources: fc.array(
    mangled({ id: nastyText, attributes: fc.array(mangled({ name: nastyText }), { maxLength: 2 }) }),
  ),
});
const body = fc
  .oneof(
    { weight: 5, arbitrary: list },
    { weight: 5, arbitrary: user },
    { weight: 2, arbitrary: refusal },
    { weight: 1, arbitrary: config },
    { weight: 1, arbitrary: schemas },
    { weight: 1, arbitrary: nastyJson },
  )
  .map((value) => JSON.stringify(value) ?? "");
const answer: fc.Arbitrary<HostileAnswer> = fc.record({
  status: answerStatus,
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, answerHeaders),
  body: fc.oneof(
    { weight: 9, arbitrary: body },
    nastyText,
    nastyText.map((text) => `<html><title>${text}</title>`),
  ),
  delivery,
});

/** A Lattice that gives these answers in turn and for ever. */
async function hostileLattice(): Promise<{ answers: readonly HostileAnswer[]; server: Loopback }> {
  const state = {
    answers: [] as readonly HostileAnswer[],
    server: await serve((_request, response) => {
      const { answers, server } = state;
      const next = answers[(server.requests.length - 1) % answers.length];
      if (next === undefined) response.destroy();
      else deliver(response, next);
    }),
  };
  return state;
}

/** Longest pause that one answer may ask for. */
const longestPauseMs = 300_000;

async function attack(
  { server }: { server: Loopback },
  deed: string,
  updateMethod: "auto" | "patch" | "put",
): Promise<DomainError | undefined> {
  server.requests.length = 0;
  const options = optionsFor(server.url, { updateMethod });
  const target = createLatticeTarget(options);
  try {
    const outcome = await outcomeOf(async () => deeds[deed]?.(target, server.url));
    for (const { url } of server.requests) requireOwnPath(url);
    expect(server.requests.length).toBeLessThan(200);
    for (const sleep of options.clock.sleeps) expect(sleep).toBeLessThanOrEqual(longestPauseMs);
    return "refusal" in outcome ? outcome.refusal : undefined;
  } finally {
    target.close();
  }
}

/** Each request is for a collection, or for one item in it: nothing above, next to or below it. */
function requireOwnPath(url: string): void {
  const path =
    /^\/scim\/v2\/(?:Users(?:\/([^/?#\\]+))?|ServiceProviderConfig|Schemas|schemas)(?:\?[^#]*)?$/.exec(url);
  if (path === null) throw new Error(`a request to ${url}`);
  if (/^\.{1,2}$/.test(decodeURIComponent(path[1] ?? ""))) throw new Error(`a request to ${url}`);
}

describe("Lattice's answers", () => {
  it("of any form give accounts or an error of the domain, and lead to no other address", async () => {
    const lattice = await hostileLattice();
    const deed = fc.constantFrom(...Object.keys(deeds));
    const method = fc.constantFrom("auto" as const, "patch" as const, "put" as const);
    await fc.assert(
      fc.asyncProperty(
        deed,
        method,
        fc.array(answer, { minLength: 1, maxLength: 4 }),
        async (what, how, answers) => {
          lattice.answers = answers;
          await attack(lattice, what, how);
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it("that ask to wait are waited for within bounds, whatever the header says", async () => {
    const lattice = await hostileLattice();
    await fc.assert(
      fc.asyncProperty(retryAfter, fc.constantFrom(429, 503), async (header, status) => {
        lattice.answers = [{ status, headers: { "retry-after": header }, body: "", delivery: "whole" }];
        expect(await attack(lattice, "create", "patch")).toBeInstanceOf(DomainError);
        expect(lattice.server.requests.length).toBeLessThanOrEqual(10);
      }),
      { seed, numRuns: 60 },
    );
  });

  it("that point to another host cause no request there", async () => {
    let strayed = 0;
    const stranger = createServer((_request, response) => {
      strayed += 1;
      response.end("{}");
    });
    stranger.listen(0, "127.0.0.1");
    await once(stranger, "listening");
    onTestFinished(() => {
      stranger.closeAllConnections();
      stranger.close();
    });
    const elsewhere = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/scim/v2/Users/l-1`;
    const lattice = await hostileLattice();
    const headers = { location: elsewhere, "content-location": elsewhere, refresh: `0; url=${elsewhere}` };
    for (const status of [200, 201, 300, 301, 302, 303, 307, 308]) {
      const account = {
        id: "l-1",
        userName: "ada@example.com",
        meta: { location: elsewhere },
        $ref: elsewhere,
      };
      lattice.answers = [{ status, headers, body: JSON.stringify(account), delivery: "whole" }];
      for (const deed of Object.keys(deeds)) await attack(lattice, deed, "put");
    }
    expect(strayed).toBe(0);
  });

  const megabytes = "x".repeat(10_000_000);
  it.each([
    ["nested a million deep", "[".repeat(1_000_000)],
    [
      "nested ten thousand deep",
      `{"id":"l-1","userName":"a","title":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    ],
    ["with an error in an error", `${'{"error":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["with an id of 10 MB", JSON.stringify({ id: megabytes, userName: "ada@example.com" })],
    ["with half a page's title, over and over", `<html${"<title".repeat(300_000)}`],
    ["with 10 MB of text", megabytes],
    ["with 3 MB of blanks", " ".repeat(3_000_000)],
    ["with 20 MB", "[".repeat(20_000_000)],
  ])("%s are refused in time", async (_case, text) => {
    const lattice = await hostileLattice();
    for (const status of [200, 400]) {
      lattice.answers = [{ status, headers: {}, body: text, delivery: "whole" }];
      expect(await attack(lattice, "get", "patch")).toBeInstanceOf(DomainError);
    }
  });

  it("with a value of 10 MB are read", async () => {
    const lattice = await hostileLattice();
    const account = { id: "l-1", userName: "ada@example.com", title: megabytes };
    lattice.answers = [{ status: 200, headers: {}, body: JSON.stringify(account), delivery: "whole" }];
    expect(await attack(lattice, "get", "patch")).toBeUndefined();
  });
});

describe("a listing of Lattice", () => {
  /** A server whose listing goes on for as long as it is asked. */
  async function endless(totalAt: (startIndex: number) => number): Promise<Loopback> {
    return serve((request, response) => {
      const startIndex = Number(new URL(request.url, "http://x").searchParams.get("startIndex") ?? "1");
      const page = Array.from({ length: 500 }, (_, index) => ({
        id: `l-${startIndex + index}`,
        userName: "a@example.com",
      }));
      json(response, 200, { ...listOf(page), totalResults: totalAt(startIndex) });
    });
  }

  it.each<[string, (startIndex: number) => number]>([
    ["grows as it is read", (startIndex) => startIndex + 1_000],
    ["promises more than there can be", () => 1e15],
  ])("that %s comes to an end", async (_case, totalAt) => {
    const server = await endless(totalAt);
    const { target } = connect(server.url);
    expect(await failureOf(collect(target.list(quiet)))).toBeInstanceOf(HostUnavailableError);
    expect(await failureOf(target.find("userName", "a@example.com", quiet))).toBeInstanceOf(
      RecordUnavailableError,
    );
    expect(server.requests.length).toBeLessThan(100);
  });

  it("that grows a little is read to its end", async () => {
    const server = await endless((startIndex) => (startIndex === 1 ? 1_000 : 1_500));
    expect(await collect(connect(server.url).target.list(quiet))).toHaveLength(1_500);
  });
});

describe("an id in an address", () => {
  it("leads nowhere else, whatever a listing names", async () => {
    const lattice = await hostileLattice();
    const ids = fc.array(nastyText, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(ids, fc.constantFrom("patch" as const, "put" as const), async (given, method) => {
        const page = listOf(given.map((id) => ({ id, userName: "ada@example.com" })));
        const account = { id: given[0], userName: "ada@example.com" };
        lattice.answers = [page, account, account].map((value) => ({
          status: 200,
          headers: {},
          body: JSON.stringify(value),
          delivery: "whole",
        }));
        await attack(lattice, "followUp", method);
      }),
      { seed, numRuns: 200 },
    );
  });

  it("is one segment below the users, or is refused before anything is sent", async () => {
    const server = await serve((_request, response) => json(response, 404, {}));
    const { target } = connect(server.url);
    await fc.assert(
      fc.asyncProperty(nastyText, async (latticeId) => {
        server.requests.length = 0;
        const ways: readonly (() => Promise<unknown>)[] = [
          () => target.get(latticeId, quiet),
          () => target.update({ ...known, latticeId }, writes, quiet),
        ];
        for (const way of ways) {
          const outcome = await outcomeOf(way);
          if (server.requests.length === 0) expect(outcome).toHaveProperty("refusal.code", "RECORD_REJECTED");
        }
        for (const { url } of server.requests) {
          requireOwnPath(url);
          expect(decodeURIComponent(url.slice("/scim/v2/Users/".length))).toBe(latticeId);
        }
      }),
      { seed, numRuns: 200 },
    );
    expect(await failureOf(target.update({ ...known, latticeId: ".." }, writes, quiet))).toBeInstanceOf(
      RecordRejectedError,
    );
  });
});
