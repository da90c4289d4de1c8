import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { whyNotTogether } from "../../src/config/collisions.ts";
import { openConfiguration } from "../../src/config/load.ts";
import { faultsOf, loadJobs, refuseCollisions, soundJobs } from "../../src/config/load-jobs.ts";
import { usageLines, workplace } from "./workplace.ts";

const tenant = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;

interface Given {
  readonly [key: string]: unknown;
}

/** A job that has everything of its own. */
const job = (
  number: number,
  more: { entra?: Given; lattice?: Given; [key: string]: unknown } = {},
): object => ({
  ...more,
  entra: {
    tenantId: tenant(number),
    clientId: tenant(number),
    clientSecret: `secret-${number}`,
    ...more.entra,
  },
  lattice: { token: `token-${number}`, ...more.lattice },
});

const open = (jobs: object, shared: object = {}, env: Record<string, string> = {}) =>
  openConfiguration({
    file: "c.yaml",
    env,
    cwd: workplace({ "c.yaml": JSON.stringify({ ...shared, jobs }) }),
  });
const faults = (jobs: object, shared: object = {}, env: Record<string, string> = {}): readonly string[] =>
  faultsOf(loadJobs(open(jobs, shared, env)))?.split("\n") ?? [];

const sharing = (
  number: number,
  others: readonly string[],
  more: { scope?: object; ignore?: boolean } = {},
): object =>
  job(number, {
    entra: { tenantId: tenant(1), ...(more.scope === undefined ? {} : { scope: more.scope }) },
    lattice: { token: "one-token", sharedWith: others },
    ...(more.ignore === true ? { actions: { outOfScope: "ignore" } } : {}),
  });
const groups = (...names: string[]): object => ({ mode: "groups", groups: names });

describe("jobs in one configuration", () => {
  it("are accepted if each has everything of its own", () => {
    expect(faults({ emea: job(1), us: job(2) })).toEqual([]);
  });

  it("are told what to do if they write to one company by two keys: not to get keys that they have", () => {
    const loaded = soundJobs(loadJobs(open({ emea: job(1), us: job(2) })));
    const [one, other] = loaded;
    if (one === undefined || other === undefined) throw new Error("not loaded");
    expect(whyNotTogether(one, other)).toBe(
      "give one of them the key of its own company, or remove one; if they share the company on purpose, name the other job in lattice.sharedWith of each",
    );
  });

  it("are refused if one is a copy of another one with another name", () => {
    expect(faults({ emea: job(1), us: job(1) })).toEqual([
      "the jobs emea and us write to the same Lattice company (they have the same lattice.url and API key): give each job its own key; if they share the company on purpose, name the other job in lattice.sharedWith of each",
    ]);
  });

  it("are refused if they all take their key from the shared part or the environment", () => {
    const bare = { entra: { tenantId: tenant(1) } };
    expect(faults({ emea: bare, us: bare }, {}, { LATTICE_API_KEY: "one-key" })[0]).toMatch(
      /^the jobs emea and us write to the same Lattice company/,
    );
    const own = { LATTICE_API_KEY: "one-key", LATTICE_API_KEY__US: "another-key" };
    expect(faults({ emea: bare, us: bare }, {}, own)).toEqual([]);
  });

  it("are refused if one sends the key of another one to another address", () => {
    const us = job(2, { lattice: { token: "token-1", url: "https://eu.example.com/scim/v2" } });
    expect(faults({ emea: job(1), us })).toEqual([
      "the jobs emea and us send the same Lattice API key to two addresses (lattice.url): give each job its own key",
    ]);
  });

  it("are refused if one would sign in with the client secret of another application", () => {
    expect(faults({ emea: job(1), us: job(2, { entra: { clientSecret: "secret-1" } }) })).toEqual([
      "the jobs emea and us have different applications (entra.clientId) and the same client secret, so that one of them would sign in with the secret of the other: give each job its own secret",
    ]);
    const oneApplication = { clientSecret: "secret-1", clientId: tenant(1) };
    expect(faults({ emea: job(1), us: job(2, { entra: oneApplication }) })).toEqual([]);
  });

  it("are refused if they have one database, also by way of a link", () => {
    const cwd = workplace({
      "c.yaml": JSON.stringify({
        jobs: {
          a: job(1, { state: { path: "data/one.db" } }),
          b: job(2, { state: { path: "link/one.db" } }),
          c: job(3, { state: { path: "data/ONE.db" } }),
          d: job(4, { state: { path: "data/two.db" } }),
        },
      }),
      "data/other.db": "",
    });
    symlinkSync(join(cwd, "data"), join(cwd, "link"));
    const found = faultsOf(loadJobs(openConfiguration({ file: "c.yaml", env: {}, cwd }))) ?? "";
    expect(found.split("\n").map((line) => line.slice(0, 50))).toEqual([
      `the jobs a and b have one state database (${cwd.slice(0, 8)}`,
      `the jobs a and c have one state database (${cwd.slice(0, 8)}`,
      `the jobs b and c have one state database (${cwd.slice(0, 8)}`,
    ]);
  });

  it("may have one PostgreSQL database", () => {
    expect(
      faults({ emea: job(1), us: job(2) }, { state: { url: "postgres://als@db.example.com/als" } }),
    ).toEqual([]);
  });

  it("do not stop each other: a fault of one is reported, and the others load", () => {
    const jobs = loadJobs(
      open({ emea: job(1), us: job(1), apac: job(3), latam: job(4, { drift: "never" }) }),
    );
    expect(soundJobs(jobs).map((one) => one.job)).toEqual(["apac"]);
  });

  it("say once what is wrong in what they share", () => {
    expect(faults({ emea: job(1), us: job(2) }, { drift: "never" })).toEqual([
      'c.yaml:1:10: drift must be one of correct, report, but is "never"',
    ]);
  });

  it("are compared before one of them alone may write", () => {
    const configuration = open({ emea: job(1), us: job(1), apac: job(3), latam: job(4, { drift: "never" }) });
    expect(usageLines(() => refuseCollisions(configuration, configuration.load("us")))[0]).toMatch(
      /^the jobs emea and us/,
    );
    expect(() => refuseCollisions(configuration, configuration.load("apac"))).not.toThrow();
    expect(() => refuseCollisions(configuration, configuration.load("us"), "both")).not.toThrow();
  });
});

