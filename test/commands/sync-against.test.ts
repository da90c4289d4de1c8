import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SyncOptions, sync } from "../../src/commands/sync.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { workplace } from "../config/workplace.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { terminal } from "./terminal.ts";

const rules = [
  { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
  { target: "externalId", source: "objectId" },
  { target: "active", expression: "Not([IsSoftDeleted])" },
  { target: "displayName", source: "displayName" },
  { target: "title", source: "jobTitle" },
  { target: "name.givenName", source: "givenName" },
  { target: "name.familyName", source: "surname" },
  { target: 'emails[type eq "work"].value', source: "mail" },
] as const;
const [userName, externalId, active, displayName, , ...names] = rules;
/** The titles in capitals: nothing else has to be read for it. */
const capitals = [
  userName,
  externalId,
  active,
  displayName,
  { target: "title", expression: "ToUpper([jobTitle])" },
  ...names,
];

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

let sandbox: Sandbox;
let folder: string;
beforeEach(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 40, requestLogSize: 100_000 });
  folder = workplace();
  write("config.yaml");
  expect((await run({ dryRun: false })).code).toBe(0);
  sandbox.requests.clear();
});
afterEach(() => sandbox.close());

const scope = { mode: "all" };
const write = (name: string, more: object = {}, entra: object = {}): void => {
  const config = {
    entra: {
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      authorityHost: sandbox.authorityHost,
      graphUrl: sandbox.graphUrl,
      scope,
      ...entra,
    },
    lattice: { url: sandbox.latticeUrl, token: sandbox.latticeToken, maxRequestsPerSecond: null },
    mapping: rules,
    log: { level: "silent" },
    ...more,
  };
  writeFileSync(join(folder, name), JSON.stringify(config), { mode: 0o600 });
};

const run = async (options: Partial<SyncOptions>) => {
  const at = terminal(folder);
  const code = await sync(
    {
      config: "config.yaml",
      dryRun: true,
      full: false,
      format: "json",
      detailedExitcode: false,
      waitSeconds: 0,
      ...options,
    },
    at.io,
  );
  return { code, out: at.output() };
};

const compared = async (options: Partial<SyncOptions> = {}) => {
  const { code, out } = await run({ against: "other.yaml", ...options });
  return { code, ...JSON.parse(out) };
};

/** The plan that a dry run with the other configuration makes, which reads everything itself. */
const planOfOther = async () => JSON.parse((await run({ config: "other.yaml" })).out);

const hire = (name: string, jobTitle: string): string =>
  sandbox.directory.createUser({
    userPrincipalName: `${name}@example.com`,
    displayName: name,
    mail: `${name}@example.com`,
    givenName: name,
    surname: "Example",
    jobTitle,
    accountEnabled: true,
  });

/** The changes that a plan makes, by person and attribute. */
interface Operation {
  readonly objectId: string;
  readonly action: string;
  readonly changes: readonly { readonly attribute: string; readonly after: unknown }[];
}
const titlesOf = (operations: readonly Operation[]) =>
  new Map(
    operations.map(({ objectId, changes }) => [
      objectId,
      changes.find(({ attribute }) => attribute === "title")?.after,
    ]),
  );

it("plans with the other mapping what a dry run with it plans, and names each person and attribute", async () => {
  const [first] = [...sandbox.directory.users()];
  sandbox.directory.updateUser(first?.id ?? "", { jobTitle: "Chief Example" });
  const kim = hire("kim.example", "Example Officer");
  write("other.yaml", { mapping: capitals });
  const report = await compared();
  const alone = await planOfOther();
  expect(alone.summary.update).toBeGreaterThan(20);
  expect(report.second.summary).toEqual(alone.summary);
  expect(report.second.guard).toEqual(alone.guard);
  const titles = titlesOf(alone.operations);
  expect(report.different).toBe(report.people.length);
  expect(report.people.length).toBeGreaterThan(20);
  for (const { objectId, attributes } of report.people) {
    expect(attributes).toMatchObject([{ attribute: "title", second: titles.get(objectId) }]);
  }
  const hired = report.people.find((one: { objectId: string }) => one.objectId === kim);
  expect(hired).toMatchObject({
    userName: "kim.example@example.com",
    first: { operations: [{ action: "create" }] },
    second: { operations: [{ action: "create" }] },
    attributes: [{ attribute: "title", now: null, first: "Example Officer", second: "EXAMPLE OFFICER" }],
  });
});

