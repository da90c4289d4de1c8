import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { UsageError } from "../../src/domain/errors.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { startFront } from "../process/front.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { until } from "./http/running-daemon.ts";
import { jobIn, startJobs } from "./several-jobs.ts";

let companies: readonly Sandbox[];
beforeAll(async () => {
  companies = await Promise.all(
    [1, 2, 3, 4, 5].map((seed) => startSandbox({ file: ":memory:", people: 20, seed })),
  );
});
afterAll(() => Promise.all(companies.map((company) => company.close())));

function company(number: number): Sandbox {
  const found = companies[number];
  if (found === undefined) throw new Error(`no company ${number}`);
  return found;
}

const unguarded = { enabled: false };

describe("a job that fails", () => {
  it("leaves the others alone: one is well, one's Lattice is down, one's key is wrong, one is flooded, one's database is damaged", async () => {
    const jobs = {
      well: jobIn(company(0), { guard: unguarded }),
      down: jobIn(company(1), { guard: unguarded, lattice: { url: "http://127.0.0.1:9/scim/v2" } }),
      refused: jobIn(company(2), { guard: unguarded, lattice: { token: "wrong" } }),
      flooded: jobIn(company(3)),
      damaged: jobIn(company(4), { guard: unguarded }),
      misread: jobIn(company(4), { guard: unguarded, lattice: { token: undefined, tokenFile: "gone.key" } }),
    };
    await using daemon = await startJobs(jobs, {
      prepare: (folder) => {
        mkdirSync(join(folder, "state"));
        writeFileSync(join(folder, "state/damaged.db"), Buffer.alloc(9_000, 7));
      },
    });
    await daemon.ended("well", "down", "refused", "flooded");
    for (const { id } of [...company(3).directory.users()].slice(0, 15)) company(3).directory.softDelete(id);
    expect((await daemon.post("/api/jobs/flooded/cycles")).status).toBe(202);
    await until(() => daemon.lines("cycle finished", "flooded").length === 2);
    const listed = new Map((await daemon.jobs()).map((job) => [job.name, job]));
    expect([...listed.keys()]).toEqual(Object.keys(jobs));
    expect(listed.get("well")).toMatchObject({
      open: true,
      fault: null,
      heldOperations: 0,
      lastCycle: { outcome: "done" },
    });
    expect([...company(0).lattice.accounts()].length).toBeGreaterThan(10);
    expect(listed.get("down")).toMatchObject({
      open: true,
      quarantine: null,
      lastCycle: { outcome: "failed" },
    });
    expect(listed.get("refused")).toMatchObject({
      open: true,
      quarantine: { reason: expect.stringContaining("401") },
    });
    expect(listed.get("flooded")?.heldOperations).toBeGreaterThan(5);
    expect(listed.get("damaged")).toMatchObject({
      open: false,
      fault: { reason: expect.stringMatching(/damaged\.db/) },
    });
    expect(listed.get("misread")).toMatchObject({
      open: false,
      fault: {
        reason: expect.stringMatching(
          /config\.yaml:1:\d+: jobs\.misread\.lattice\.tokenFile names gone\.key/,
        ),
      },
    });

    const fleet = (await (await daemon.get("/api/fleet")).json()) as {
      jobs: readonly { name: string; condition: string; workers: unknown }[];
    };
    expect(fleet).toMatchObject({ shared: false, workers: [] });
    expect(fleet.jobs.map(({ name, condition, workers }) => [name, condition, workers])).toEqual([
      ["down", "failing", null],
      ["damaged", "failing", null],
      ["misread", "failing", null],
      ["refused", "quarantined", null],
      ["flooded", "held", null],
      ["well", "idle", null],
    ]);

    expect((await daemon.get("/healthz")).status).toBe(200);
    const ready = await daemon.get("/readyz");
    // A held plan is a cycle that ended well.
    expect([ready.status, await ready.json()]).toEqual([503, { status: "not ready", jobs: 6, notReady: 4 }]);
    const unopened = await daemon.get("/api/jobs/damaged/now");
    expect([unopened.status, ((await unopened.json()) as { error: string }).error]).toEqual([
      503,
      expect.stringMatching(/^The job damaged could not be opened: .*damaged\.db/),
    ]);
    const metrics = await (await daemon.get("/metrics")).text();
    expect(metrics).toMatch(/^azure_lattice_sync_job_failing\{sync_job="well"\} 0$/m);
    expect(metrics).toMatch(/^azure_lattice_sync_job_failing\{sync_job="damaged"\} 1$/m);
    expect(metrics).toMatch(/^azure_lattice_sync_quarantine\{sync_job="refused"\} 1$/m);
    expect(metrics).toMatch(/^azure_lattice_sync_quarantine\{sync_job="well"\} 0$/m);
    expect(metrics).toMatch(/^azure_lattice_sync_guard_held\{sync_job="flooded"\} 1$/m);
    expect(metrics).toMatch(/^azure_lattice_sync_state_readable\{sync_job="damaged"\} 0$/m);

    for (const name of Object.keys(jobs))
      expect(daemon.lines('"level":', name).length, name).toBeGreaterThan(0);
    expect(daemon.lines("cycle finished").every(({ job }) => typeof job === "string")).toBe(true);
  });

  it("is tried again every minute, without a word about a fault that is known", async () => {
    const jobs = {
      well: jobIn(company(0)),
      late: jobIn(company(1), { guard: unguarded, lattice: { token: undefined, tokenFile: "late.key" } }),
    };
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      await using daemon = await startJobs(jobs);
      const said = (): number => daemon.lines("could not be opened", "late").length;
      expect(said()).toBe(1);
      vi.advanceTimersByTime(60_000);
      // The retry reads files only: its end is seen in the next one, which opens the job.
      writeFileSync(join(daemon.folder, "late.key"), company(1).latticeToken, { mode: 0o600 });
      await until(async () => {
        vi.advanceTimersByTime(60_000);
        return (await daemon.jobs())[1]?.open === true;
      });
      await daemon.ended("late");
      expect(said()).toBe(1);
      expect((await daemon.jobs())[1]).toMatchObject({ fault: null, lastCycle: { outcome: "done" } });
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends the start if it is the only one, and so do jobs that are all configured wrong", async () => {
    const only = startJobs({ emea: jobIn(company(0), { drift: "never" }) });
    await expect(only).rejects.toThrow(/jobs\.emea\.drift must be one of/);
    const copies = startJobs({ emea: jobIn(company(0)), us: jobIn(company(0)) });
    await expect(copies).rejects.toThrow(UsageError);
    await expect(copies).rejects.toThrow(/the jobs emea and us write to the same Lattice company/);
  });
});

