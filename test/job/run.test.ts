import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InterruptedError, LeaseHeldError } from "../../src/domain/errors.ts";
import type { Ending, Job, Notifier } from "../../src/job/job.ts";
import { openJob } from "../../src/job/open-job.ts";
import type { CommandIO } from "../../src/process/io.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration } from "../process/real-process.ts";

const people = 25;
const other = "elsewhere/1/00000000-0000-4000-8000-000000000000/";

describe("a run of a job", () => {
  let folder = "";
  let sandbox: Sandbox;
  let job: Job;
  let happened: (string | Ending)[] = [];
  const { signal } = new AbortController();
  const notifier: Notifier = {
    ended: async (ending) => {
      happened.push(ending);
    },
  };

  const open = (replaces?: Job): Promise<Job> => {
    const io: CommandIO = {
      env: {},
      cwd: folder,
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      signal,
    };
    return openJob(io, { config: "config.yaml", quiet: true, replaces });
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "als-job-"));
    sandbox = await startSandbox({ file: ":memory:", people });
    const config = configuration({ sandbox, statePath: join(folder, "state.db") });
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config), { mode: 0o600 });
    job = await open();
    happened = [];
  });
  afterEach(async () => {
    await job.close();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("reports when the lease is free again, and notifies after the report", async () => {
    const { result } = await job.run(
      { dryRun: false, full: false, signal },
      {
        notifier,
        ended: async (run, store) => {
          const answer = await store.acquireLease(other, job.clock.now(), 60_000);
          await store.releaseLease(other);
          happened.push(`${run.result.outcome}, lease ${answer.acquired ? "free" : "held"}`);
        },
      },
    );
    expect(result.done).toBeGreaterThan(0);
    expect(happened).toEqual(["done, lease free", { ping: "good", ran: true, good: true }]);
  });

  it("keeps nothing of a dry run, and notifies no one", async () => {
    const { result } = await job.run({ dryRun: true, full: false, signal }, { notifier });
    expect(result.header.summary.create).toBeGreaterThan(0);
    expect(happened).toEqual([]);
    expect(existsSync(job.statePlace.name)).toBe(false);
    expect(await job.readState()).toBeNull();
  });

  it("runs nothing while another run holds the lease, and pings neither good nor bad", async () => {
    const store = await job.state();
    await store.acquireLease(other, job.clock.now(), 60_000);
    const run = job.run({ dryRun: false, full: false, signal }, { notifier });
    await expect(run).rejects.toThrow(LeaseHeldError);
    expect(await store.recentCycles(1)).toEqual([]);
    expect(happened).toEqual([{ ping: "none", ran: false, good: false }]);
  });

  it("pings for the cycle and not for its report, and not for single people", async () => {
    const run = job.run(
      { dryRun: false, full: false, signal },
      { notifier, ended: () => Promise.reject(new Error("the disk is full")) },
    );
    await expect(run).rejects.toThrow("the disk is full");
    const [someone] = await (await job.state()).skipped({ after: "", limit: 1 });
    const only = [someone?.objectId ?? ""];
    await job.run({ dryRun: false, full: false, only, signal }, { notifier });
    expect(happened).toEqual([
      { ping: "good", ran: true, good: false },
      { ping: "none", ran: true, good: true },
    ]);
  });

  it("returns the record of an interrupted cycle, and pings neither good nor bad", async () => {
    const stop = new AbortController();
    const recorded: (string | null)[] = [];
    const run = job.run(
      { dryRun: false, full: false, signal: stop.signal },
      {
        notifier,
        onProgress: () => stop.abort(new InterruptedError("stopped by the test")),
        onRecorded: ({ outcome }) => recorded.push(outcome),
      },
    );
    await expect(run).rejects.toThrow(InterruptedError);
    expect(recorded).toEqual(["interrupted"]);
    expect(happened).toEqual([{ ping: "none", ran: true, good: false }]);
  });

  it("continues with the state and the log of the job that it replaces", async () => {
    const next = await open(job);
    expect(await next.state()).toBe(await job.state());
    expect(next.log).toBe(job.log);
    await next.close();
    await job.run({ dryRun: false, full: false, signal }, { notifier });
    expect(happened).toHaveLength(1);
  });
});
