import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigurationError, DomainError, HostUnavailableError } from "../../src/domain/errors.ts";
import type { GraphReader } from "../../src/entra/graph-client.ts";
import type { EntraScope } from "../../src/entra/options.ts";
import { readPages } from "../../src/entra/pages.ts";
import type { EntraSource } from "../../src/entra/source.ts";
import { drain, fakeClock, type GraphDouble, never, sourceFor, startGraph } from "../entra/graph-double.ts";
import { answerHeaders, answerStatus, delivery, mangled, nastyJson, nastyText } from "./arbitraries.ts";
import { deliver, type HostileAnswer, outcomeOf } from "./outcome.ts";

const seed = 20_260_301;

let graph: GraphDouble;
/** Given in turn and for ever. */
let answers: readonly HostileAnswer[] = [];
let given = 0;
let tokenAnswer: HostileAnswer | undefined;
/** Requests that reached a host which is not Graph. */
let strayed = 0;
let strangerOrigin = "";
const stranger = createServer((_request, response) => {
  strayed += 1;
  response.end("{}");
});

beforeAll(async () => {
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  strangerOrigin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  graph = await startGraph(
    () => (response) => deliver(response, answers[given++ % answers.length] ?? plain({})),
    (_form, count) =>
      tokenAnswer === undefined
        ? { json: { access_token: `token-${count}`, expires_in: 3600 } }
        : (response) => deliver(response, tokenAnswer ?? plain({})),
  );
});

afterAll(async () => {
  await graph[Symbol.asyncDispose]();
  stranger.closeAllConnections();
  stranger.close();
});

beforeEach(() => {
  answers = [];
  tokenAnswer = undefined;
  strayed = 0;
});

function plain(body: unknown): HostileAnswer {
  return { status: 200, headers: {}, body: JSON.stringify(body), delivery: "whole" };
}

const select = [
  "id",
  "userPrincipalName",
  "accountEnabled",
  "displayName",
  "businessPhones",
  "manager",
] as const;

const sourceChange = z.union([
  z.strictObject({
    kind: z.literal("upsert"),
    objectId: z.string().min(1).max(1_000),
    attributes: z.partialRecord(z.enum(select), z.json()),
    complete: z.boolean(),
    managerId: z.string().min(1).max(1_000).nullish(),
    unshown: z.array(z.enum([...select, "manager"])).optional(),
    perhapsNone: z.array(z.enum([...select, "manager"])).optional(),
  }),
  z.strictObject({
    kind: z.literal("removed"),
    objectId: z.string().min(1).max(1_000),
    presence: z.enum(["softDeleted", "deleted"]),
  }),
]);

const objectId = fc.constantFrom(
  "00000000-0000-4000-8000-000000000001",
  "00000000-0000-4000-8000-000000000002",
);
const link = fc.oneof(
  fc.constantFrom(
    "GRAPH/v1.0/users?$skiptoken=1",
    "GRAPH/v1.0/users?$skiptoken=2",
    "GRAPH/v1.0/users/delta?$deltatoken=3",
    "STRANGER/v1.0/users",
    "GRAPH@stranger.example.com/",
    "http://user:secret@GRAPHHOST/v1.0/users",
    "blob:GRAPH/v1.0/users",
    "GRAPH.stranger.example.com/v1.0/users",
    "GRAPH/https://stranger.example.com/v1.0/users",
    "GRAPH/v1.0/../../users#x",
    "GRAPH\\@stranger.example.com",
    "GRAPH//stranger.example.com/x",
    "//stranger.example.com",
    "/v1.0/users",
    "javascript:alert(1)",
    "file:///etc/hostname",
    "data:application/json,{}",
  ),
  nastyText,
  nastyText.map((text) => `GRAPH/${text}`),
);
const user = mangled({
  id: fc.oneof(objectId, nastyText),
  userPrincipalName: nastyText,
  accountEnabled: fc.boolean(),
  displayName: nastyJson,
  manager: mangled({ id: objectId }),
  "manager@delta": fc.array(mangled({ id: objectId, "@removed": nastyJson }), { maxLength: 2 }),
  "@removed": fc.constantFrom(undefined, { reason: "deleted" }, { reason: "changed" }),
  principalId: fc.oneof(objectId, nastyText),
  principalType: fc.constantFrom("User", "Group", "ServicePrincipal"),
  principalDisplayName: nastyText,
});
const page = mangled({
  value: fc.array(user, { maxLength: 3 }),
  "@odata.nextLink": fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, link),
  "@odata.deltaLink": fc.oneof(fc.constant("GRAPH/v1.0/users/delta?$deltatoken=9"), link),
});
const refusal = fc.record({ error: mangled({ code: nastyText, message: nastyText }) });
const body = fc
  .oneof(
    { weight: 6, arbitrary: page },
    { weight: 2, arbitrary: user },
    { weight: 1, arbitrary: refusal },
    { weight: 1, arbitrary: nastyJson },
  )
  .map((json) => JSON.stringify(json) ?? "");

