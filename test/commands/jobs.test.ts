import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { configCheck, configShow } from "../../src/commands/config.ts";
import { forEachJob, worstOf } from "../../src/commands/each-job.ts";
import { history } from "../../src/commands/history.ts";
import { notifyTest } from "../../src/commands/notify.ts";
import { release } from "../../src/commands/release.ts";
import { stateCheck } from "../../src/commands/state.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { user } from "../../src/commands/user.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { JobChoice } from "../../src/job/configured-job.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { workplace } from "../config/workplace.ts";
import { startReceiver } from "../notify/receiver.ts";
import { signingSecret } from "../notify/workplace.ts";
import { terminal } from "./terminal.ts";

const config = "config.yaml";
const cycle = {
  dryRun: false,
  full: false,
  format: "json",
  detailedExitcode: false,
  waitSeconds: 0,
} as const;

let sandboxes: readonly Sandbox[];
beforeAll(async () => {
  sandboxes = await Promise.all([1, 2].map(() => startSandbox({ file: ":memory:", people: 20 })));
});
afterAll(() => Promise.all(sandboxes.map((sandbox) => sandbox.close())));

/** A job that leads to a sandbox. */
const jobOf = (sandbox: Sandbox | undefined, more: object = {}): object => ({
  entra: {
    tenantId: sandbox?.tenantId,
    clientId: sandbox?.clientId,
    clientSecret: sandbox?.clientSecret,
    authorityHost: sandbox?.authorityHost,
    graphUrl: sandbox?.graphUrl,
    scope: { mode: "all" },
  },
  lattice: { url: sandbox?.latticeUrl, token: sandbox?.latticeToken, maxRequestsPerSecond: null },
  ...more,
});

let folder: string;
const configure = (jobs: object, shared: object = {}): void =>
  writeFileSync(
    join(folder, config),
    JSON.stringify({ guard: { enabled: false }, log: { level: "silent" }, ...shared, jobs }),
    {
      mode: 0o600,
    },
  );
beforeEach(() => {
  folder = workplace();
  const [emea, us] = sandboxes;
  configure({ emea: jobOf(emea), us: jobOf(us) });
});

async function refusalOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("expected a UsageError, but nothing was thrown");
}

