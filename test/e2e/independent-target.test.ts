import { describe, expect, it } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/domain/json.ts";
import { Secret } from "../../src/domain/secret.ts";
import { startBetterAuth } from "../lattice/better-auth-server.ts";
import { apiKey, enterpriseUrn } from "../lattice/loopback.ts";
import { startScimmy } from "../lattice/scimmy-server.ts";
import { type Accounts, compareEverybody } from "./expectation.ts";
import { lenientGuard, startCompany } from "./harness.ts";

/** The accounts of a server, read over HTTP without any of the product's code. */
async function readAccounts(url: string): Promise<Accounts & { readonly all: readonly JsonObject[] }> {
  const all: JsonObject[] = [];
  for (;;) {
    const page = await call(url, "GET", `/Users?startIndex=${all.length + 1}&count=50`);
    const resources = Array.isArray(page.Resources) ? page.Resources.filter(isJsonObject) : [];
    all.push(...resources);
    if (resources.length === 0 || all.length >= Number(page.totalResults)) break;
  }
  return { all, byExternalId: (externalId) => all.find((account) => account.externalId === externalId) };
}

async function call(url: string, method: string, path: string, body?: JsonObject): Promise<JsonObject> {
  const response = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/scim+json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Edits an account by hand, as an administrator does. */
async function edit(
  url: string,
  externalId: string,
  change: (account: JsonObject) => JsonObject,
): Promise<void> {
  const account = (await readAccounts(url)).byExternalId(externalId);
  if (account === undefined) throw new Error(`no account of ${externalId}`);
  const { meta: _meta, ...rest } = account;
  await call(url, "PUT", `/Users/${String(account.id)}`, change(rest));
}

const servers = [
  ["scimmy, PATCH", () => startScimmy({ patch: true })],
  ["scimmy, PUT alone (501)", () => startScimmy({ patch: false })],
  ["Better Auth, PATCH", () => startBetterAuth({ patch: true })],
  ["Better Auth, PUT alone (a web page with 404)", () => startBetterAuth({ patch: false })],
] as const;

describe("whole cycles against SCIM servers written by others", () => {
  it.each(servers)(
    "make %s equal to the directory, and keep it so",
    { timeout: 120_000 },
    async (_server, start) => {
      const server = await start();
      await using company = await startCompany(
        { people: 40 },
        { guard: lenientGuard },
        { lattice: { url: server.url, token: new Secret(apiKey), updateMethod: "auto" } },
      );
      const { directory } = company.sandbox;
      const compare = async () =>
        compareEverybody(company.sandbox, await company.leftAlone(), await readAccounts(server.url))
          .differences;
      const step = async (what: string, change: () => void | Promise<void>, full = false): Promise<void> => {
        await change();
        const result = await company.cycle({ full });
        expect({ what, outcome: result.outcome, failed: result.failed }).toEqual({
          what,
          outcome: "done",
          failed: 0,
        });
        // A display name that the server has changed in addition to the sent values is corrected by the next comparison.
        if (server.ownRules) await company.cycle({ full: true });
        expect({ what, differences: await compare() }).toEqual({ what, differences: [] });
      };

      for (const { id, properties } of [...directory.users()]) {
        if ((properties.mail ?? null) === null) directory.updateUser(id, { mail: `${id}@example.com` });
      }
      await step("first run", () => {});
      expect((await readAccounts(server.url)).all.length).toBeGreaterThan(30);

      const managers = new Set([...directory.users()].map(({ managerId }) => managerId));
      const reports = [...directory.users()].filter(
        ({ id, properties, managerId }) =>
          properties.accountEnabled === true &&
          properties.userType !== "Guest" &&
          managerId !== null &&
          !managers.has(id),
      );
      const [a, b, c, d, e, f] = reports;
      if (
        a === undefined ||
        b === undefined ||
        c === undefined ||
        d === undefined ||
        e === undefined ||
        f === undefined
      ) {
        throw new Error("too few people");
      }
      await step("change", () => {
        directory.updateUser(a.id, {
          jobTitle: "Head of Engines",
          department: 'Ünïcode "quoted"',
          businessPhones: ["+47 22 33 44 55"],
        });
        directory.updateUser(b.id, { mail: "another.address@example.com", employeeId: "E-77" });
      });
      await step("clear", () => {
        directory.updateUser(a.id, { jobTitle: null, department: null, businessPhones: [] });
        directory.updateUser(b.id, {
          employeeId: null,
          givenName: null,
          ...(server.ownRules ? {} : { mail: null }),
        });
      });
      await step("rename", () => {
        directory.updateUser(c.id, {
          userPrincipalName: "renamed@example.com",
          mail: "renamed@example.com",
          surname: "O'Neil",
        });
      });
      await step("another manager, none, and a new hire's", () => {
        directory.setManager(d.id, a.id);
        directory.setManager(e.id, null);
        directory.createUser(
          {
            userPrincipalName: "hired@example.com",
            mail: "hired@example.com",
            displayName: "Hired",
            surname: "Hired",
          },
          f.id,
        );
      });
      await step("leaver", () => directory.updateUser(f.id, { accountEnabled: false }));
      await step("return", () => directory.updateUser(f.id, { accountEnabled: true }));

      await step(
        "drift",
        () =>
          edit(server.url, c.id, (account) => ({
            ...account,
            title: "By Hand",
            [enterpriseUrn]: {
              ...(isJsonObject(account[enterpriseUrn]) ? account[enterpriseUrn] : {}),
              department: "By Hand",
            },
          })),
        true,
      );

      await step("a phone added by hand, then another work phone", async () => {
        directory.updateUser(c.id, { businessPhones: ["+47 11 11 11 11"] });
        await company.cycle();
        await edit(server.url, c.id, (account) => ({
          ...account,
          phoneNumbers: [
            ...(Array.isArray(account.phoneNumbers) ? account.phoneNumbers : []),
            { type: "mobile", value: "+47 99 99 99 99" },
          ],
        }));
        directory.updateUser(c.id, { businessPhones: ["+47 22 22 22 22"] });
      });
      expect((await readAccounts(server.url)).byExternalId(c.id)?.phoneNumbers).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: "work", value: "+47 22 22 22 22" }),
          expect.objectContaining({ type: "mobile", value: "+47 99 99 99 99" }),
        ]),
      );

      const written = (): number => server.requests.filter((request) => !request.startsWith("GET")).length;
      const before = written();
      expect(await company.cycle({ full: true })).toMatchObject({ done: 0, failed: 0 });
      expect(written()).toBe(before);
    },
  );
});
