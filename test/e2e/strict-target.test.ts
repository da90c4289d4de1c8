import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { isJsonObject, type Json, type JsonObject } from "../../src/domain/json.ts";
import { Secret } from "../../src/domain/secret.ts";
import { apiKey, enterpriseUrn, json, type SeenRequest, scimError } from "../lattice/loopback.ts";
import { type Manners, startStrict } from "../lattice/strict-server.ts";
import { compareEverybody } from "./expectation.ts";
import { lenientGuard, startCompany } from "./harness.ts";

type Account = { [key: string]: Json };

const page = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { "Content-Type": "text/html" });
  response.end("<!DOCTYPE html><html><head><title>Sign in</title></head></html>");
};

/** Answers the ServiceProviderConfig. */
const config = (answer: (response: ServerResponse) => void): Manners => ({
  answer: ({ url }, response) => {
    if (!url.endsWith("/ServiceProviderConfig")) return false;
    answer(response);
    return true;
  },
});

/** Refuses each PATCH. */
const noPatch = (answer: (response: ServerResponse) => void): Manners => ({
  answer: ({ method }, response) => {
    if (method !== "PATCH") return false;
    answer(response);
    return true;
  },
});

const putAlone = config((response) => json(response, 200, { patch: { supported: false } }));

const entries = (list: Json | undefined): readonly Json[] => (Array.isArray(list) ? list : []);
const without = (account: Account, ...names: string[]): Account =>
  Object.fromEntries(Object.entries(account).filter(([name]) => !names.includes(name)));
const extension = (account: Account): JsonObject => {
  const block = Object.entries(account).find(
    ([key]) => key.toLowerCase() === enterpriseUrn.toLowerCase(),
  )?.[1];
  return isJsonObject(block) ? block : {};
};
const withManager = (account: Account, change: (manager: JsonObject) => JsonObject): Account => {
  const { manager } = extension(account);
  return isJsonObject(manager)
    ? { ...account, [enterpriseUrn]: { ...extension(account), manager: change(manager) } }
    : account;
};
const renamed = (account: Account, from: string, to: string): Account => {
  const { [from]: value, ...rest } = account;
  return value === undefined ? account : { ...rest, [to]: value };
};

/** The same accounts in the usual form, for the comparison. */
function usual(account: Account): JsonObject {
  const typed = (list: Json | undefined): Json => {
    const all = entries(list).map((entry) => (isJsonObject(entry) ? entry : { value: entry }));
    return all.map((entry) => ("type" in entry ? entry : { ...entry, type: "work" }));
  };
  const block = extension(account);
  return {
    ...account,
    emails: typed(account.emails),
    phoneNumbers: typed(account.phoneNumbers),
    [enterpriseUrn]: block,
  };
}

const redirecting = (status: number): Manners => ({
  answer: ({ url }, response, base) => {
    if (url.includes("/moved/")) return false;
    const to = `${new URL(base).origin}${url.replace("/scim/v2/", "/scim/v2/moved/")}`;
    response.writeHead(status, { Location: to }).end();
    return true;
  },
});

const shouted = enterpriseUrn.toUpperCase();
const untypedEmails = (account: Account): Account => ({
  ...account,
  ...(Array.isArray(account.emails)
    ? { emails: account.emails.map((entry) => (isJsonObject(entry) ? without({ ...entry }, "type") : entry)) }
    : {}),
});
const plainEmails = (account: Account): Account => ({
  ...account,
  ...(Array.isArray(account.emails)
    ? { emails: account.emails.map((entry) => (isJsonObject(entry) ? (entry.value ?? null) : entry)) }
    : {}),
});
const neverTitle = (account: Account): Account => without(account, "title");

const table: readonly (readonly [string, Manners])[] = [
  ["keeps to the RFCs", {}],
  ["keeps to the RFCs, and takes PUT alone", putAlone],
  ...[401, 403, 500, 503].map(
    (status) =>
      [
        `answers the ServiceProviderConfig with ${status}`,
        config((response) => scimError(response, status, "no")),
      ] as const,
  ),
  [
    "sends the ServiceProviderConfig elsewhere",
    config((response) => void response.writeHead(302, { Location: "https://login.example.com/" }).end()),
  ],
  ["answers the ServiceProviderConfig with a web page", config((response) => page(response, 200))],
  [
    "answers the ServiceProviderConfig with garbage",
    config((response) => void response.writeHead(200).end('{"patch":')),
  ],
  ...[400, 403, 404, 405, 501].map(
    (status) =>
      [
        `refuses PATCH with ${status}`,
        noPatch((response) => scimError(response, status, "no PATCH")),
      ] as const,
  ),
  ["refuses PATCH with a web page and 404", noPatch((response) => page(response, 404))],
  ["answers writes with nothing", { emptyAnswers: true }],
  ["answers a create with its Location alone", { created: "location" }],
  ["answers a create with its Location alone, and knows no filters", { created: "location", filters: false }],
  ["answers a create with the id alone", { created: "idAlone" }],
  ["answers writes with the account as it was before", { show: (account, { before }) => before ?? account }],
  [
    "answers writes with less than the account",
    {
      show: (account, { written }) =>
        written ? { id: account.id ?? null, userName: account.userName ?? null } : account,
    },
  ],
  ["never shows active", { show: (account) => without(account, "active") }],
  [
    "shows active as a word",
    { show: (account) => ({ ...account, active: account.active === true ? "True" : "False" }) },
  ],
  ["never shows the title", { show: neverTitle }],
  ["never shows the title, and takes PUT alone", { ...putAlone, show: neverTitle }],
  [
    "shows a manager as a reference alone",
    {
      show: (account, { base }) =>
        withManager(account, ({ value }) => ({ $ref: `${base}/Users/${String(value)}` })),
    },
  ],
  ["keeps e-mail addresses without a type", { keep: untypedEmails }],
  ["keeps e-mail addresses without a type, and takes PUT alone", { ...putAlone, keep: untypedEmails }],
  ["keeps e-mail addresses as plain strings", { keep: plainEmails }],
  ["keeps e-mail addresses as plain strings, and takes PUT alone", { ...putAlone, keep: plainEmails }],
  ["spells the extension in capitals", { keep: (account) => renamed(account, enterpriseUrn, shouted) }],
  [
    "spells the extension in capitals, and takes PUT alone",
    { ...putAlone, keep: (account) => renamed(account, enterpriseUrn, shouted) },
  ],
  [
    "shows username, and takes PUT alone",
    {
      ...putAlone,
      show: (account) => renamed(account, "userName", "username"),
      keep: (account) => renamed(account, "username", "userName"),
    },
  ],
  [
    "leaves schemas out, and takes PUT alone",
    { ...putAlone, show: (account) => without(account, "schemas") },
  ],
  ["asks for the version of an account", { versions: true }],
  ["asks for the version of an account, and takes PUT alone", { ...putAlone, versions: true }],
  ["redirects everything by 307", redirecting(307)],
  ["redirects everything by 308", redirecting(308)],
  ["says the total as text", { total: (count) => String(count) }],
  ["does not say the total", { total: () => undefined }],
];