it("asks Entra and Lattice for nothing that a dry run alone does not ask for, and writes nothing", async () => {
  hire("kim.example", "Example Officer");
  const kinds = () =>
    sandbox.requests
      .filter(({ host }) => host !== "token")
      .map(({ host, method, path }) => `${host} ${method} ${path.replace(/token=.*/i, "")}`)
      .sort();
  await run({});
  const alone = kinds();
  expect(alone.length).toBeGreaterThan(0);
  sandbox.requests.clear();
  write("other.yaml", { mapping: capitals });
  expect((await compared()).different).toBeGreaterThan(20);
  expect(kinds()).toEqual(alone);
  expect(sandbox.requests.filter(({ host, method }) => host === "lattice" && method !== "GET")).toEqual([]);
  // The state is as before: no one is planned with the other mapping.
  expect(JSON.parse((await run({})).out).summary).toMatchObject({ create: 1, update: 0 });
});

it("compares the guard's verdicts if only a limit differs", async () => {
  for (const person of [...sandbox.directory.users()].slice(0, 12))
    sandbox.directory.updateUser(person.id, { accountEnabled: false });
  write("other.yaml", { guard: { enabled: false } });
  const report = await compared({ detailedExitcode: true });
  expect(report.first.guard.held).toBe(true);
  expect(report.second.guard.held).toBe(false);
  expect(report.second.summary).toEqual(report.first.summary);
  expect(report.people[0]).toMatchObject({
    first: { operations: [{ action: "deactivate", held: true }] },
    second: { operations: [{ action: "deactivate", held: false }] },
    attributes: [],
  });
  expect(report.code).toBe(2);
});

it("says that both plan the same, in each format", async () => {
  write("other.yaml", { schedule: { every: "2h" } });
  expect(await compared({ detailedExitcode: true })).toMatchObject({ different: 0, people: [], code: 0 });
  for (const format of ["table", "markdown", "html"] as const)
    expect((await run({ against: "other.yaml", format })).out).toContain("both plan the same");
});

it("shows who is planned otherwise in each format, and no markup of a name", async () => {
  hire("kim.example", "<b>Example</b> Officer");
  write("other.yaml", { mapping: capitals });
  const table = (await run({ against: "other.yaml", format: "table" })).out;
  expect(table).toContain(
    "kim.example@example.com\n  create\n    title (now (none)): <b>Example</b> Officer →",
  );
  const markdown = (await run({ against: "other.yaml", format: "markdown" })).out;
  expect(markdown).toContain("&lt;B&gt;EXAMPLE&lt;/B&gt; OFFICER");
  const page = (await run({ against: "other.yaml", format: "html" })).out;
  expect(page).toContain("&lt;B&gt;EXAMPLE&lt;/B&gt; OFFICER");
  expect(page).not.toContain("<b>Example");
});

it("reads everything once if the other mapping needs a property that was not read", async () => {
  const named = { target: department, source: "department" };
  write("other.yaml", { mapping: [...rules, named] });
  const report = await compared();
  const lists = sandbox.requests.filter(
    ({ host, path }) => host === "lattice" && /\/Users\?.*startIndex=1(?!\d)/.test(path),
  );
  expect(lists).toHaveLength(1);
  const alone = await planOfOther();
  expect(alone.summary.update).toBeGreaterThan(10);
  expect(report.second.summary).toEqual(alone.summary);
  expect(report.first.summary.update).toBe(0);
});

it("reads accounts with the attributes of both if only the other mapping has one of them", async () => {
  const named = { target: department, source: "displayName" };
  write("other.yaml", { mapping: [...rules, named], guard: { enabled: false } });
  expect(JSON.parse((await run({ config: "other.yaml", dryRun: false })).out).result.done).toBeGreaterThan(
    10,
  );
  expect((await run({ dryRun: false })).code).toBe(0);
  expect((await compared()).second.summary).toMatchObject({ create: 0, update: 0 });
});

it("reads the scope of the other configuration in addition, and plans who leaves it", async () => {
  write("other.yaml", {}, { scope: { mode: "groups", groups: ["All Employees"] } });
  hire("kim.example", "Example Officer");
  const report = await compared();
  const alone = await planOfOther();
  expect(report.first.summary.create).toBe(1);
  expect(report.second.summary).toEqual(alone.summary);
  expect(report.second.guard.held).toBe(alone.guard.held);
});

it("plans each job of several with its section of the other configuration", async () => {
  write("config.yaml", { jobs: { emea: {}, us: { lattice: { token: "another" } } } });
  write("other.yaml", { jobs: { emea: { mapping: capitals }, us: { lattice: { token: "another" } } } });
  const { out } = await run({ against: "other.yaml" });
  const { emea, us } = JSON.parse(out);
  expect(emea).toMatchObject({
    first: { file: "config.yaml" },
    second: { file: "other.yaml" },
    people: expect.arrayContaining([
      expect.objectContaining({
        attributes: expect.arrayContaining([expect.objectContaining({ attribute: "title" })]),
      }),
    ]),
  });
  expect(us).toMatchObject({ error: expect.any(String) });
  const alone = JSON.parse((await run({ against: "other.yaml", job: "emea" })).out);
  expect(alone.different).toBe(emea.different);
});