describe("two jobs that write to one Lattice company by two API keys", () => {
  const sharing = /the jobs \w+ and \w+ write to the same Lattice company by different API keys/;

  /** The sections of a job whose key the company takes as it takes that of another job. */
  async function withAnotherKey(
    sandbox: Sandbox,
    stack: AsyncDisposableStack,
    more: object,
  ): Promise<object> {
    const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
    front.rewrite = (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${sandbox.latticeToken}` },
    });
    return jobIn(sandbox, { ...more, lattice: { url: `${front.origin}/scim/v2`, token: "a-second-key" } });
  }

  it.each(["SQLite", "PostgreSQL"])(
    "are refused with a sentence that names both, on %s, and the first goes on",
    async (store) => {
      await using stack = new AsyncDisposableStack();
      const sandbox = stack.adopt(await startSandbox({ file: ":memory:", people: 20, seed: 77 }), (one) =>
        one.close(),
      );
      const shared = store === "SQLite" ? {} : { state: { url: stack.use(await ownDatabase()).url } };
      const first = jobIn(sandbox, { guard: unguarded });
      const daemon = stack.use(await startJobs({ first }, { shared }));
      await daemon.ended("first");
      const accounts = (): number => [...sandbox.lattice.accounts()].length;
      const before = accounts();
      expect(before).toBeGreaterThan(10);
      const second = await withAnotherKey(sandbox, stack, { guard: unguarded });
      daemon.configure({ first, second }, shared);
      await daemon.hangUp("job opened");
      await daemon.ended("second");
      expect(daemon.lines("cycle failed", "second")[0]?.error).toMatch(sharing);
      expect(daemon.lines("cycle failed", "second")[0]?.error).toMatch(/lattice\.sharedWith of each/);
      const [person] = sandbox.directory.users();
      sandbox.directory.updateUser(person?.id ?? "", { jobTitle: "Changed" });
      expect((await daemon.post("/api/jobs/first/cycles", { full: true })).status).toBe(202);
      await until(() => daemon.lines("cycle finished", "first").length === 2);
      expect(accounts()).toBe(before);
      expect(daemon.lines("cycle failed", "first")).toEqual([]);
    },
  );
});

describe("the addresses of jobs", () => {
  it("name the job; those without one are of the job default, or say where to look", async () => {
    await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.ended("emea", "us");
    const error = async (path: string): Promise<unknown> => {
      const answer = await daemon.get(path);
      return [answer.status, ((await answer.json()) as { error: string }).error];
    };
    expect(await error("/api/now")).toEqual([404, expect.stringMatching(/several jobs.*\/api\/jobs/)]);
    expect(await error("/api/jobs/uk/now")).toEqual([404, expect.stringMatching(/no job of this name/)]);
    for (const path of ["now", "days", "log", "people?text=a", "left-alone", "rejected", "works"]) {
      expect((await daemon.get(`/api/jobs/us/${path}`)).status, path).toBe(200);
    }
    const begun = await daemon.post("/api/jobs/us/cycles", { dryRun: true });
    expect(begun.status).toBe(202);
    const { work } = (await begun.json()) as { work: string };
    expect((await daemon.get(`/api/jobs/us/works/${work}`)).status).toBe(200);
    expect((await daemon.get(`/api/jobs/emea/works/${work}`)).status).toBe(404);
    expect(daemon.lines("requested over HTTP")).toMatchObject([
      { job: "us", route: "/api/jobs/:job/cycles" },
    ]);
  });

  it("work without a name if one of the jobs is called default", async () => {
    await using daemon = await startJobs({ default: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.ended("default");
    expect((await daemon.get("/api/now")).status).toBe(200);
    expect(readFileSync(join(daemon.folder, "state/azure-lattice-sync.db")).length).toBeGreaterThan(0);
  });
});

describe("SIGHUP", () => {
  const reloads = async (daemon: Awaited<ReturnType<typeof startJobs>>): Promise<string> =>
    (await (await daemon.get("/metrics")).text())
      .split("\n")
      .filter((line) => line.includes("config_reloads_total{"))
      .join(" ");

  it("adds, removes and changes jobs", async () => {
    await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.ended("emea", "us");
    daemon.configure({ us: jobIn(company(1), { onNull: "keep" }), apac: jobIn(company(2)) });
    await daemon.hangUp("job opened");
    await daemon.ended("apac");
    expect((await daemon.jobs()).map(({ name }) => name)).toEqual(["us", "apac"]);
    expect(daemon.lines("no longer in the configuration", "emea")).toHaveLength(1);
    expect(daemon.lines("configuration reloaded", "us")).toMatchObject([{ changed: ["onNull"] }]);
    expect(await reloads(daemon)).toMatch(/applied"\} 1 .*refused"\} 0/);
    const metrics = await (await daemon.get("/metrics")).text();
    expect(metrics).not.toMatch(/people\{[^}]*sync_job="emea"/);
    expect(metrics).toMatch(/people\{[^}]*sync_job="apac"/);
  });

  it("keeps the previous configuration of a job with a fault, and changes the others", async () => {
    await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.ended("emea", "us");
    daemon.configure({
      emea: jobIn(company(0), { drift: "never" }),
      us: jobIn(company(1), { onNull: "keep" }),
    });
    await daemon.hangUp('"job":"us","changed"');
    const listed = await daemon.jobs();
    expect(listed[0]).toMatchObject({
      open: true,
      fault: { reason: expect.stringContaining("jobs.emea.drift") },
    });
    expect(daemon.lines("configuration not reloaded", "emea")).toHaveLength(1);
    expect(await reloads(daemon)).toMatch(/applied"\} 0 .*refused"\} 1/);
    expect((await daemon.post("/api/jobs/emea/cycles")).status).toBe(202);
    daemon.configure({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.hangUp('"job":"emea","changed"');
    expect((await daemon.jobs())[0]?.fault).toBeNull();
  });

  it("never opens a job in the database, or with the key, that another one has in force", async () => {
    await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    await daemon.ended("emea", "us");
    // The file of emea changes with a restart only, so it is still in use.
    const moved = jobIn(company(0), { state: { path: "state/moved.db" } });
    const heir = jobIn(company(2), { state: { path: "state/emea.db" } });
    daemon.configure({ emea: moved, us: jobIn(company(1)), heir });
    await daemon.hangUp('"job":"heir"');
    expect((await daemon.jobs())[2]).toMatchObject({
      open: false,
      fault: { reason: expect.stringMatching(/[Tt]he jobs heir and emea have one state database/) },
    });
    // The configuration of emea is not valid, so its key is still in use.
    daemon.configure({ emea: jobIn(company(3), { drift: "never" }), us: jobIn(company(0)) });
    await daemon.hangUp('"job":"us"');
    expect((await daemon.jobs())[1]).toMatchObject({
      open: true,
      fault: {
        reason: expect.stringMatching(
          /[Tt]he jobs (?:us and emea|emea and us) write to the same Lattice company/,
        ),
      },
    });
  });

  it.each(["SQLite", "PostgreSQL"])(
    "sends nothing if two jobs exchange their companies in one reload, on %s",
    async (store) => {
      await using stack = new AsyncDisposableStack();
      const shared = store === "SQLite" ? {} : { state: { url: stack.use(await ownDatabase()).url } };
      const [one, other] = await Promise.all(
        [78, 79].map(async (seed) =>
          stack.adopt(await startSandbox({ file: ":memory:", people: 20, seed }), (sandbox) =>
            sandbox.close(),
          ),
        ),
      );
      if (one === undefined || other === undefined) throw new Error("no companies");
      const daemon = stack.use(await startJobs({ emea: jobIn(one), us: jobIn(other) }, { shared }));
      await daemon.ended("emea", "us");
      const sent: string[] = [];
      for (const sandbox of [one, other]) {
        sandbox.onRequest = ({ host, method, path }) => {
          if (host === "lattice" && method !== "GET") sent.push(`${method} ${path}`);
          return undefined;
        };
        const [person] = sandbox.directory.users();
        sandbox.directory.updateUser(person?.id ?? "", { jobTitle: "Changed" });
      }
      const latticeOf = ({ latticeUrl, latticeToken }: Sandbox): object => ({
        url: latticeUrl,
        token: latticeToken,
      });
      const exchanged = {
        emea: jobIn(one, { lattice: latticeOf(other) }),
        us: jobIn(other, { lattice: latticeOf(one) }),
      };
      daemon.configure(exchanged, shared);
      await daemon.hangUp('"job":"us","changed"');
      for (const job of ["emea", "us"]) {
        await until(async () => (await daemon.post(`/api/jobs/${job}/cycles`)).status === 202);
        await until(() => daemon.lines("work failed", job).length > 0);
        expect(daemon.lines("work failed", job)[0]?.error).toMatch(/^This Lattice is not the company of/);
      }
      expect(sent).toEqual([]);
    },
  );

  it("says that a configuration of another form needs a restart", async () => {
    await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
    writeFileSync(join(daemon.folder, "config.yaml"), JSON.stringify(jobIn(company(0))), { mode: 0o600 });
    await daemon.hangUp("needs a restart of the daemon");
    expect((await daemon.jobs()).map(({ name }) => name)).toEqual(["emea", "us"]);
  });
});

it("20 jobs of which two may work at a time all have their cycle at the start, two at a time", async () => {
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, seed) => startSandbox({ file: ":memory:", people: 20, seed: seed + 100 })),
  );
  try {
    const names = many.map((_, number) => `job-${number}`);
    const jobs = Object.fromEntries(
      many.map((sandbox, number) => [names[number], jobIn(sandbox, { guard: unguarded })]),
    );
    await using daemon = await startJobs(jobs, { shared: { workers: { maxJobsAtOnce: 2 } } });
    await daemon.ended(...names);
    let running = 0;
    let most = 0;
    for (const { msg } of daemon.lines('"msg":"cycle ')) {
      running += msg === "cycle started" ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
    expect(daemon.lines("cycle finished").map(({ outcome }) => outcome)).toEqual(names.map(() => "done"));
    expect((await daemon.get("/readyz")).status).toBe(200);
  } finally {
    await Promise.all(many.map((sandbox) => sandbox.close()));
  }
});

it("stops all jobs, each after its writes in flight", async () => {
  await using daemon = await startJobs({ emea: jobIn(company(0)), us: jobIn(company(1)) });
  expect(await daemon.stop()).toBe(0);
  expect(daemon.lines('"msg":"stopped"')).toHaveLength(1);
  rmSync(join(daemon.folder, "state"), { recursive: true });
});