describe("jobs that share a Lattice company", () => {
  it("must both say so", () => {
    expect(
      faults({
        emea: job(1, { lattice: { token: "t", sharedWith: ["us"] } }),
        us: job(2, { lattice: { token: "t" } }),
      }),
    ).toEqual([expect.stringContaining("name the other job in lattice.sharedWith of each")]);
  });

  it("may read two tenants", () => {
    const lattice = (other: string) => ({ token: "t", sharedWith: [other] });
    expect(
      faults({ emea: job(1, { lattice: lattice("us") }), us: job(2, { lattice: lattice("emea") }) }),
    ).toEqual([]);
  });

  it.each([
    ["everybody", {}, {}, "entra.scope.mode must be groups in both, or assigned in both, and not all"],
    ["another kind of scope", { scope: groups("A") }, {}, "must be groups in both"],
    ["a common group", { scope: groups("A", "B") }, { scope: groups("b") }, "both have b in their scope"],
    [
      "a common person",
      { scope: { ...groups("A"), include: ["kim@example.com"] } },
      { scope: { ...groups("B"), include: ["Kim@example.com"] } },
      "both have kim@example.com in their scope",
    ],
    [
      "a person who may move",
      { scope: groups("A") },
      { scope: groups("B") },
      "set actions.outOfScope: ignore in both",
    ],
  ])("and one tenant are refused with %s", (_, left, right, message) => {
    const all = { mode: "all" };
    const [one, other] = [
      { scope: all, ...left },
      { scope: all, ...right },
    ];
    expect(faults({ emea: sharing(1, ["us"], one), us: sharing(1, ["emea"], other) })).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it("and one tenant are accepted with groups of their own, if no one who moves is switched off", () => {
    const one = sharing(1, ["us"], { scope: groups("A"), ignore: true });
    const other = sharing(1, ["emea"], { scope: groups("B"), ignore: true });
    expect(faults({ emea: one, us: other })).toEqual([]);
  });

  it("must exist", () => {
    expect(faults({ emea: job(1, { lattice: { token: "t", sharedWith: ["uk"] } }), us: job(2) })).toEqual([
      expect.stringMatching(/^c\.yaml:1:\d+: lattice\.sharedWith names uk: it must name other jobs/),
    ]);
  });
});