it("says in one sentence that only one of two files has the job", async () => {
  const two = { jobs: { emea: {}, us: { lattice: { token: "another" } } } };
  write("other.yaml", two);
  await expect(run({ against: "other.yaml" })).rejects.toThrow(
    "other.yaml has 2 jobs: emea, us, so it cannot be compared with config.yaml, which has no jobs. Give --against a file that has no jobs. Nothing was read.",
  );
  write("config.yaml", two);
  write("other.yaml");
  await expect(run({ against: "other.yaml", job: "emea" })).rejects.toThrow(
    "other.yaml has no jobs, so it cannot be compared with the job emea of config.yaml. Give --against a file that has a job emea. Nothing was read.",
  );
  expect(sandbox.requests.count()).toBe(0);
});

it("compares a file without jobs with the job default of another one", async () => {
  write("other.yaml", { jobs: { default: { mapping: capitals }, us: { lattice: { token: "another" } } } });
  expect((await compared()).different).toBeGreaterThan(0);
});

it("does the same with the state in PostgreSQL", async () => {
  await using database = await ownDatabase();
  const state = { url: database.url };
  write("config.yaml", { state });
  write("other.yaml", { state, mapping: capitals });
  expect((await run({ dryRun: false })).code).toBe(0);
  const report = await compared();
  expect(report.different).toBeGreaterThan(20);
  expect(report.second.summary).toEqual((await planOfOther()).summary);
  expect((await compared({ offline: true })).people).toEqual(report.people);
});

describe("--offline", () => {
  it("plans with another mapping from the last known data, without a request", async () => {
    write("other.yaml", { mapping: capitals });
    const online = await compared();
    sandbox.requests.clear();
    const report = await compared({ offline: true });
    expect(sandbox.requests.count()).toBe(0);
    expect(report.second.summary).toEqual(online.second.summary);
    expect(report.people).toEqual(online.people);
    expect(report.offline).toBe(true);
  });

  it("says what is not known: a property, a scope, a group", async () => {
    const offline = () => compared({ offline: true });
    write("other.yaml", { mapping: [...rules, { target: "nickName", source: "mailNickname" }] });
    await expect(offline()).rejects.toThrow(/mailNickname.*nickName/);
    write("other.yaml", {}, { scope: { mode: "groups", groups: ["All Employees"] } });
    await expect(offline()).rejects.toThrow(/entra\.scope/);
    const clauses = [{ memberOf: "All Employees" }];
    write("other.yaml", {}, { scope: { ...scope, filters: [{ clauses }] } });
    await expect(offline()).rejects.toThrow(/All Employees/);
    expect(sandbox.requests.count()).toBe(0);
  });

  it("is refused before a cycle with the configuration in force was complete", async () => {
    write("other.yaml", { mapping: capitals });
    write("config.yaml", { onNull: "keep" });
    await expect(compared({ offline: true })).rejects.toThrow(/--offline plans from the data/);
  });
});

it("is refused for another tenant or Lattice, and with options that do not go with it", async () => {
  write("other.yaml", {}, { tenantId: "3f1b6c1e-6c55-4c1c-9c43-0a2f3a0b8d11" });
  await expect(compared()).rejects.toThrow(/another Entra tenant/);
  write("other.yaml", { lattice: { url: "https://lattice.example.com/scim/v2", token: "another-key" } });
  await expect(compared()).rejects.toThrow(/another Lattice/);
  expect(sandbox.requests.count()).toBe(0);
  write("other.yaml");
  for (const options of [
    { dryRun: false },
    { user: ["kim.example@example.com"] },
    { offline: true, full: true },
  ])
    await expect(compared(options)).rejects.toThrow(UsageError);
  await expect(run({ offline: true })).rejects.toThrow(/--offline needs --against/);
});

it("reads the group of the other configuration's canary, and offline holds everything because it cannot", async () => {
  const canary = { people: 0, group: "Pilots" };
  write("other.yaml", { mapping: capitals, rollout: { canary }, guard: { enabled: false } });
  const members = [...sandbox.directory.users()].slice(0, 30).map(({ id }) => id);
  sandbox.directory.createGroup("Pilots", { members });
  const report = await compared();
  const [reason] = report.second.guard.reasons;
  expect(reason).toMatch(
    /^canary: \d+ operations? waits?, because a new configuration is tried on \d+ people first/,
  );
  expect(report.second.guard).toEqual((await planOfOther()).guard);
  const offline = await compared({ offline: true });
  expect(offline.second.guard.reasons).toEqual([
    expect.stringMatching(
      /^canary: \d+ operations wait, .* which cannot be read: the members of the group "Pilots" are not among the last known data: leave --offline out, so that they are read$/,
    ),
  ]);
});
