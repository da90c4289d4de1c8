import pino from "pino";
import { expect, it, vi } from "vitest";
import { openConfiguration } from "../../src/config/load.ts";
import { createFleets } from "../../src/daemon/fleet/fleets.ts";
import { createJobTurns } from "../../src/daemon/job-turns.ts";
import { openJobs } from "../../src/daemon/jobs.ts";
import { systemClock } from "../../src/domain/clock.ts";
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
