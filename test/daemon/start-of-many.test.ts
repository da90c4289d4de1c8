import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import pino from "pino";
import { expect, it, vi } from "vitest";
import { openConfiguration } from "../../src/config/load.ts";
import { createFleets } from "../../src/daemon/fleet/fleets.ts";
import { createJobTurns } from "../../src/daemon/job-turns.ts";
import { openJobs } from "../../src/daemon/jobs.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { openJob } from "../../src/job/open-job.ts";
import type { CommandIO } from "../../src/process/io.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { workplace } from "../config/workplace.ts";

const id = "10000000-0000-4000-8000-000000000001";
const job = (token: string): object => ({
  entra: { tenantId: id, clientId: id, clientSecret: "s" },
  lattice: { token },
});

it("a start does not wait for a job whose database does not answer, and the others are tried meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] });
  try {
    const cwd = workplace({ "c.yaml": JSON.stringify({ jobs: { hangs: job("a"), fails: job("b") } }) });
    const configuration = () => openConfiguration({ file: "c.yaml", env: {}, cwd });
    const first = configuration();
    const log = pino({ level: "silent" });
    const stop = new AbortController();
    const give: { up?: (error: Error) => void } = {};
    const opening = openJobs(first, {
      configuration,
      only: undefined,
      embedded: undefined,
      open: ({ job: name }) =>
        new Promise((_, reject) => {
          if (name === "fails") reject(new Error("the database is damaged"));
          else give.up = reject;
        }),
      reconfigured: () => {},
      turns: createJobTurns(1),
      fleets: createFleets({ maxAtOnce: () => 1, log, signal: stop.signal }),
      metrics: createMetrics("1", first),
      clock: systemClock,
      log,
      signal: stop.signal,
    });
    await vi.advanceTimersByTimeAsync(10_000);
    const jobs = await opening;
    expect(jobs.all().map(({ name, view, fault }) => [name, view, fault?.reason])).toEqual([
      ["hangs", null, undefined],
      ["fails", null, "The database is damaged."],
    ]);
    give.up?.(new Error("it does not answer"));
    await jobs.stop();
    expect(jobs.find("hangs")?.fault?.reason).toBe("It does not answer.");
    await jobs.close();
  } finally {
    vi.useRealTimers();
  }
});

it("a reload opens a new job although the database of another one does not answer, and so does the retry of jobs that failed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] });
  try {
    const names = (...some: readonly string[]): string =>
      JSON.stringify({ jobs: Object.fromEntries(some.map((name) => [name, job(name)])) });
    const cwd = workplace({ "c.yaml": names("fails", "hangs") });
    const configuration = () => openConfiguration({ file: "c.yaml", env: {}, cwd });
    const first = configuration();
    const log = pino({ level: "silent" });
    const stop = new AbortController();
    const hanging: ((error: Error) => void)[] = [];
    let hangs = false;
    const tried: string[] = [];
    let reconfigured = 0;
    const jobs = await openJobs(first, {
      configuration,
      only: undefined,
      embedded: undefined,
      open: ({ job: name }) => {
        tried.push(name);
        return new Promise((_, reject) => {
          if (hangs && name === "hangs") hanging.push(reject);
          else reject(new Error("the database is damaged"));
        });
      },
      reconfigured: () => {
        reconfigured += 1;
      },
      turns: createJobTurns(1),
      fleets: createFleets({ maxAtOnce: () => 1, log, signal: stop.signal }),
      metrics: createMetrics("1", first),
      clock: systemClock,
      log,
      signal: stop.signal,
    });
    tried.length = 0;
    hangs = true;
    writeFileSync(join(cwd, "c.yaml"), names("hangs", "fails", "fresh"), { mode: 0o600 });
    const reloading = jobs.reload();
    await vi.waitFor(() => expect(hanging).toHaveLength(1), { timeout: 20_000 });
    expect([...tried].sort()).toEqual(["fails", "fresh", "hangs"]);
    expect(tried[0]).toBe("fresh");
    expect(reconfigured).toBe(1);
    hanging.pop()?.(new Error("it does not answer"));
    await reloading;
    tried.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([...tried].sort()).toEqual(["fails", "fresh", "hangs"]);
    hanging.pop()?.(new Error("it does not answer"));
    await jobs.stop();
    await jobs.close();
  } finally {
    vi.useRealTimers();
  }
});

it("a job that is being opened for a reload while the daemon stops is closed again, so that the process ends", async () => {
  const cwd = workplace({ "c.yaml": JSON.stringify({ jobs: { one: job("a"), two: job("b") } }) });
  const configuration = () => openConfiguration({ file: "c.yaml", env: {}, cwd });
  const first = configuration();
  const log = pino({ level: "silent" });
  const stop = new AbortController();
  const io: CommandIO = {
    env: {},
    cwd,
    stdin: process.stdin,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    signal: stop.signal,
    onHangup: () => {},
  };
  let close = vi.fn(async () => {});
  const gate: { open?: () => void } = {};
  const jobs = await openJobs(first, {
    configuration,
    only: undefined,
    embedded: undefined,
    open: async (loaded) => {
      if (loaded.job !== "late") throw new Error("the database is damaged");
      const late = await openJob(io, { loaded, processLog: log, quiet: true });
      close = vi.fn(late.close);
      await new Promise<void>((resolve) => {
        gate.open = resolve;
      });
      return { ...late, close };
    },
    reconfigured: () => {},
    turns: createJobTurns(1),
    fleets: createFleets({ maxAtOnce: () => 1, log, signal: stop.signal }),
    metrics: createMetrics("1", first),
    clock: systemClock,
    log,
    signal: stop.signal,
  });
  jobs.start();
  const three = { jobs: { one: job("a"), two: job("b"), late: job("c") } };
  writeFileSync(join(cwd, "c.yaml"), JSON.stringify(three), { mode: 0o600 });
  const reloading = jobs.reload();
  await vi.waitFor(() => expect(gate.open).toBeDefined(), { timeout: 20_000 });
  stop.abort();
  await jobs.stop();
  await jobs.close();
  gate.open?.();
  await reloading;
  expect(close).toHaveBeenCalledOnce();
  expect(jobs.find("late")?.view).toBeNull();
});
