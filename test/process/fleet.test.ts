import { hostname } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { sql } from "../state/postgres/sql.ts";
import { startFront } from "./front.ts";
import { configuration, makeWorkplace, type RealProcess, type Workplace } from "./real-process.ts";

const headers = { "x-requested-by": "test", authorization: "Bearer one-token-for-all-replicas" };
const people = 40;

interface Replica {
  readonly process: RealProcess;
  readonly url: string;
}

let stack: AsyncDisposableStack;
let place: Workplace;
let sandbox: Sandbox;
let database: { readonly url: string; readonly schema: string };
let sent: { readonly method: string; readonly path: string; readonly body: string }[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  sandbox = stack.adopt(await startSandbox({ file: ":memory:", people }), (one) => one.close());
  place = stack.use(makeWorkplace());
  database = { url: stack.use(await ownDatabase()).url, schema: "azure_lattice_sync" };
  sent = [];
  sandbox.onRequest = ({ host, method, path, body }) => {
    if (host === "lattice" && method !== "GET") sent.push({ method, path, body });
    return undefined;
  };
});

afterEach(() => stack.disposeAsync());

async function replica(more: object = {}, name = "config.yaml"): Promise<Replica> {
  const file = place.configure(
    configuration(
      { sandbox, statePath: "" },
      {
        state: { url: database.url },
        http: { listen: "127.0.0.1:0", token: "one-token-for-all-replicas" },
        log: { level: "info", format: "json" },
        workers: { lease: "6s" },
        lattice: {
          url: sandbox.latticeUrl,
          token: sandbox.latticeToken,
          maxRequestsPerSecond: 20,
          maxConcurrency: 2,
          timeout: "2s",
        },
        ...more,
      },
    ),
    name,
  );
  const process = place.start(["daemon", "--config", file], { LOG_LEVEL: "" });
  stack.defer(async () => {
    process.child.kill("SIGKILL");
    await process.ended;
  });
  await process.said(/"msg":"daemon started"/);
  return { process, url: /"http":"(?<url>[^"]+)"/.exec(process.stderr())?.groups?.url ?? "" };
}

