import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { usageLines, workplace } from "../config/workplace.ts";
import { startReceiver } from "../notify/receiver.ts";
import { type Connected, configuration, makeWorkplace } from "./real-process.ts";

/** A company, a gateway for metrics, and a configuration that names it and a file. */
async function setStage() {
  const stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ file: ":memory:", people: 20, seed: 4 });
  stack.defer(() => sandbox.close());
  const place = stack.use(makeWorkplace());
  const gateway = stack.use(await startReceiver(202));
  const file = join(place.folder, "metrics.prom");
  const given: Connected = configuration({ sandbox, statePath: place.statePath });
  const configure = (sections: object = {}): string =>
    place.configure({
      ...given,
      metrics: { path: "metrics.prom", pushUrl: `${gateway.origin}/` },
      notify: { instance: "test 1" },
      ...sections,
    });
  const config = configure();
  return {
    sandbox,
    place,
    gateway,
    given,
    file,
    configure,
    run: (...args: string[]) => place.start([...args, "--config", config], { LOG_LEVEL: "warn" }).ended,
    metrics: () => metricsIn(readFileSync(file, "utf8")),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Samples by name and labels, without the prefix of all of them. */
function metricsIn(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(/^azure_lattice_sync_(\S+) (\S+)$/gm)].map(([, name, value]) => [
      String(name),
      Number(value),
    ]),
  );
}

describe("a run that is not a daemon's leaves its metrics", () => {
  it("of each job in a file and a group of its own, with its name", async () => {
    await using stage = await setStage();
    await using other = await startSandbox({ file: ":memory:", people: 20, seed: 5 }).then((sandbox) => ({
      sandbox,
      [Symbol.asyncDispose]: () => sandbox.close(),
    }));
    const { entra, lattice } = stage.given;
    const second = configuration({ sandbox: other.sandbox, statePath: "" });
    stage.place.configure({
      metrics: { path: "metrics.prom", pushUrl: stage.gateway.origin },
      notify: { instance: "test" },
      guard: { enabled: false },
      state: { path: stage.place.statePath },
      jobs: { emea: { entra, lattice }, us: { entra: second.entra, lattice: second.lattice } },
    });
    expect(await stage.run("sync")).toMatchObject({ code: 0, stderr: "" });
    const names = readdirSync(stage.place.folder).filter((name) => name.endsWith(".prom"));
    expect(names.sort()).toEqual(["metrics-emea.prom", "metrics-us.prom"]);
    const text = readFileSync(join(stage.place.folder, "metrics-us.prom"), "utf8");
    expect(metricsIn(text).get('last_run_failed{sync_job="us"}')).toBe(0);
    expect(metricsIn(text).get('people{state="in_entra",sync_job="us"}')).toBe(20);
    expect(stage.gateway.got.map(({ path }) => path).sort()).toEqual([
      "/metrics/job/azure-lattice-sync/instance/test/sync_job/emea",
      "/metrics/job/azure-lattice-sync/instance/test/sync_job/us",
    ]);
  });

  it("in a file that all users may read, and at a push gateway", async () => {
    await using stage = await setStage();
    const before = Date.now() / 1000;
    expect(await stage.run("sync")).toMatchObject({ code: 0, stderr: "" });
    const metrics = stage.metrics();
    expect(metrics.get("last_run_failed")).toBe(0);
    for (const time of [
      "last_run_timestamp_seconds",
      "last_cycle_timestamp_seconds",
      "watermark_timestamp_seconds",
    ]) {
      expect(metrics.get(time), time).toBeGreaterThanOrEqual(before - 1);
      expect(metrics.get(time), time).toBeLessThan(Date.now() / 1000 + 1);
    }
    expect(metrics.get('people{state="linked"}')).toBeGreaterThan(10);
    expect(metrics.get('last_cycle_operations{action="create",outcome="done"}')).toBeGreaterThan(10);
    expect(metrics.get("guard_held")).toBe(0);
    expect(metrics.get("quarantine")).toBe(0);
    // Ages and counters mean nothing if no one queries the process.
    expect([...metrics.keys()].filter((name) => /age_seconds|_total|_bucket|next_cycle/.test(name))).toEqual(
      [],
    );
    expect(statSync(stage.file).mode & 0o777).toBe(0o644);
    expect(readdirSync(stage.place.folder).filter((name) => name.includes("partial"))).toEqual([]);
    expect(stage.gateway.got).toMatchObject([
      {
        path: "/metrics/job/azure-lattice-sync/instance/test%201",
        body: readFileSync(stage.file, "utf8"),
      },
    ]);
  });

  it("also if it fails or the guard holds, but not if it only reads, or another run is under way", async () => {
    await using stage = await setStage();
    expect(await stage.run("sync")).toMatchObject({ code: 0 });
    rmSync(stage.file);
    for (const args of [["sync", "--dry-run"], ["status"], ["sync", "--sandbox"]]) await stage.run(...args);
    expect(readdirSync(stage.place.folder)).not.toContain("metrics.prom");

    const failed = await stage.place.start([
      "sync",
      "--config",
      stage.configure({ lattice: { ...stage.given.lattice, token: "wrong" } }),
    ]).ended;
    expect(failed.code).toBe(1);
    expect(stage.metrics().get("last_run_failed")).toBe(1);

    for (const { id } of [...stage.sandbox.directory.users()].slice(0, 6))
      stage.sandbox.directory.softDelete(id);
    stage.configure({ guard: { maxDeactivations: 1, deactivationFloor: 0 } });
    expect(await stage.run("sync")).toMatchObject({ code: 3 });
    expect(stage.metrics().get("last_run_failed")).toBe(0);
    expect(stage.metrics().get("guard_held")).toBe(1);
    expect(stage.metrics().get("guard_held_operations")).toBeGreaterThan(1);
  });

  it("and completes its work even if they cannot be written", async () => {
    await using stage = await setStage();
    const pushUrl = "http://127.0.0.1:1";
    stage.configure({ metrics: { path: "missing/metrics.prom", pushUrl } });
    const ended = await stage.run("sync");
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/[Tt]he metrics were not written: check metrics\.path/);
    expect(ended.stderr).toMatch(/[Tt]he metrics were not accepted: check metrics\.pushUrl/);
  });
});

describe("metrics in the configuration", () => {
  const load = (metrics: object, env: Record<string, string> = {}) => {
    const cwd = workplace({ "folder/c.yaml": JSON.stringify({ metrics }) });
    return { cwd, ...loadConfig({ file: "folder/c.yaml", env, cwd }) };
  };

  it("have a path next to the file, or the one in the environment", () => {
    const file = load({ path: "als.prom" });
    expect(file.config.metrics.path).toBe(join(file.cwd, "folder/als.prom"));
    const env = load(
      {},
      { ALS_METRICS_PATH: "als.prom", ALS_METRICS_PUSH_URL: "http://push.example.com:9091" },
    );
    expect(env.config.metrics).toEqual({
      path: join(env.cwd, "als.prom"),
      pushUrl: "http://push.example.com:9091",
    });
  });

  it.each([
    "gateway:9091",
    "ftp://push.example.com",
    "http://user:word@push.example.com",
    "http://push.example.com/?a=b",
  ])("are not pushed to %s", (pushUrl) => {
    const [line] = usageLines(() => load({ pushUrl }));
    expect(line).toMatch(/metrics\.pushUrl must be a URL such as http:\/\/pushgateway\.example\.com:9091/);
  });
});