const answer: fc.Arbitrary<HostileAnswer> = fc.record({
  status: answerStatus,
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, answerHeaders),
  body: fc.oneof({ weight: 9, arbitrary: body }, nastyText),
  delivery,
});

/** In an administrator's form: a name in one line. */
const configuredName = nastyText.map((name) => `x${name.replaceAll("\n", " ")}`);
const scope: fc.Arbitrary<EntraScope> = fc.oneof(
  fc.record({
    mode: fc.constant("groups" as const),
    groups: fc.array(fc.oneof(objectId, configuredName), { minLength: 1, maxLength: 2 }),
    nested: fc.boolean(),
  }),
  fc.record({
    mode: fc.constant("assigned" as const),
    application: fc.oneof(objectId, configuredName),
    nested: fc.boolean(),
  }),
);

/** The calls of the source, as far as they get. */
const reads: Readonly<Record<string, (source: EntraSource) => Promise<unknown>>> = {
  readAll: async (source) => {
    const { items, result } = await drain(source.readAll(never));
    for (const item of items) requireSourceChange(item);
    expect(new URL(result.watermark).origin).toBe(graph.origin);
  },
  readChanges: async (source) => {
    const { items, result } = await drain(
      source.readChanges(`${graph.origin}/v1.0/users/delta?$deltatoken=1`, never),
    );
    for (const item of items) requireSourceChange(item);
    expect(new URL(result.watermark).origin).toBe(graph.origin);
  },
  readUser: async (source) => {
    const found = await source.readUser("ada@example.com", never);
    if (found !== null) requireSourceChange(found);
  },
  readScope: async (source) => {
    const pages = source.readScope(never);
    if (pages === null) return;
    const { items, result } = await drain(pages);
    for (const id of items) expect(id).toMatch(/^.{1,1000}$/su);
    for (const part of result) expect(typeof part.name).toBe("string");
  },
  readMembership: async (source) => {
    const found = await source.readMembership(["u1", "../groups"], never);
    for (const parts of found.values()) for (const part of parts) expect(typeof part).toBe("string");
  },
  probe: (source) => source.probe(never),
};

function requireSourceChange(change: unknown): void {
  const parsed = sourceChange.safeParse(change);
  if (!parsed.success) throw new Error(`no SourceChange: ${z.prettifyError(parsed.error)}`);
}