async function get<T>({ url }: Replica, path: string): Promise<T> {
  const answer = await fetch(`${url}/api${path}`, { headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json() as Promise<T>;
}

async function until<T>(
  what: string,
  found: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const since = performance.now();
  for (;;) {
    const answer = await found();
    if (answer !== false && answer !== undefined) return answer;
    if (performance.now() - since > 100_000) throw new Error(`not within 100 seconds: ${what}`);
    await new Promise((later) => setTimeout(later, 100));
  }
}

/** By how much this machine is late at most, milliseconds: it runs other programs too. */
function lateness(): { end(): number } {
  const everyMs = 50;
  let most = 0;
  let at = performance.now();
  const timer = setInterval(() => {
    most = Math.max(most, performance.now() - at - everyMs);
    at = performance.now();
  }, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      return most;
    },
  };
}

interface Workers {
  readonly workers: readonly { readonly alive: boolean }[];
}

interface Works {
  readonly works: readonly {
    readonly id: string;
    readonly kind: string;
    readonly trigger: string;
    readonly finishedAt: string | null;
    readonly error: string | null;
    readonly result: { readonly outcome: string } | null;
  }[];
}

/** People for whom more than one account was asked for. */
const accountsMadeTwice = (): readonly string[] => {
  const ids = sent
    .filter(({ method }) => method === "POST")
    .map(({ body }) => String(JSON.parse(body).externalId));
  return ids.filter((id, index) => ids.indexOf(id) !== index);
};

const created = (): number => sent.filter(({ method }) => method === "POST").length;
const cycles = ({ process }: Replica): number =>
  process.stderr().match(/"msg":"cycle finished"/g)?.length ?? 0;

describe.skipIf(process.platform === "win32")("daemons that share a database", () => {
  it("run each cycle once between them, and all show it", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", () => cycles(a) + cycles(b) > 0);
    const shown = await until("its end on both", async () => {
      const works = await Promise.all([a, b].map((one) => get<Works>(one, "/works")));
      return works.every(({ works: [first] }) => first?.finishedAt != null) && works;
    });
    expect(shown[0]).toEqual(shown[1]);
    expect(shown[0]?.works).toMatchObject([
      { kind: "cycle", trigger: "schedule", result: { outcome: "done" } },
    ]);
    expect(accountsMadeTwice()).toEqual([]);
    const [people] = await sql(
      database,
      "SELECT count(*)::int AS all, count(DISTINCT object_id)::int AS different FROM target_user WHERE object_id IS NOT NULL",
    );
    expect(people?.all).toBe(people?.different);
    expect(cycles(a) + cycles(b)).toBe(1);
  });

  it("do what a person asks any of them for, and all show its progress and result", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const answer = await fetch(`${b.url}/api/cycles`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ dryRun: true }),
    });
    const { work } = (await answer.json()) as { work: string };
    expect(answer.status).toBe(202);
    const second = await fetch(`${a.url}/api/cycles`, { method: "POST", headers });
    expect(second.status).toBe(409);
    await until("the result on the other one", async () =>
      (await get<Works>(a, "/works")).works.find(({ id, finishedAt }) => id === work && finishedAt !== null),
    );
    const plan = await get<{ total: number }>(a, `/works/${work}/operations`);
    expect(plan).toEqual(await get(b, `/works/${work}/operations`));

    const [somebody] = await sql(
      database,
      "SELECT object_id FROM target_user WHERE active ORDER BY object_id LIMIT 1",
    );
    const body = { only: [somebody?.object_id], deactivateCreated: true };
    const revert = (more: object) =>
      fetch(`${a.url}/api/cycles/1/revert`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ ...body, ...more }),
      });
    const ended = async (started: Response) => {
      const { work: id } = (await started.json()) as { work: string };
      return until("its end on the other one", async () =>
        (await get<Works>(b, "/works")).works.find((one) => one.id === id && one.finishedAt !== null),
      );
    };
    const shown = await ended(await revert({ dryRun: true }));
    expect(shown).toMatchObject({ kind: "dryRun", error: null, result: { revert: { operations: 1 } } });
    expect(await get(b, `/works/${shown.id}/left`)).toMatchObject({
      left: [{ objectId: somebody?.object_id, why: "cannot" }],
    });
    const { agreed } = (shown.result as unknown as { revert: { agreed: string } }).revert;
    expect(await ended(await revert({ agreed }))).toMatchObject({
      kind: "revert",
      error: null,
      result: { outcome: "done", done: 1, revert: { agreed } },
    });
    const rows = await sql(database, "SELECT result->'run' AS run FROM work WHERE kind = 'revert'");
    expect(rows).toEqual([{ run: null }]);
  });

  it("run the cycle that a command line asks for, which ends with its report", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const [user] = [...sandbox.directory.users()];
    if (user === undefined) throw new Error("nobody is there");
    sandbox.directory.updateUser(user.id, { jobTitle: "Asked for by hand" });
    const before = cycles(a) + cycles(b);
    const asked = place.start(["sync", "--config", "config.yaml", "--format", "json"]);
    const { code, stdout, stderr } = await asked.ended;
    expect(stderr).toMatch(/^The daemon on \S+ (runs|ran) this cycle\.\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      summary: { update: 1 },
      operations: [{ action: "update", objectId: user.id, status: "done" }],
    });
    expect(code).toBe(0);
    await until("the cycle in a daemon's log", () => cycles(a) + cycles(b) === before + 1);
  });

  it("do what commands ask for single people, a canary, a release and a revert, which end as they would alone", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const rows = await sql(
      database,
      "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 4",
    );
    const users = rows.map(({ id }) => String(id));
    for (const id of users) sandbox.directory.updateUser(id, { jobTitle: "Asked for by hand" });
    const [one] = users;
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await place.start([
        ...args,
        "--config",
        "config.yaml",
        "--format",
        "json",
      ]).ended;
      expect(stderr).toMatch(/^The daemon on \S+ (runs|ran) this cycle\.\n/);
      return { code, stderr, shown: JSON.parse(stdout) };
    };
    const onDemand = await ask("sync", "--user", one ?? "", "--yes");
    expect(onDemand).toMatchObject({
      code: 0,
      shown: {
        summary: { update: 1 },
        operations: [{ action: "update", objectId: one, status: "done" }],
      },
    });
    expect(onDemand.shown.steps.map(({ step }: { step: string }) => step)).toContain("act");
    const canary = await ask("sync", "--canary", "1");
    expect(canary).toMatchObject({ code: 3, shown: { summary: { update: 3 } } });
    const released = await ask("release", canary.shown.planId);
    expect(released).toMatchObject({ code: 0, shown: { summary: { update: 2 } } });
    expect(released.stderr).toContain("Released: 2 people. Rejected: 0 people.\n");
    const taken = await ask("revert", released.shown.planId, "--yes", "--reason", "ticket-4711");
    expect(taken).toMatchObject({ code: 0, shown: { dryRun: false, run: { outcome: "done", done: 2 } } });
    expect(taken.shown.reverts).toHaveLength(2);
    const works = await get<Works>(a, "/works");
    expect(works.works.slice(0, 4).map(({ kind }) => kind)).toEqual([
      "revert",
      "release",
      "cycle",
      "onDemand",
    ]);
    expect(await sql(database, "SELECT 1 FROM work WHERE report IS NOT NULL")).toEqual([]);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "go on with a release whose daemon ends by %s, and send each change once",
    async (signal) => {
      const [a, b] = [await replica(), await replica({}, "b.yaml")];
      await until(
        "the first cycle",
        async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null,
      );
      const rows = await sql(
        database,
        "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 25",
      );
      for (const { id } of rows) sandbox.directory.updateUser(String(id), { jobTitle: "Asked for by hand" });
      const updates = (): readonly string[] =>
        sent.filter(({ method }) => method === "PATCH" || method === "PUT").map(({ path }) => path);
      const before = updates().length;
      const config = ["--config", "config.yaml", "--format", "json"];
      const canary = await place.start(["sync", "--canary", "1", ...config]).ended;
      const { planId } = JSON.parse(canary.stdout) as { planId: string };
      const released = updates().length;
      const release = place.start(["release", planId, ...config]);
      await until("the first change", () => updates().length > released + 2);
      const [work] = await sql(database, "SELECT worker FROM work WHERE kind = 'release'");
      const workers = await sql(database, "SELECT id FROM worker ORDER BY started_at");
      const runs = workers[0]?.id === work?.worker ? a : b;
      runs.process.child.kill(signal);
      const { code, stdout, stderr } = await release.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toContain("The daemon that began to carry out this decision ended before it was done.");
      expect(await sql(database, "SELECT error FROM work WHERE kind = 'release'")).toEqual([{ error: null }]);
      const titles = [...sandbox.lattice.accounts()].filter((account) =>
        JSON.stringify(account).includes("Asked for by hand"),
      );
      expect(titles).toHaveLength(25);
      // Writes that a killed daemon had in flight are looked up, not sent again.
      expect(new Set(updates().slice(before)).size).toBe(25);
      expect(updates().slice(before)).toHaveLength(25);
    },
  );

  it("go on with a revert whose daemon is stopped when a part of it is sent", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const rows = await sql(
      database,
      "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 25",
    );
    for (const { id } of rows) sandbox.directory.updateUser(String(id), { jobTitle: "A mistake" });
    const config = ["--config", "config.yaml", "--format", "json"];
    const changed = await place.start(["sync", ...config]).ended;
    const { planId } = JSON.parse(changed.stdout) as { planId: string };
    const wrong = (): number =>
      [...sandbox.lattice.accounts()].filter((account) => JSON.stringify(account).includes("A mistake"))
        .length;
    expect(wrong()).toBe(25);
    const revert = place.start(["revert", planId, "--yes", ...config]);
    await until("the first change", () => wrong() < 23);
    const [work] = await sql(database, "SELECT worker FROM work WHERE kind = 'revert'");
    const [first] = await sql(database, "SELECT id FROM worker ORDER BY started_at");
    (first?.id === work?.worker ? a : b).process.child.kill("SIGTERM");
    expect(await revert.ended).toMatchObject({ code: 0 });
    expect(wrong()).toBe(0);
    const [ended] = await sql(database, "SELECT error, worker FROM work WHERE kind = 'revert'");
    expect(ended?.error).toBeNull();
    expect(ended?.worker).not.toBe(work?.worker);
  });

  it("go on with exactly the revert that a person agreed to, if its daemon is killed when half of it is sent, and send each change once", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const rows = await sql(
      database,
      "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 25",
    );
    for (const { id } of rows) sandbox.directory.updateUser(String(id), { jobTitle: "A mistake" });
    const changed = await place.start(["sync", "--config", "config.yaml", "--format", "json"]).ended;
    const { planId } = JSON.parse(changed.stdout) as { planId: string };
    const wrong = (): number =>
      [...sandbox.lattice.accounts()].filter((account) => JSON.stringify(account).includes("A mistake"))
        .length;
    expect(wrong()).toBe(25);
    const ask = async (body: object): Promise<string> => {
      const answer = await fetch(`${b.url}/api/cycles/${planId}/revert`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(202);
      return ((await answer.json()) as { readonly work: string }).work;
    };
    const endOf = (one: Replica, id: string) =>
      until("its end", async () =>
        (await get<Works>(one, "/works")).works.find((work) => work.id === id && work.finishedAt !== null),
      );
    const shown = await endOf(b, await ask({ dryRun: true }));
    const { agreed } = (shown.result as unknown as { revert: { agreed: string } }).revert;
    const before = sent.length;
    const revert = await ask({ agreed });
    await until("half of it", () => wrong() <= 13);
    const [work] = await sql(database, "SELECT worker FROM work WHERE kind = 'revert'");
    const [first] = await sql(database, "SELECT id FROM worker ORDER BY started_at");
    const [dies, lives] = first?.id === work?.worker ? [a, b] : [b, a];
    dies.process.child.kill("SIGKILL");
    expect(await endOf(lives, revert)).toMatchObject({ error: null, result: { outcome: "done" } });
    expect(wrong()).toBe(0);
    const updates = sent.slice(before).map(({ path }) => path);
    expect(new Set(updates).size).toBe(25);
    expect(updates).toHaveLength(25);
  });

  it("know who of them lives and works, and who is signed in at any of them", async () => {
    const [a, b] = [await replica(), await replica({}, "b.yaml")];
    const { workers } = await until("both", async () => {
      const found = await get<Workers>(a, "/fleet");
      return found.workers.length === 2 && found;
    });
    expect(workers).toMatchObject([
      { alive: true, jobs: ["default"], self: true },
      { alive: true, jobs: ["default"], self: false },
    ]);
    expect(await get(b, "/fleet")).toMatchObject({
      workers: [{ missing: false }, { missing: false }],
      jobs: [{ name: "default", workers: [hostname(), hostname()], overdueSeconds: 0 }],
    });
    expect(await get(b, "/now")).toMatchObject({ workers: [hostname(), hostname()] });
    const metrics = await (await fetch(`${b.url}/metrics`, { headers })).text();
    expect(metrics).toContain("\nazure_lattice_sync_job_workers 2\n");
    expect(metrics).toContain('\nazure_lattice_sync_workers{state="alive"} 2\n');
    const page = { "x-requested-by": "test", "content-type": "application/json" };
    const signIn = await fetch(`${a.url}/api/session`, {
      method: "POST",
      headers: page,
      body: JSON.stringify({ token: "one-token-for-all-replicas" }),
    });
    const cookie = signIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const now = async ({ url }: Replica): Promise<number> =>
      (await fetch(`${url}/api/now`, { headers: { cookie } })).status;
    expect([await now(a), await now(b)]).toEqual([200, 200]);
    await fetch(`${a.url}/api/session`, {
      method: "DELETE",
      headers: { "x-requested-by": "test", cookie },
    });
    expect(await now(a)).toBe(401);
    await until("the end of the session", async () => (await now(b)) === 401);
    b.process.child.kill("SIGTERM");
    await b.process.ended;
    await until("one alone", async () => (await get<Workers>(a, "/fleet")).workers.length === 1);
  });

  it("go on with the cycle of one that was killed within 15 seconds of their start, and create no one twice", async () => {
    const a = await replica();
    let isKilled = false;
    const killed = new Promise<void>((resolve) => {
      sandbox.onRequest = ({ host, method, path, body }) => {
        if (host !== "lattice" || method === "GET") return undefined;
        sent.push({ method, path, body });
        if (created() === 5 && !isKilled) {
          isKilled = true;
          a.process.child.kill("SIGKILL");
          resolve();
        }
        return undefined;
      };
    });
    await killed;
    const before = created();
    await replica({}, "b.yaml");
    // A busy machine takes long to start it, and is late with all that it does then.
    const startedAt = performance.now();
    const late = lateness();
    await until("the first request of the other one", () => created() > before);
    expect(performance.now() - startedAt).toBeLessThan(15_000 + late.end());
    await until(
      "the end",
      async () => (await sql(database, "SELECT 1 FROM cycle WHERE outcome = 'done'")).length > 0,
    );
    expect(accountsMadeTwice()).toEqual([]);
    const [{ works } = { works: [] }] = [
      await sql(database, "SELECT error FROM work WHERE error IS NOT NULL"),
    ].map((rows) => ({ works: rows }));
    expect(works).toEqual([{ error: "The daemon ended while it ran." }]);
  });

  it("take the cycle of the one that was killed in it over within 15 seconds of its last sign of life, and send each change once", async () => {
    const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
    const lattice = {
      url: `${front.origin}/scim/v2`,
      token: sandbox.latticeToken,
      maxRequestsPerSecond: 20,
      maxConcurrency: 2,
      timeout: "2s",
    };
    const [a, b] = [await replica({ lattice }), await replica({ lattice }, "b.yaml")];
    await until("the first cycle", async () => (await get<Works>(b, "/works")).works[0]?.finishedAt != null);
    const rows = await sql(
      database,
      "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 25",
    );
    for (const { id } of rows) sandbox.directory.updateUser(String(id), { jobTitle: "Due by the schedule" });
    const before = sent.length;
    const killed = Promise.withResolvers<number>();
    let writes = 0;
    // The request on which the active one is killed is carried out by Lattice all the same.
    front.before = async ({ method }) => {
      if (method === "GET") return undefined;
      writes += 1;
      if (writes !== 5) return undefined;
      const [turn] = await sql(database, "SELECT worker FROM turn WHERE ended_at IS NULL");
      const [first] = await sql(database, "SELECT id FROM worker ORDER BY started_at");
      const active = first?.id === turn?.worker ? a : b;
      active.process.child.kill("SIGKILL");
      await active.process.ended;
      const [sign] = await sql(
        database,
        "SELECT extract(epoch FROM heartbeat_on) * 1000 AS at FROM azure_lattice_sync_queue.job WHERE name = 'schedule' AND state = 'active'",
      );
      killed.resolve(Number(sign?.at));
      return undefined;
    };
    const late = lateness();
    await sql(database, "UPDATE turn SET started_at = started_at - 3600000, again_at = NULL");
    const lastSignAt = await killed.promise;
    const [died] = await sql(database, "SELECT worker FROM turn");
    const turn = await until("the other one", async () => {
      const [now] = await sql(database, "SELECT worker, started_at AS at FROM turn");
      return now?.worker !== died?.worker && now;
    });
    // By the server's clock. A machine that is late with all it does is late with this too.
    expect(Number(turn.at) - lastSignAt).toBeLessThan(15_000 + late.end());
    await until("the end", async () => {
      const [now] = await sql(database, "SELECT ended_at FROM turn");
      return now?.ended_at !== null;
    });
    const updates = sent.slice(before).map(({ path }) => path);
    expect(new Set(updates).size).toBe(25);
    expect(updates).toHaveLength(25);
    const [last] = await sql(database, "SELECT outcome FROM cycle ORDER BY id DESC LIMIT 1");
    expect(last).toEqual({ outcome: "done" });
  });

  it("let one that was stopped for longer than its lease send nothing more", async () => {
    const a = await replica();
    await until("some accounts", () => created() >= 5);
    a.process.child.kill("SIGSTOP");
    const b = await replica({}, "b.yaml");
    await until(
      "the takeover",
      () => /"msg":"cycle (started|begins)|plan/i.test(b.process.stderr()) || created() > 10,
    );
    const before = a.process.stderr().length;
    a.process.child.kill("SIGCONT");
    await until("the end", () => cycles(b) > 0);
    expect(a.process.stderr().slice(before)).toMatch(/lease|took this job over/);
    expect(accountsMadeTwice()).toEqual([]);
  });

  it("leave a job to the newest configuration", async () => {
    await replica();
    const b = await replica({ reconcile: { every: "7d" } }, "b.yaml");
    expect(b.process.stderr()).not.toMatch(/newer configuration/);
  });

  it("come up ready with another Lattice for a job, write nothing while one with the former lives, and take it over when that one is stopped", async () => {
    const a = await replica();
    await until("the first cycle", () => cycles(a) > 0);
    const [row] = await sql(database, "SELECT count(*)::int AS number FROM cycle");
    const url = new URL(sandbox.latticeUrl);
    url.hostname = "localhost";
    const lattice = { url: url.href, token: sandbox.latticeToken, timeout: "2s" };
    const b = await replica({ lattice, schedule: { every: "5m" } }, "b.yaml");
    expect(b.process.stderr()).toMatch(/"msg":"the job waits for another daemon to end"/);
    expect((await fetch(`${b.url}/readyz`)).status).toBe(200);
    const { jobs } = await get<{ jobs: readonly object[] }>(b, "/jobs");
    expect(jobs).toMatchObject([
      { waits: true, fault: { reason: expect.stringContaining("so this daemon waits") } },
    ]);
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${b.url}/api${path}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await post("/cycles", { dryRun: false })).status).toBe(400);
    expect((await post("/pause", { reason: "test" })).status).toBe(400);
    expect(await sql(database, "SELECT count(*)::int AS number FROM cycle")).toEqual([row]);
    expect(await sql(database, "SELECT key FROM meta WHERE key = 'askedPause'")).toEqual([]);
    const writes = sent.length;
    a.process.child.kill("SIGTERM");
    await a.process.ended;
    await until("the job to be taken over", () => /this one takes the job over/.test(b.process.stderr()));
    expect(sent.length).toBe(writes);
    expect((await post("/cycles", { dryRun: false })).status).toBe(202);
  });

  it("go on with a job although Entra or Lattice refuses one of them, or a command beside them", async () => {
    const refused = { lattice: { url: sandbox.latticeUrl, token: "revoked", timeout: "2s" } };
    const quarantine = async (): Promise<boolean> =>
      (await sql(database, "SELECT 1 AS found FROM meta WHERE key = 'quarantine' AND value <> ''")).length >
      0;
    const a = await replica(refused);
    await until("the quarantine", quarantine);

    // One with another credential does not wait for its end.
    const lattice = { url: sandbox.latticeUrl, token: sandbox.latticeToken, timeout: "2s" };
    const b = await replica({ lattice }, "b.yaml");
    await until("the first cycle", () => cycles(b) > 0);
    await until("the end of the quarantine", async () => !(await quarantine()));
    // Unless the first has taken it before, and has stood aside.
    const standsAside = (): boolean => /another one goes on with the job/.test(a.process.stderr());
    if (!standsAside()) {
      b.process.child.kill("SIGSTOP");
      await sql(database, "UPDATE turn SET started_at = started_at - 2700000");
      await until("the first to stand aside", standsAside);
      b.process.child.kill("SIGCONT");
      await until("a cycle of the other", () => cycles(b) > 1);
    }
    expect(cycles(a)).toBe(0);
    expect(await quarantine()).toBe(false);
    await until("it not to be ready", async () => (await fetch(`${a.url}/readyz`)).status === 503);
    expect((await fetch(`${b.url}/readyz`)).status).toBe(200);
    const shown = await place.start(["status", "--config", "b.yaml"]).ended;
    expect(shown.stdout).toContain(`${hostname()} does not take the job default:`);

    const here = await place.start(["sync", "--config", "config.yaml", "--here"], { LOG_LEVEL: "" }).ended;
    expect(here.code).not.toBe(0);
    expect(here.stderr).toContain("daemons that share its database go on with it");
    expect(await quarantine()).toBe(false);
  });

  it("are not joined by a command that has another Lattice for their job", async () => {
    const a = await replica();
    await until("the first cycle", () => cycles(a) > 0);
    const [row] = await sql(database, "SELECT count(*)::int AS number FROM cycle");
    const url = new URL(sandbox.latticeUrl);
    url.hostname = "localhost";
    place.configure(
      configuration(
        { sandbox, statePath: "" },
        { state: { url: database.url }, lattice: { url: url.href, token: sandbox.latticeToken } },
      ),
      "other.yaml",
    );
    for (const how of [
      [],
      ["--here"],
      ["--leavers"],
      ["--here", "--user", "somebody@example.com", "--yes"],
    ]) {
      const { code, stderr } = await place.start(["sync", "--config", "other.yaml", ...how]).ended;
      expect(stderr).toMatch(
        /^The daemons that share the database have the job default for the tenant .* Nothing was done\./m,
      );
      expect(code).toBe(64);
    }
    expect(await sql(database, "SELECT count(*)::int AS number FROM cycle")).toEqual([row]);
  });

  it("take a job over from one with another Lattice that was killed in a cycle, half a minute after its last sign of life", async () => {
    const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
    const a = await replica({
      lattice: { url: `${front.origin}/scim/v2`, token: sandbox.latticeToken, timeout: "2s" },
    });
    await until("the first cycle", () => cycles(a) > 0);
    const b = await replica({}, "b.yaml");
    expect(b.process.stderr()).toMatch(/"msg":"the job waits for another daemon to end"/);
    const rows = await sql(
      database,
      "SELECT object_id AS id FROM target_user WHERE active AND object_id IS NOT NULL ORDER BY object_id LIMIT 25",
    );
    for (const { id } of rows) sandbox.directory.updateUser(String(id), { jobTitle: "Due by the schedule" });
    const before = sent.length;
    const killed = Promise.withResolvers<void>();
    let writes = 0;
    front.before = async ({ method }) => {
      if (method === "GET") return undefined;
      writes += 1;
      if (writes !== 5) return undefined;
      a.process.child.kill("SIGKILL");
      await a.process.ended;
      killed.resolve();
      return undefined;
    };
    await sql(database, "UPDATE turn SET started_at = started_at - 3600000, again_at = NULL");
    await killed.promise;
    // 20 of the 30 seconds pass at once.
    const [dead] = await sql(
      database,
      "UPDATE worker SET seen_at = seen_at - 20000 WHERE id = (SELECT worker FROM turn) RETURNING seen_at + 30000 AS until",
    );
    await until("the job to be taken over", () => /this one takes the job over/.test(b.process.stderr()));
    const [taken] = await sql(database, "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now");
    expect(Number(taken?.now)).toBeGreaterThan(Number(dead?.until));
    await until("the end of the cycle", () => cycles(b) > 0);
    const updates = sent.slice(before).map(({ path }) => path);
    expect(new Set(updates).size).toBe(25);
    expect(updates).toHaveLength(25);
  });
});
