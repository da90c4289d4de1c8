import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { until } from "../daemon/http/running-daemon.ts";
import { type Front, startFront } from "./front.ts";
import { configuration, makeWorkplace, type RealProcess, type Workplace } from "./real-process.ts";

interface Stage extends AsyncDisposable {
  readonly sandbox: Awaited<ReturnType<typeof startSandbox>>;
  readonly front: Front;
  readonly place: Workplace;
  readonly environment: Readonly<Record<string, string>>;
  /** Writes the configuration: these sections over those that lead to the sandbox; its path. */
  configure(sections?: Sections): string;
  setKey(value: string): void;
}

type Sections = { readonly [section: string]: object } & { readonly scope?: object };

/** A company whose Lattice stands behind a front, with its API key in a file. */
async function setStage(): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ file: ":memory:", people: 20, seed: 4 });
  stack.defer(() => sandbox.close());
  const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
  const place = stack.use(makeWorkplace());
  const key = join(place.folder, "key");
  const setKey = (value: string): void => writeFileSync(key, `${value}\n`);
  setKey(sandbox.latticeToken);
  return {
    sandbox,
    front,
    place,
    // Empty: the configuration says the level.
    environment: { LATTICE_API_KEY_FILE: key, LOG_LEVEL: "" },
    setKey,
    configure: ({ scope = {}, ...sections } = {}) => {
      const given = configuration({ sandbox, statePath: place.statePath });
      const lattice = { url: `${front.origin}/scim/v2`, maxRequestsPerSecond: null };
      return place.configure({
        ...given,
        entra: { ...given.entra, scope: { mode: "all", ...scope } },
        lattice,
        http: { listen: "127.0.0.1:0", local: "open" },
        log: { level: "info", format: "json" },
        ...sections,
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface Daemon extends RealProcess {
  get<Answer = { readonly [key: string]: unknown }>(path: string): Promise<Answer>;
  text(path: string): Promise<string>;
  /** One cycle by hand; its outcome or error. */
  cycle(): Promise<string>;
  firstCycle(): Promise<void>;
  /** Sends SIGHUP and waits for what the log says of it: its last line of this message. */
  hangUp(message: string): Promise<{ readonly [key: string]: unknown }>;
  lines(message: string): { readonly [key: string]: unknown }[];
  stop(): Promise<void>;
}

async function startDaemon({ place, environment }: Stage, config: string): Promise<Daemon> {
  const started = place.start(["daemon", "--config", config], environment);
  await started.said(/daemon started/);
  const url = /"http":"(?<url>[^"]+)"/.exec(started.stderr())?.groups?.url ?? "";
  const headers = { "x-requested-by": "test" };
  const text = async (path: string) => (await fetch(url + path, { headers })).text();
  const get = async <Answer>(path: string) => JSON.parse(await text(path)) as Answer;
  type Works = { works: readonly { finishedAt: string | null; error: string | null; result: Outcome }[] };
  type Outcome = { outcome: string } | null;
  const lines = (message: string) =>
    started
      .stderr()
      .split("\n")
      .filter((line) => line.startsWith("{") && line.includes(`"msg":"${message}`))
      .map((line) => JSON.parse(line) as { readonly [key: string]: unknown });
  const idle = async (): Promise<Works["works"]> => {
    let works: Works["works"] = [];
    await until(async () => {
      ({ works } = await get<Works>("/api/works"));
      return works.length > 0 && works.every(({ finishedAt }) => finishedAt !== null);
    });
    return works;
  };
  return {
    ...started,
    get,
    text,
    lines,
    firstCycle: async () => {
      await idle();
    },
    cycle: async () => {
      await idle();
      await fetch(`${url}/api/cycles`, { method: "POST", headers });
      const [last] = await idle();
      return last?.error ?? last?.result?.outcome ?? "";
    },
    hangUp: async (message) => {
      const before = lines(message).length;
      started.child.kill("SIGHUP");
      await until(() => lines(message).length > before);
      return lines(message).at(-1) ?? {};
    },
    stop: async () => {
      started.child.kill("SIGTERM");
      expect(await started.ended).toMatchObject({ code: 0, signal: null });
    },
  };
}

/** Of what `/api/now` answers. */
interface Now {
  readonly schedule: object;
  readonly lastCycle: { readonly startedAt: string };
  readonly nextDueAt: string;
}

const reloaded = "configuration reloaded";
const refused = "configuration not reloaded";

describe.runIf(process.platform !== "win32").concurrent("SIGHUP", () => {
  it("puts a changed configuration in force: the next cycle, explanations, the schedule and the log use it", async () => {
    await using stage = await setStage();
    const { sandbox } = stage;
    const daemon = await startDaemon(stage, stage.configure());
    await daemon.firstCycle();
    const person = [...sandbox.directory.users()].find((user) => user.properties.accountEnabled === true);
    const name = String(person?.properties.userPrincipalName);
    const explained = async () => JSON.stringify((await daemon.get(`/api/people/${name}`)).summary);
    const active = () => [...sandbox.lattice.accounts()].filter((account) => account.active).length;
    const [before, told] = [active(), await explained()];

    stage.configure({
      scope: { exclude: [name] },
      schedule: { cron: "30 3 * * *" },
      http: { listen: "127.0.0.1:1", local: "open" },
      notify: { ping: { url: "https://ping.example.com/secretpart" } },
      log: { level: "warn", format: "json" },
    });
    expect(await daemon.hangUp(reloaded)).toMatchObject({
      level: 30,
      changed: ["entra.scope.exclude", "schedule.every", "schedule.cron", "log.level", "notify.ping.url"],
    });
    await until(() => daemon.lines("these keys need a restart").length === 1);
    expect(daemon.lines("these keys need a restart")).toMatchObject([{ keys: ["http.listen"] }]);
    const { schedule, nextDueAt } = await daemon.get<Now>("/api/now");
    expect([schedule, nextDueAt.slice(10)]).toEqual([{ cron: "30 3 * * *" }, "T03:30:00.000Z"]);
    expect(await explained()).not.toBe(told);
    expect(active()).toBe(before);
    expect(await daemon.cycle()).toBe("done");
    expect(active()).toBe(before - 1);
    expect(await daemon.text("/metrics")).toContain('config_reloads_total{outcome="applied"} 1');
    expect(daemon.stderr()).not.toContain("secretpart");
    await daemon.stop();
  });

  it("keeps the old one in force if the new one is wrong, says where, and takes the corrected one", async () => {
    await using stage = await setStage();
    const daemon = await startDaemon(stage, stage.configure());
    await daemon.firstCycle();
    stage.place.configure("entra:\n  scope: { mode: all }\nschedule: [every\n");
    expect(await daemon.hangUp(refused)).toMatchObject({
      level: 50,
      error: expect.stringMatching(/config\.yaml:4:1/),
    });
    stage.configure({ mapping: [{ target: "userName", expression: "Nonsense([mail])" }] });
    expect(await daemon.hangUp(refused)).toMatchObject({ error: expect.stringMatching(/Nonsense/) });
    const { tenantId } = stage.sandbox;
    const certificate = { credential: "certificate", certificate: { path: "gone.pem" } };
    stage.configure({ entra: { tenantId, clientId: tenantId, scope: { mode: "all" }, ...certificate } });
    expect(await daemon.hangUp(refused)).toMatchObject({ error: expect.stringMatching(/gone\.pem/) });
    stage.configure({ http: { listen: "0.0.0.0:9464" } });
    expect(await daemon.hangUp(refused)).toMatchObject({ error: expect.stringMatching(/set http\.token/) });
    expect(await daemon.cycle()).toBe("done");
    expect(await daemon.text("/metrics")).toContain('config_reloads_total{outcome="refused"} 4');
    stage.configure();
    for (let sent = 0; sent < 30; sent += 1) daemon.child.kill("SIGHUP");
    expect(await daemon.hangUp(reloaded)).toMatchObject({ changed: [] });
    expect(await daemon.cycle()).toBe("done");
    expect(daemon.lines(reloaded).length).toBeLessThan(30);
    await daemon.stop();
  });

  it("lets a cycle in flight finish with the old key; the next one has the new key", async () => {
    await using stage = await setStage();
    const { sandbox, front } = stage;
    const writes: (string | undefined)[] = [];
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    front.before = async ({ method, headers }) => {
      if (method !== "GET") writes.push(headers.authorization);
      if (writes.length > 2) await released;
      return undefined;
    };
    front.rewrite = (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${sandbox.latticeToken}` },
    });
    const daemon = await startDaemon(stage, stage.configure());
    await until(() => writes.length > 2);
    stage.setKey("rotated-key-of-lattice");
    expect(await daemon.hangUp(reloaded)).toMatchObject({ changed: ["lattice.token"] });
    const inFlight = writes.length;
    release();
    await daemon.firstCycle();
    expect(writes.length).toBeGreaterThan(inFlight);
    expect(new Set(writes)).toEqual(new Set([`Bearer ${sandbox.latticeToken}`]));
    writes.length = 0;
    for (const { id } of [...sandbox.directory.users()].slice(0, 3))
      sandbox.directory.updateUser(id, { jobTitle: "Changed" });
    expect(await daemon.cycle()).toBe("done");
    expect(new Set(writes)).toEqual(new Set(["Bearer rotated-key-of-lattice"]));
    expect(daemon.stderr()).not.toContain("rotated-key-of-lattice");
    await daemon.stop();
  });

  it("ends the wait of a quarantine whose cause the new configuration removes", async () => {
    await using stage = await setStage();
    stage.setKey("a-key-that-is-not-known");
    const daemon = await startDaemon(stage, stage.configure());
    await daemon.said(/quarantineEntered/);
    await daemon.firstCycle();
    stage.setKey(stage.sandbox.latticeToken);
    await daemon.hangUp(reloaded);
    await daemon.said(/quarantineLeft/);
    await daemon.stop();
  });

  it("is ignored by a daemon that is stopping, and ends a run that is not a daemon", async () => {
    await using stage = await setStage();
    const { front, place, environment } = stage;
    let hanging = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    front.before = async () => {
      hanging += 1;
      await released;
      return undefined;
    };
    const config = stage.configure();
    const run = place.start(["sync", "--config", config], environment);
    await until(() => hanging > 0);
    run.child.kill("SIGHUP");
    expect(await run.ended).toMatchObject({ signal: "SIGHUP" });

    hanging = 0;
    const daemon = await startDaemon(stage, config);
    await until(() => hanging > 0);
    daemon.child.kill("SIGTERM");
    await daemon.said(/"stopping"/);
    daemon.child.kill("SIGHUP");
    release();
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    expect(daemon.lines(reloaded)).toEqual([]);
  });
});