/** Gives `read` the answers, in turn and for ever, and checks what it did. */
async function attack(
  read: string,
  hostile: readonly HostileAnswer[],
  entraScope: EntraScope = { mode: "all" },
): Promise<DomainError | undefined> {
  const graphHost = new URL(graph.origin).host;
  answers = hostile.map((one) => ({
    ...one,
    body: one.body
      .replaceAll("GRAPHHOST", graphHost)
      .replaceAll("GRAPH", graph.origin)
      .replaceAll("STRANGER", strangerOrigin),
  }));
  given = 0;
  const before = graph.requests.length;
  const clock = fakeClock();
  const source = sourceFor(graph, { clock, scope: entraScope, select });
  const outcome = await outcomeOf(async () => reads[read]?.(source));
  const requests = graph.requests.slice(before);
  expect(strayed).toBe(0);
  expect(requests.length).toBeLessThan(100);
  for (const sleep of clock.sleeps) expect(sleep).toBeLessThanOrEqual(300_000);
  expect(clock.sleeps.length).toBeLessThanOrEqual(requests.length + 10);
  return "refusal" in outcome ? outcome.refusal : undefined;
}

describe("Graph answers", () => {
  it("of any form give people or an error of the domain, and lead to no other host", async () => {
    const hostile = fc.array(answer, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(reads)), hostile, scope, async (read, list, within) => {
        await attack(read, list, within);
      }),
      { seed, numRuns: 250 },
    );
  });

  const megabytes = "x".repeat(10_000_000);
  const lastPage = { "@odata.deltaLink": "GRAPH/v1.0/users/delta?$deltatoken=1" };
  const oversized: readonly [string, string, RegExp][] = [
    ["nested five million deep", "[".repeat(5_000_000), /incomplete or not JSON/],
    [
      "with a value nested too deeply",
      `{"value":[{"id":"a","displayName":${nest(10_000)}}]}`,
      /incomplete or not JSON/,
    ],
    ["with an id of 10 MB", JSON.stringify({ ...lastPage, value: [{ id: megabytes }] }), /no id/],
    [
      "with a link of 10 MB",
      JSON.stringify({ value: [], "@odata.nextLink": `GRAPH/${megabytes}` }),
      /is not a URL/,
    ],
    [
      "that lead in a ring",
      JSON.stringify({ value: [], "@odata.nextLink": "GRAPH/v1.0/users?a" }),
      /form a loop/,
    ],
  ];
  it.each(oversized)("%s are refused", async (_case, body, reason) => {
    const refusal = await attack("readAll", [{ ...plain({}), body }]);
    expect(refusal).toBeInstanceOf(HostUnavailableError);
    expect(refusal?.message).toMatch(reason);
  });

  it.each([
    ["a name of 10 MB", [{ id: "a", displayName: megabytes }]],
    ["fifty thousand people", Array.from({ length: 50_000 }, (_, index) => ({ id: `id-${index}` }))],
  ])("with %s are read", async (_case, value) => {
    expect(await attack("readChanges", [plain({ ...lastPage, value })])).toBeUndefined();
  });

  it("that explain themselves in 10 MB are understood in time", async () => {
    const error = { code: "token ".repeat(1_700_000), message: "token ".repeat(1_700_000) };
    expect(await attack("readChanges", [{ ...plain({ error }), status: 400 }])).toBeInstanceOf(
      ConfigurationError,
    );
  });

  it("that always announce one more page come to an end", async () => {
    let page = 0;
    const endless: GraphReader = {
      origin: graph.origin,
      get: async () => ({ value: [], "@odata.nextLink": `${graph.origin}/v1.0/users?$skiptoken=${++page}` }),
      clockSkewMs: () => undefined,
    };
    const first = new URL("/v1.0/users", graph.origin);
    const pages = readPages(endless, first, { subject: "users", permission: "User.Read.All" }, never);
    await expect(drain(pages)).rejects.toThrow(HostUnavailableError);
  });
});

