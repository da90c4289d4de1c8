import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { release } from "../../src/commands/release.ts";
import { revert } from "../../src/commands/revert.ts";
import { sync } from "../../src/commands/sync.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openQueue, type Queue } from "../../src/daemon/fleet/queue.ts";
import {
  FailedElsewhereError,
  InterruptedError,
  LeaseHeldError,
  UsageError,
} from "../../src/domain/errors.ts";
import type { FleetStore } from "../../src/domain/fleet.ts";
import { companiesOf, configurationDigest } from "../../src/job/configuration-digest.ts";
import type { CommandIO } from "../../src/process/io.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openFleetStore } from "../../src/state/postgres/fleet/store.ts";
import { workplace } from "../config/workplace.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { sql } from "../state/postgres/sql.ts";
import { terminal } from "./terminal.ts";

const config = "config.yaml";
const options = {
  config,
  dryRun: false,
  full: false,
  format: "json",
  detailedExitcode: false,
  waitSeconds: 0,
} as const;
const schema = "azure_lattice_sync";

let stack: AsyncDisposableStack;
let sandbox: Sandbox;
let url: string;
let fleet: FleetStore;
let queue: Queue;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  sandbox = stack.adopt(await startSandbox({ file: ":memory:", people: 20 }), (one) => one.close());
  url = stack.use(await ownDatabase()).url;
  fleet = stack.adopt(await openFleetStore({ url }), (one) => one.close());
  const options = { heartbeatSeconds: 10, monitorSeconds: 60, onError: () => {} };
  queue = stack.adopt(await openQueue({ url }, options), (one) => one.close());
});
afterAll(() => stack.disposeAsync());

let folder: string;
beforeEach(async () => {
  await sql(
    { url, schema },
    "DELETE FROM worker",
    "DELETE FROM work",
    "DELETE FROM azure_lattice_sync_queue.job",
  );
  cyclesBefore = await cycles();
  folder = workplace();
  const {
    tenantId,
    clientId,
    clientSecret,
    authorityHost,
    graphUrl,
    latticeUrl,
    latticeToken: token,
  } = sandbox;
  const entra = { tenantId, clientId, clientSecret, authorityHost, graphUrl, scope: { mode: "all" } };
  const written = {
    entra,
    lattice: { url: latticeUrl, token, maxRequestsPerSecond: null },
    guard: { enabled: false },
    log: { level: "silent" },
    state: { url },
  };
  writeFileSync(join(folder, config), JSON.stringify(written), { mode: 0o600 });
});
/** The result of a cycle, as a daemon gives it to the command that has asked. */
const run = {
  cycleId: 7,
  header: {
    planId: "plan-of-the-daemon",
    cycle: "incremental",
    createdAt: Date.UTC(2026, 0, 31),
    summary: { create: 0, update: 2, deactivate: 0, reactivate: 0, link: 0, unchanged: 18, skipped: 0 },
    guard: { held: false, reasons: [] },
    notes: [],
  },
  outcome: "someFailed",
  done: 1,
  failed: 1,
  heldOperations: 0,
  notSent: 0,
  mostFailed: null,
  durationMs: 1_000,
  failedComparison: null,
};

/** Of the test's configuration, in words. */
function companies(): string {
  const { tenantId, latticeUrl } = sandbox;
  return companiesOf({ entra: { tenantId }, lattice: { url: latticeUrl } });
}

/** Announces a daemon, which does what the test does for it. */
async function announce(
  digest = configurationDigest(loadConfig({ file: config, env: {}, cwd: folder })),
  workLevel = 2,
): Promise<void> {
  await fleet.announce({ id: "w1", host: "pod-1", version: "1.0.0", workLevel }, [
    { name: "default", digest, identity: companies() },
  ]);
}

