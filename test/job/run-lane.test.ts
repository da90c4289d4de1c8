import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConfigurationError } from "../../src/domain/errors.ts";
import type { CycleRecord } from "../../src/domain/state/cycles.ts";
import type { EntraSource } from "../../src/entra/source.ts";
import type { Ending, Job, Watchers } from "../../src/job/job.ts";
import { openJob } from "../../src/job/open-job.ts";
import { type LaneRequest, type LaneRun, runLane } from "../../src/job/run-lane.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration } from "../process/real-process.ts";

const other = "elsewhere/1/00000000-0000-4000-8000-000000000000/";

describe("a look for leavers between two cycles", () => {
  const { signal } = new AbortController();
  let folder = "";
  let sandbox: Sandbox;
  let job: Job;
  let source: EntraSource;
  let endings: Ending[] = [];
  let recorded: CycleRecord[] = [];
  let latencies: number[] = [];

  const look = (request: Partial<LaneRequest> = {}): Promise<LaneRun> =>
    runLane(
      job,
      { dryRun: false, signal, source, ...request },
      {
        notifier: { ended: async (ending) => void endings.push(ending) },
        onRecorded: (cycle, leaverMs) => {
          recorded.push(cycle);
          latencies.push(...leaverMs);
        },
      },
    );
  const requests = (): string[] =>
    sandbox.requests.map(({ host, method, path }) => `${host} ${method} ${path.replace(/\?.*/, "")}`);
  /** A person with an active account. */
  const someone = async (): Promise<string> => {
    const store = await job.state();
    const page = await store.candidates({ select: "everybody", everyoneInScope: true, after: "", limit: 99 });
    const found = page.find(
      ({ link, source: { attributes } }) => link?.active === true && attributes.accountEnabled === true,
    );
    if (found === undefined) throw new Error("nobody has an active account");
    return found.source.objectId;
  };
  const contents = (): string =>
    ["state.db", "state.db-wal"]
      .map((name) => join(folder, name))
      .filter(existsSync)
      .map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"))
      .join(" ");

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "als-lane-"));
    sandbox = await startSandbox({ file: ":memory:", people: 25 });
    const metrics = { path: join(folder, "metrics.prom") };
    const config = configuration({ sandbox, statePath: join(folder, "state.db") }, { metrics });
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config), { mode: 0o600 });
    const stream = (): PassThrough => new PassThrough();
    job = await openJob(
      { env: {}, cwd: folder, stdin: stream(), stdout: stream(), stderr: stream(), signal },
      { config: "config.yaml", quiet: true },
    );
    const silent = { ended: async () => {} };
    await job.run({ dryRun: false, full: false, signal }, { notifier: silent });
    await job.run({ dryRun: false, full: false, signal }, { notifier: silent });
    source = await job.source();
    endings = [];
    recorded = [];
    latencies = [];
  });
  afterEach(async () => {
    await job.close();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("costs one request to Graph and no write if nothing has changed", async () => {
    await look();
    sandbox.requests.clear();
    const before = contents();
    expect(await look()).toEqual({ kind: "noNews" });
    expect(requests()).toEqual(["entra GET /v1.0/users/delta"]);
    expect(contents()).toBe(before);
    expect([endings, recorded]).toEqual([[], []]);
  });

  it("deactivates a person who was disabled, reports the cycle, and notifies", async () => {
    const id = await someone();
    sandbox.directory.updateUser(id, { accountEnabled: false });
    sandbox.requests.clear();
    expect(await look()).toMatchObject({ kind: "ran", result: { outcome: "done", done: 1 } });
    expect((await (await job.state()).linkOf(id))?.active).toBe(false);
    expect(sandbox.requests.filter(({ method }) => method !== "GET" && method !== "POST")).toHaveLength(1);
    expect(recorded).toMatchObject([{ kind: "leavers", done: 1 }]);
    expect(latencies).toEqual([expect.any(Number)]);
    expect(latencies[0]).toBeLessThan(60_000);
    expect(endings).toEqual([{ ping: "none", ran: true, good: true }]);
    expect(await look()).toEqual({ kind: "noNews" });
  });

  it("leaves no metrics of a run behind, which would look like those of a cycle of everybody", async () => {
    const id = await someone();
    sandbox.directory.updateUser(id, { accountEnabled: false });
    expect(await runLane(job, { dryRun: false, signal, source })).toMatchObject({ kind: "ran" });
    expect(existsSync(join(folder, "metrics.prom"))).toBe(false);
    await job.run({ dryRun: false, full: false, signal });
    expect(existsSync(join(folder, "metrics.prom"))).toBe(true);
  });

  it("gives its report when the lease is free again", async () => {
    sandbox.directory.updateUser(await someone(), { accountEnabled: false });
    const ended = vi.fn<NonNullable<Watchers["ended"]>>(async (_, store) => {
      expect(await store.leaseHolder(job.clock.now())).toBeNull();
    });
    await runLane(job, { dryRun: false, signal, source }, { notifier: { ended: async () => {} }, ended });
    expect(ended).toHaveBeenCalledOnce();
  });

  it("is skipped while another run has the lease, or other work of the process is under way", async () => {
    const id = await someone();
    sandbox.directory.updateUser(id, { accountEnabled: false });
    const store = await job.state();
    const { watermark } = await store.meta();
    expect(await look({ alone: () => null })).toEqual({ kind: "busy" });
    await store.acquireLease(other, job.clock.now(), 60_000);
    expect(await look()).toMatchObject({
      kind: "busy",
      held: { message: expect.stringContaining("elsewhere") },
    });
    expect(await store.meta()).toMatchObject({ watermark });
    await store.releaseLease(other);
    expect(await look()).toMatchObject({ kind: "ran", result: { done: 1 } });
    expect(endings).toHaveLength(1);
  });

  it("puts the job into quarantine once if Graph refuses the permission, and then asks nothing", async () => {
    sandbox.onRequest = ({ host }) => (host === "entra" ? { status: 403 } : undefined);
    await expect(look()).rejects.toThrow(ConfigurationError);
    const store = await job.state();
    expect((await store.meta()).quarantine).toContain('"cause":"configuration"');
    sandbox.requests.clear();
    expect(await look()).toEqual({ kind: "rested", rest: "quarantine" });
    expect(requests()).toEqual([]);
    expect(endings).toEqual([{ ping: "none", ran: true, good: false }]);
    expect(recorded).toEqual([]);
  });

  it("keeps a pause that Graph asks for", async () => {
    sandbox.onRequest = ({ host }) =>
      host === "entra" ? { status: 429, headers: { "retry-after": "3600" } } : undefined;
    await expect(look()).rejects.toThrow(/3600|1 hour|60 min|Retry/i);
    expect((await (await job.state()).meta()).askedPause).not.toBe("");
    sandbox.onRequest = undefined;
    expect(await look()).toEqual({ kind: "rested", rest: "askedPause" });
  });

  it("writes nothing in a dry run", async () => {
    const id = await someone();
    sandbox.directory.updateUser(id, { accountEnabled: false });
    const { watermark } = await (await job.state()).meta();
    expect(await look({ dryRun: true })).toMatchObject({
      kind: "ran",
      result: { done: 0, header: { cycle: "leavers", summary: { deactivate: 1 } } },
    });
    expect(await (await job.state()).meta()).toMatchObject({ watermark });
    expect((await (await job.state()).linkOf(id))?.active).toBe(true);
  });
});