describe("the authority's answers", () => {
  it("of any form give a token that can be sent, or an error of the domain", async () => {
    const token = mangled({
      access_token: fc.oneof(fc.constant("token"), nastyText),
      expires_in: fc.constantFrom(3600, -1, 0, 1e300),
      error: nastyText,
      error_description: fc.oneof(
        nastyText,
        fc.constant("AADSTS".repeat(50_000)),
        fc.constant("AADSTS90002: x\ny"),
      ),
      error_codes: fc.array(fc.constantFrom(7_000_215, 90_033, 1)),
    });
    const hostile = fc.record({
      status: answerStatus,
      headers: fc.oneof(fc.constant({}), answerHeaders),
      body: fc.oneof({ weight: 9, arbitrary: token.map((json) => JSON.stringify(json)) }, nastyText),
      delivery,
    });
    await fc.assert(
      fc.asyncProperty(hostile, async (one) => {
        tokenAnswer = one;
        await attack("readUser", [plain({ id: "a" })]);
      }),
      { seed, numRuns: 100 },
    );
  });
});

describe("a name in an address", () => {
  /** Requests of `action`; Graph answers that there is no such person. */
  async function requestsOf(action: (source: EntraSource) => Promise<unknown>, within: EntraScope) {
    answers = [{ ...plain({ error: { code: "Request_ResourceNotFound" } }), status: 404 }];
    const before = graph.requests.length;
    await action(sourceFor(graph, { scope: within })).catch((error: unknown) => {
      if (!(error instanceof DomainError)) throw error;
    });
    return graph.requests.slice(before).map(({ url }) => new URL(url, graph.origin));
  }

  it("stays one segment when a user is asked for", async () => {
    await fc.assert(
      fc.asyncProperty(nastyText, async (name) => {
        const requests = await requestsOf((source) => source.readUser(name, never), { mode: "all" });
        for (const { pathname, searchParams, hash } of requests) {
          const segment = /^\/v1\.0\/users\/([^/]+)$|^\/v1\.0\/users\('([^/]*)'\)$/.exec(pathname);
          const quoted = segment?.[2] === undefined ? undefined : decodeURIComponent(segment[2]);
          expect(quoted?.replaceAll("''", "'") ?? decodeURIComponent(segment?.[1] ?? "")).toBe(name.trim());
          expect([...searchParams.keys()]).toEqual(["$select", "$expand"]);
          expect(hash).toBe("");
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  it("stays one literal of the filter when a group or an application is asked for", async () => {
    const name = nastyText.filter((text) => text.trim() !== "");
    const named = fc.oneof(
      name.map((group): EntraScope => ({ mode: "groups", groups: [group], nested: true })),
      name.map((application): EntraScope => ({ mode: "assigned", application, nested: true })),
    );
    await fc.assert(
      fc.asyncProperty(named, async (within) => {
        const requests = await requestsOf(async (source) => {
          const pages = source.readScope(never);
          return pages === null ? null : drain(pages);
        }, within);
        const wanted =
          within.mode === "groups" ? within.groups[0] : within.mode === "assigned" ? within.application : "";
        expect(requests.length).toBe(1);
        for (const { pathname, searchParams } of requests) {
          expect(pathname).toMatch(/^\/v1\.0\/(groups|servicePrincipals)$/);
          expect([...searchParams.keys()]).toEqual(["$filter", "$select"]);
          expect(literalsOf(searchParams.get("$filter") ?? "")).toEqual([
            "displayName eq ",
            wanted?.toWellFormed(),
          ]);
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});

/**
 * An OData expression cut at its string literals (OData 4.01 ABNF, `string`: quotes doubled inside): what stands before
 * the first, the first, what stands behind it if anything, and so on.
 */
function literalsOf(expression: string): string[] {
  const parts = [""];
  let within = false;
  for (let index = 0; index < expression.length; index += 1) {
    const character = expression[index] ?? "";
    if (character !== "'") parts.push(`${parts.pop()}${character}`);
    else if (within && expression[index + 1] === "'") {
      parts.push(`${parts.pop()}'`);
      index += 1;
    } else {
      within = !within;
      parts.push("");
    }
  }
  return parts.at(-1) === "" ? parts.slice(0, -1) : parts;
}

/** An array in an array and so on, `depth` times. */
function nest(depth: number): string {
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}