describe("whole cycles against a server that checks each request closely", () => {
  it.each(table)("are correct if it %s", { timeout: 120_000 }, async (_what, manners) => {
    const server = await startStrict(manners);
    await using company = await startCompany(
      { people: 16 },
      { guard: lenientGuard },
      { lattice: { url: server.url, token: new Secret(apiKey), updateMethod: "auto", pageSize: 10 } },
    );
    const { directory } = company.sandbox;
    const all = (): JsonObject[] => [...server.accounts.values()].map(usual);
    const accounts = { byExternalId: (id: string) => all().find(({ externalId }) => externalId === id) };
    const compare = async () =>
      compareEverybody(company.sandbox, await company.leftAlone(), accounts).differences;
    const step = async (what: string, change: () => void): Promise<void> => {
      change();
      const { outcome, failed } = await company.cycle();
      expect({ what, outcome, failed }).toEqual({ what, outcome: "done", failed: 0 });
      expect({ what, differences: await compare(), faults: server.faults }).toEqual({
        what,
        differences: [],
        faults: [],
      });
    };

    await step("first run", () => {});
    const managers = new Set([...directory.users()].map(({ managerId }) => managerId));
    const [a, b, c, d] = [...directory.users()].filter(
      ({ id, properties }) =>
        properties.accountEnabled === true && properties.userType !== "Guest" && !managers.has(id),
    );
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error("too few people");
    const stored = (id: string): Account => {
      const found = [...server.accounts.values()].find(({ externalId }) => externalId === id);
      if (found === undefined) throw new Error("no account");
      return found;
    };

    await step("change", () => {
      for (const { id } of [a, b, c, d]) {
        directory.updateUser(id, {
          jobTitle: "Head",
          businessPhones: [`+47 ${id.slice(0, 8)}`],
          mail: `${id}@example.com`,
        });
      }
    });
    await step("another phone beside a number added by hand", () => {
      const account = stored(a.id);
      account.phoneNumbers = [...entries(account.phoneNumbers), { type: "mobile", value: "+47 9" }];
      directory.updateUser(a.id, { businessPhones: ["+47 22"] });
    });
    await step("clear", () => directory.updateUser(a.id, { jobTitle: null, mail: null, businessPhones: [] }));
    expect(stored(a.id).phoneNumbers).toEqual([{ type: "mobile", value: "+47 9" }]);
    await step("manager", () => {
      directory.setManager(b.id, a.id);
      directory.setManager(c.id, a.id);
    });
    await step("no manager", () => directory.setManager(b.id, null));
    await step("leaver", () => directory.updateUser(d.id, { accountEnabled: false }));
    await step("return", () => directory.updateUser(d.id, { accountEnabled: true }));

    const written = (): SeenRequest[] =>
      server.requests.filter(({ method, url }) => method !== "GET" && !url.includes("/moved/"));
    const before = written().length;
    expect(await company.cycle()).toMatchObject({ done: 0, failed: 0 });
    // A full comparison tries once more what is never shown, because it may have been ignored.
    if (manners.show !== neverTitle)
      expect(await company.cycle({ full: true })).toMatchObject({ done: 0, failed: 0 });
    expect(written().slice(before)).toEqual([]);
  });

  it("keep no address of a former manager if the server keeps parts that are not sent", async () => {
    const server = await startStrict({
      keep: (account) =>
        withManager(account, (manager) => ({ $ref: `/Users/${String(manager.value)}`, ...manager })),
    });
    await using company = await startCompany(
      { people: 16 },
      { guard: lenientGuard },
      { lattice: { url: server.url, token: new Secret(apiKey), updateMethod: "auto" } },
    );
    await company.cycle();
    const [a, b, c] = [...company.sandbox.directory.users()].filter(
      ({ properties, managerId }) => properties.accountEnabled === true && managerId !== null,
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error("too few people");
    const { directory } = company.sandbox;
    const top = [...directory.users()].find(
      ({ managerId, properties }) => managerId === null && properties.accountEnabled === true,
    );
    for (const { id } of [a, b, c]) directory.setManager(id, top?.id ?? null);
    expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    const references = [...server.accounts.values()].flatMap((account) => {
      const { manager } = extension(account);
      return isJsonObject(manager) ? [[manager.$ref, `/Users/${String(manager.value)}`]] : [];
    });
    expect(references.filter(([shown, right]) => shown !== right)).toEqual([]);
  });
});