/** Resolves to the work that the daemon is asked for, when it has begun it. */
async function begun(): Promise<string> {
  for (const since = performance.now(); performance.now() - since < 20_000; ) {
    const [claim] = await queue.take("asked-2", 1, []);
    if (claim?.work != null) {
      await fleet.takeWork(claim.work, "w1");
      await queue.done(claim);
      return claim.work;
    }
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error("nobody asked for work within 20 seconds");
}

/** Lets the daemon seem to have died. */
async function die(): Promise<void> {
  await sql({ url, schema }, "UPDATE worker SET seen_at = seen_at - 31000");
}

let cyclesBefore = 0;
const cycles = async (): Promise<number> =>
  Number((await sql({ url, schema }, "SELECT count(*) AS n FROM cycle"))[0]?.n);
/** Cycles that were run in the process of the test. */
const cyclesHere = async (): Promise<number> => (await cycles()) - cyclesBefore;

describe("sync with a state in PostgreSQL runs in its own process", () => {
  it("without a word if there are no daemons", async () => {
    const { io, notes } = terminal(folder);
    expect(await sync(options, io)).toBe(0);
    expect(notes()).toBe("");
    expect(await cyclesHere()).toBe(1);
  });

  it("and says so if none of them lives", async () => {
    await announce();
    await die();
    const { io, notes } = terminal(folder);
    expect(await sync(options, io)).toBe(0);
    expect(notes()).toBe("This process runs the cycle itself: no daemon that lives has the job default.\n");
    expect(await cyclesHere()).toBe(1);
  });

  it("and says so if they have another configuration", async () => {
    await announce("of another mapping");
    const { io, notes } = terminal(folder);
    expect(await sync(options, io)).toBe(0);
    expect(notes()).toBe(
      "This process runs the cycle itself: the daemons have another configuration of the job default than this command.\n",
    );
  });

  it("if it is told to, and for a dry run", async () => {
    await announce();
    const { io, notes } = terminal(folder);
    expect(await sync({ ...options, dryRun: true }, io)).toBe(0);
    expect(await sync({ ...options, here: true }, io)).toBe(0);
    expect(notes()).toBe("");
    expect(await fleet.recentWorks(5)).toEqual([]);
    expect(await cyclesHere()).toBe(1);
  });

  it("if the daemon that was asked dies before it begins, which then does not begin it later", async () => {
    await announce();
    const { io, notes } = terminal(folder);
    const ended = sync(options, io);
    while ((await fleet.recentWorks(5)).length === 0) await new Promise((later) => setTimeout(later, 20));
    await die();
    expect(await ended).toBe(0);
    expect(notes()).toContain("no daemon that lives has begun the job default");
    expect(await fleet.recentWorks(5)).toEqual([]);
    expect(await cyclesHere()).toBe(1);
  });
});

describe("sync of a job that daemons share", () => {
  it("is run by one of them, and ends with the report and the exit code of that cycle", async () => {
    await announce();
    const { io, output, notes } = terminal(folder);
    const ended = sync({ ...options, full: true }, io);
    const work = await begun();
    expect(await fleet.findWork(work)).toMatchObject({
      kind: "cycle",
      trigger: "hand",
      request: { full: true, report: true },
    });
    await fleet.finishWork(work, { result: { run } });
    expect(await ended).toBe(4);
    expect(JSON.parse(output())).toMatchObject({ planId: "plan-of-the-daemon", summary: { update: 2 } });
    expect(notes()).toMatch(/^The daemon on pod-1 (runs|ran) this cycle\.\n$/);
    expect(await cyclesHere()).toBe(0);
  });

  it.each([
    [5, LeaseHeldError],
    [64, UsageError],
    [1, FailedElsewhereError],
    [undefined, FailedElsewhereError],
  ])("fails with the code %s with which the cycle failed there", async (code, kind) => {
    await announce();
    const ended = sync(options, terminal(folder).io);
    await fleet.finishWork(await begun(), {
      error: "Lattice does not answer.",
      ...(code === undefined ? {} : { result: { exitCode: code } }),
    });
    const error = await ended.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain("Lattice does not answer.");
  });

  it("is refused while a daemon works on it, and with --wait asks when that has ended", async () => {
    await announce();
    const busy = { id: "w0", job: "default", kind: "cycle", trigger: "schedule" } as const;
    await fleet.addWork({ ...busy, request: { full: false }, decision: null, worker: "w1" });
    await expect(sync(options, terminal(folder).io)).rejects.toThrow(
      "a daemon works on the job default at the moment: wait for it to end, or use --wait SECONDS. To look at it: azure-lattice-sync status --config config.yaml",
    );
    const ended = sync({ ...options, waitSeconds: 20 }, terminal(folder).io);
    await fleet.finishWork("w0", { result: {} });
    await fleet.finishWork(await begun(), { result: { run: { ...run, outcome: "done" } } });
    expect(await ended).toBe(0);
  });

  it("says when it is interrupted that the cycle goes on, and how to look at it", async () => {
    await announce();
    const interrupt = new AbortController();
    const { io, notes } = terminal(folder);
    const interruptible: CommandIO = { ...io, signal: interrupt.signal };
    const ended = sync(options, interruptible);
    const work = await begun();
    interrupt.abort(new InterruptedError("stopped by the test"));
    await expect(ended).rejects.toThrow("stopped by the test");
    expect(notes()).toMatch(
      /The cycle was not stopped: a daemon runs it\. To look at it: azure-lattice-sync status --config config\.yaml\.\n$/,
    );
    expect(await fleet.findWork(work)).toMatchObject({ worker: "w1", finishedAt: null });
  });

  it("ends if the daemon dies that has begun it, and no other one lives", async () => {
    await announce();
    const ended = sync(options, terminal(folder).io);
    ended.catch(() => {});
    await begun();
    await die();
    await expect(ended).rejects.toThrow(
      /the daemon on pod-1 that ran this cycle ended before it was done, and no other one/,
    );
  });
});

describe("other commands that send, of a job that daemons share", () => {
  const somebody = async (): Promise<string> => {
    const [row] = await sql(
      { url, schema },
      "SELECT object_id FROM target_user WHERE active AND object_id IS NOT NULL LIMIT 1",
    );
    return String(row?.object_id);
  };

  it("have one of them send for single people, and show the steps and the report as here", async () => {
    // The state must be there.
    expect(await sync({ ...options, here: true }, terminal(folder).io)).toBe(0);
    await announce();
    const before = await cycles();
    const only = [await somebody()];
    const { io, output } = terminal(folder);
    const ended = sync({ ...options, user: only, yes: true, format: "table" }, io);
    const work = await begun();
    expect(await fleet.findWork(work)).toMatchObject({
      kind: "onDemand",
      request: { full: false, only, report: true },
    });
    const steps = [
      { user: only[0], objectId: only[0], step: "connect", outcome: "done", detail: "both ends answer" },
      { user: only[0], objectId: only[0], step: "act", outcome: "failed", detail: "refused" },
    ];
    const onDemand = { people: only, agreement: { digest: "d", operations: 1 } };
    await fleet.finishWork(work, { result: { run: { ...run, onDemand }, notLetGo: [] }, report: { steps } });
    expect(await ended).toBe(4);
    expect(output()).toMatch(/^connect done {5}both ends answer\nact {5}failed {3}refused\n\n/);
    expect(await fleet.takeReport(work)).toBeNull();
    expect(await cycles()).toBe(before);
  });

  it("pass on for how many people a canary is", async () => {
    await announce();
    const ended = sync({ ...options, canary: 3 }, terminal(folder).io);
    const work = await begun();
    expect(await fleet.findWork(work)).toMatchObject({ kind: "cycle", request: { full: false, canary: 3 } });
    await fleet.finishWork(work, { result: { run: { ...run, outcome: "held" }, notLetGo: [] } });
    expect(await ended).toBe(3);
  });

  it("say what became of a release, and refuse a plan that is not there before anybody is asked", async () => {
    expect(await sync({ ...options, canary: 1, full: true, here: true }, terminal(folder).io)).toBeOneOf([
      0, 3,
    ]);
    await announce();
    const decide = { config, dryRun: false, format: "json", waitSeconds: 0 } as const;
    await expect(release({ ...decide, planId: "no-plan" }, terminal(folder).io)).rejects.toThrow(
      new UsageError(
        'there is no plan "no-plan" in the state database. azure-lattice-sync status shows the held plan. Nothing was done',
      ),
    );
    expect(await fleet.recentWorks(5)).toEqual([]);
  });

  it("have one of them take a cycle back, and show whom it concerns", async () => {
    expect(await sync({ ...options, here: true, full: true }, terminal(folder).io)).toBe(0);
    await announce();
    const [first] = await sql({ url, schema }, "SELECT id, plan_id FROM cycle ORDER BY id LIMIT 1");
    const which = String(first?.id);
    const { io, output } = terminal(folder);
    const ended = revert(
      {
        config,
        which,
        deactivateCreated: true,
        release: true,
        dryRun: false,
        yes: true,
        format: "json",
        waitSeconds: 0,
      },
      io,
    );
    const work = await begun();
    expect(await fleet.findWork(work)).toMatchObject({
      kind: "revert",
      request: { revert: { which, deactivateCreated: true, release: true }, report: true },
    });
    const changes = [{ attribute: "active", before: true, after: false }];
    const person = { objectId: "o", userName: "kim.example@example.com", latticeId: "l" };
    const effect = {
      report: {
        cycleId: 1,
        planId: "p",
        reverts: [{ ...person, changes }],
        changedSince: [],
        cannot: [],
        skipped: [],
      },
      agreement: { digest: "d", operations: 1 },
      passedOver: [],
    };
    await fleet.finishWork(work, {
      result: { run: { ...run, outcome: "done" }, notLetGo: [] },
      report: { revert: effect },
    });
    expect(await ended).toBe(0);
    expect(JSON.parse(output())).toMatchObject({
      cycleId: 1,
      dryRun: false,
      reverts: [{ ...person, changes }],
    });
    expect(await sql({ url, schema }, "SELECT 1 FROM work WHERE report IS NOT NULL")).toEqual([]);
  });

  it("are done here if the daemons are of a version that does not know this kind of work", async () => {
    expect(await sync({ ...options, here: true }, terminal(folder).io)).toBe(0);
    await announce(undefined, 1);
    const { io, notes } = terminal(folder);
    expect(await sync({ ...options, user: [await somebody()], yes: true }, io)).toBe(0);
    expect(notes()).toContain(
      "This process runs the cycle itself: the daemons that have the job default are of an older version, which does not know this kind of work.\n",
    );
    expect(await fleet.recentWorks(5)).toEqual([]);
  });

  it("are done here with --here", async () => {
    expect(await sync({ ...options, here: true }, terminal(folder).io)).toBe(0);
    await announce();
    const { io, notes } = terminal(folder);
    expect(await sync({ ...options, user: [await somebody()], yes: true, here: true }, io)).toBe(0);
    expect(notes()).toBe("");
    expect(await fleet.recentWorks(5)).toEqual([]);
  });

  it("take back what no one has begun when they are interrupted", async () => {
    await announce();
    const interrupt = new AbortController();
    const { io, notes } = terminal(folder);
    const ended = sync(options, { ...io, signal: interrupt.signal });
    ended.catch(() => {});
    while ((await fleet.recentWorks(5)).length === 0) await new Promise((later) => setTimeout(later, 20));
    interrupt.abort(new InterruptedError("stopped by the test"));
    await expect(ended).rejects.toThrow("stopped by the test");
    expect(notes()).toBe("No daemon had begun the cycle, so it will not be run.\n");
    expect(await fleet.recentWorks(5)).toEqual([]);
    expect(await queue.take("asked-2", 1, [])).toEqual([]);
  });
});

it("a configuration is the same on two machines, wherever its files are", () => {
  const digest = (cwd: string, changed: object = {}): string => {
    const { entra, lattice } = { entra: { tenantId: sandbox.tenantId }, lattice: { token: "a secret" } };
    writeFileSync(
      join(cwd, config),
      JSON.stringify({ entra, lattice, mapping: "m.yaml", state: { url }, ...changed }),
      {
        mode: 0o600,
      },
    );
    writeFileSync(join(cwd, "m.yaml"), "attributes:\n  - target: userName\n    source: userPrincipalName\n");
    return configurationDigest(loadConfig({ file: config, env: {}, cwd }));
  };
  expect(digest(workplace())).toBe(digest(workplace()));
  expect(digest(workplace(), { lattice: { token: "another" } })).toBe(digest(workplace()));
  expect(digest(workplace(), { log: { level: "debug" } })).toBe(digest(workplace()));
  const withFiles = (cwd: string, name: string): string => {
    for (const file of ["key.pem", "secret", "key"])
      writeFileSync(join(cwd, `${name}${file}`), `https://example.com/${name}`, { mode: 0o600 });
    return digest(cwd, {
      entra: { certificate: { path: `${name}key.pem`, passwordFile: `${name}secret` } },
      lattice: { tokenFile: `${name}key` },
      notify: { ping: { urlFile: `${name}key` } },
    });
  };
  expect(withFiles(workplace(), "a")).toBe(withFiles(workplace(), "b"));
  expect(withFiles(workplace(), "a")).not.toBe(
    digest(workplace(), { notify: { ping: { url: "https://example.com/a" } } }),
  );
  expect(digest(workplace(), { onNull: "clear" })).not.toBe(digest(workplace(), { onNull: "keep" }));
});