describe("a command about all jobs", () => {
  it("gives each job a key of one JSON object, in the order of the configuration", async () => {
    const { io, output } = terminal(folder);
    expect(await sync({ ...cycle, config, dryRun: true }, io)).toBe(0);
    const plans = JSON.parse(output());
    expect(Object.keys(plans)).toEqual(["emea", "us"]);
    expect(plans.us.summary.create).toBeGreaterThan(10);
    expect(await status({ config, format: "json" }, io)).toBe(0);
    const idle = {
      condition: "idle",
      reason: null,
      working: false,
      overdueSeconds: 0,
      worker: null,
      workers: null,
      aside: [],
      asked: [],
      lastCycle: null,
      lastOfEverybody: null,
      lastLeavers: null,
      cycles: [],
    };
    expect(JSON.parse(output())).toEqual({
      emea: { state: join(folder, "state/emea.db"), ...idle },
      us: { state: join(folder, "state/us.db"), ...idle },
    });
  });

  it("gives each job a heading, and suggests commands with --job", async () => {
    const { io, output } = terminal(folder);
    expect(await check({ config }, io)).toBe(0);
    const text = output();
    expect(text).toMatch(/^Job emea\nok {4}Configuration/);
    expect(text).toContain("\n\nJob us\n");
    expect(text).toContain("sync --dry-run --config config.yaml --job us");
  });

  it("does not stop at a job that fails, and exits with the worst code", async () => {
    const [, us] = sandboxes;
    configure({ emea: jobOf(undefined, { lattice: { token: "x" } }), us: jobOf(us) });
    const { io, output, notes } = terminal(folder);
    expect(await sync({ ...cycle, config, dryRun: true }, io)).toBe(64);
    const plans = JSON.parse(output());
    expect(plans.emea).toEqual({
      error: expect.stringMatching(/^[Jj]ob emea: Entra's directory/),
      exitCode: 64,
    });
    expect(plans.us.summary.create).toBeGreaterThan(10);
    expect(notes()).toMatch(/[Jj]ob emea: Entra's directory \(tenant\) ID is missing/);
  });

  it("does not begin another job once it was interrupted", async () => {
    const interrupt = new AbortController();
    const { io } = terminal(folder);
    const begun: (string | undefined)[] = [];
    const options: JobChoice = { config };
    const run = forEachJob(options, { ...io, signal: interrupt.signal }, { json: false }, async ({ job }) => {
      begun.push(job);
      interrupt.abort(new Error("interrupted"));
      throw interrupt.signal.reason;
    });
    await expect(run).rejects.toThrow("interrupted");
    expect(begun).toEqual(["emea"]);
  });

  it("reads the configuration once: each job runs as it was at the beginning", async () => {
    const { io } = terminal(folder);
    for (const settings of [undefined, "compared"] as const) {
      const given: (string | undefined)[] = [];
      configure({ emea: {}, us: {} });
      const options: JobChoice = { config };
      await forEachJob(
        options,
        io,
        { json: false, ...(settings === undefined ? {} : { settings }) },
        async (choice) => {
          writeFileSync(join(folder, config), "no longer: a configuration");
          given.push(choice.loaded?.job);
          return 0;
        },
      );
      expect(given).toEqual(["emea", "us"]);
    }
  });

  it("tests the receivers of those jobs that have some", async () => {
    const { io, output } = terminal(folder);
    expect(await notifyTest({ config }, io)).toBe(0);
    expect(output()).toBe(
      "Job emea\nNo notifications are configured (notify.receivers).\n\nJob us\nNo notifications are configured (notify.receivers).\n",
    );
  });

  it("tests a receiver by name in those jobs that have it, and refuses a name that none has", async () => {
    await using receiver = await startReceiver(200);
    const [emea, us] = sandboxes;
    const notify = (name: string) => ({
      notify: {
        receivers: [{ kind: "webhook", name, url: `${receiver.origin}/${name}`, secret: signingSecret }],
      },
    });
    configure({ emea: jobOf(emea, notify("siem")), us: jobOf(us, notify("chat")) });
    const { io, output } = terminal(folder);
    expect(await notifyTest({ config, receiver: "chat" }, io)).toBe(0);
    expect(output()).toBe(
      'Job emea\nThere is no receiver "chat"; the receivers are: siem.\n\nJob us\nok    chat (webhook): answered 200\n',
    );
    expect(receiver.got.map(({ path }) => path)).toEqual(["/chat"]);
    expect(await refusalOf(() => notifyTest({ config, receiver: "pager" }, io))).toBe(
      'no job has a receiver "pager": see notify.receivers of each job',
    );
    configure({ emea: jobOf(emea), us: jobOf(us) });
    expect(await refusalOf(() => notifyTest({ config, receiver: "chat" }, io))).toMatch(
      "no job has a receiver",
    );
    expect(await refusalOf(() => notifyTest({ config, job: "us", receiver: "chat" }, io))).toMatch(
      "no notifications are configured",
    );
  });

  it.each([
    [[0, 2, 4, 3, 5, 1, 64], 64],
    [[0, 2, 4, 3, 5, 1], 1],
    [[0, 2, 4, 3, 5], 5],
    [[0, 2, 4, 6, 3], 3],
    [[0, 2, 4, 6], 6],
    [[0, 2, 4], 4],
    [[0, 2], 2],
    [[0, 0], 0],
    [[], 0],
  ])("exits for the codes %j with %i", (codes, worst) => {
    expect(worstOf(codes)).toBe(worst);
  });
});

describe("--job", () => {
  it("chooses one job, whose output is that of a configuration without jobs", async () => {
    const { io, output } = terminal(folder);
    expect(await sync({ ...cycle, config, job: "us" }, io)).toBe(0);
    expect(JSON.parse(output()).formatVersion).toBeDefined();
    await status({ config, job: "us", format: "json" }, io);
    expect(JSON.parse(output())).toMatchObject({ lastCycle: { cycle: "initial" } });
    await status({ config, job: "emea", format: "json" }, io);
    expect(JSON.parse(output())).toMatchObject({ lastCycle: null });
    expect(await configCheck({ config, job: "us" }, io)).toBe(0);
    expect(output()).toMatch(/^config\.yaml, job us: valid, \d+ attribute mappings\.\n$/);
  });

  it("is asked for by commands about one person, plan, file or database", async () => {
    const { io } = terminal(folder);
    const asked = await Promise.all(
      [
        () => user({ config, user: "kim", live: false, format: "table" }, io),
        () => history({ config, limit: 5, all: false, format: "table" }, io),
        () => release({ config, planId: "x", dryRun: true, format: "table", waitSeconds: 0 }, io),
        () => stateCheck({ config }, io),
        () => configShow({ config }, io),
        () => sync({ ...cycle, config, user: ["kim"] }, io),
        () => sync({ ...cycle, config, dryRun: true, out: join(folder, "plan.json") }, io),
        () => sync({ ...cycle, config, dryRun: true, format: "html" }, io),
      ].map(refusalOf),
    );
    expect(new Set(asked)).toEqual(new Set(["The configuration has 2 jobs. Name one with --job: emea, us."]));
  });

  it("is refused if there is no such job, with the nearest one", async () => {
    const { io } = terminal(folder);
    expect(await refusalOf(() => sync({ ...cycle, config, job: "emae" }, io))).toBe(
      'There is no job "emae". Did you mean emea? The jobs are: emea, us.',
    );
    expect(await refusalOf(() => configCheck({ config, job: "uk" }, io))).toMatch(/There is no job "uk"/);
  });

  it("default means the job of a configuration without jobs", async () => {
    writeFileSync(join(folder, config), JSON.stringify(jobOf(sandboxes[0])), { mode: 0o600 });
    const { io, output } = terminal(folder);
    expect(await status({ config, job: "default", format: "json" }, io)).toBe(0);
    expect(JSON.parse(output())).toMatchObject({ state: join(folder, "state/azure-lattice-sync.db") });
  });
});

describe("config check", () => {
  it("says that each job is valid", async () => {
    const { io, output } = terminal(folder);
    expect(await configCheck({ config }, io)).toBe(0);
    expect(output()).toMatch(/^config\.yaml, job emea: valid, .*\nconfig\.yaml, job us: valid, .*\n$/);
  });

  it("names the faults of all jobs together, with what collides", async () => {
    const [emea] = sandboxes;
    configure({
      emea: jobOf(emea),
      us: jobOf(emea),
      apac: jobOf(undefined, { lattice: { token: "one-key" } }),
      latam: { drift: "never" },
    });
    const { io } = terminal(folder);
    const lines = (await refusalOf(() => configCheck({ config }, io))).split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^the jobs emea and us write to the same Lattice company/),
      expect.stringMatching(/^job apac: Entra's directory \(tenant\) ID is missing/),
      expect.stringMatching(/^config\.yaml:1:\d+: jobs\.latam\.drift must be one of correct, report/),
    ]);
  });
});

it("a job that collides with another one does not write", async () => {
  const [emea] = sandboxes;
  configure({ emea: jobOf(emea), us: jobOf(emea) });
  const { io } = terminal(folder);
  expect(await refusalOf(() => sync({ ...cycle, config, job: "us" }, io))).toMatch(
    /the jobs emea and us write to the same/,
  );
});
