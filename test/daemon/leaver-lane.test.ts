import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createLaneTimer,
  createLeaverLane,
  type LaneTimer,
  type LeaverLane,
} from "../../src/daemon/leaver-lane.ts";
import { createSlot } from "../../src/daemon/slot.ts";
import { openJob } from "../../src/job/open-job.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration } from "../process/real-process.ts";

const minuteMs = 60_000;

describe("the timer of the leaver lane", () => {
  let looks: number[] = [];
  let everyMs: number | null = 5 * minuteMs;
  let failures = 0;
  let lastsMs = 0;
  let timer: LaneTimer;
  const begun = Date.UTC(2026, 10, 29, 8);

  beforeEach(() => {
    vi.useFakeTimers({ now: begun });
    looks = [];
    everyMs = 5 * minuteMs;
    failures = 0;
    lastsMs = 0;
    const lane: LeaverLane = {
      everyMs: () => everyMs,
      failures: () => failures,
      look: async () => {
        looks.push((Date.now() - begun) / minuteMs);
        if (lastsMs > 0) await new Promise((resolve) => setTimeout(resolve, lastsMs));
        return "noNews";
      },
    };
    timer = createLaneTimer(lane, Date.now, () => 0.4);
  });
  afterEach(async () => {
    await timer.stop();
    vi.useRealTimers();
  });

  it("looks first within the first interval, then once in each, never two at a time", async () => {
    lastsMs = minuteMs;
    expect(timer.nextAt()).toBeNull();
    timer.start();
    expect(timer.nextAt()).toBe(begun + 2 * minuteMs);
    await vi.advanceTimersByTimeAsync(15 * minuteMs);
    expect(looks).toEqual([2, 8, 14]);
  });

  it("looks soon after a failure, and at the interval again if failures go on", async () => {
    failures = 1;
    timer.start();
    await vi.advanceTimersByTimeAsync(3 * minuteMs);
    expect(looks).toEqual([2, 3]);
    failures = 9;
    await vi.advanceTimersByTimeAsync(12 * minuteMs);
    expect(looks).toEqual([2, 3, 4, 9, 14]);
  });

  it("stops when the configuration switches it off, and begins when it is on again", async () => {
    timer.start();
    everyMs = null;
    timer.reconfigured();
    expect(timer.nextAt()).toBeNull();
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(looks).toEqual([]);
    everyMs = 10 * minuteMs;
    timer.reconfigured();
    expect(timer.nextAt()).toBe(Date.now() + 4 * minuteMs);
  });

  it("waits for the look under way when it is stopped, and looks no more", async () => {
    lastsMs = 2 * minuteMs;
    timer.start();
    await vi.advanceTimersByTimeAsync(3 * minuteMs);
    const stopped = timer.stop();
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    await stopped;
    expect(looks).toEqual([2]);
  });
});

describe("a look of the leaver lane", () => {
  it("is counted by how it ended, also if it failed, was left out, or found more than the guard allows", async () => {
    const folder = mkdtempSync(join(tmpdir(), "als-lane-"));
    const sandbox = await startSandbox({ file: ":memory:", people: 25 });
    const { signal } = new AbortController();
    const limits = { guard: { maxDeactivations: 1, deactivationFloor: 1 }, log: { level: "silent" } };
    const config = configuration({ sandbox, statePath: join(folder, "state.db") }, limits);
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config), { mode: 0o600 });
    const stream = (): PassThrough => new PassThrough();
    const job = await openJob(
      { env: {}, cwd: folder, stdin: stream(), stdout: stream(), stderr: stream(), signal },
      { config: "config.yaml", quiet: true },
    );
    try {
      const looks: string[] = [];
      const slot = createSlot();
      slot.open();
      const notifier = { ended: async () => {} };
      const startCycle = vi.fn(async () => {});
      const lane = createLeaverLane({
        current: () => job,
        slot,
        metrics: { cycle: () => {}, look: (result) => looks.push(result) },
        notifier,
        startCycle,
        signal,
      });
      const disable = (number: number): void => {
        const active = [...sandbox.directory.users()].filter(
          ({ properties: { accountEnabled, userPrincipalName } }) =>
            accountEnabled === true && sandbox.lattice.byUserName(String(userPrincipalName))?.active === true,
        );
        for (const { id } of active.slice(0, number))
          sandbox.directory.updateUser(id, { accountEnabled: false });
      };
      const look = async (): Promise<string | undefined> => {
        await lane.look();
        return looks.pop();
      };
      expect(await look()).toBe("rested");
      await job.run({ dryRun: false, full: false, signal }, { notifier });
      await job.run({ dryRun: false, full: false, signal }, { notifier });
      expect(await look()).toBe("noNews");
      disable(1);
      await slot.take(async () => expect(await look()).toBe("busy"));
      expect(await look()).toBe("ran");
      disable(2);
      expect(startCycle).not.toHaveBeenCalled();
      expect(await look()).toBe("tooMany");
      expect(startCycle).toHaveBeenCalledOnce();
      sandbox.onRequest = ({ host }) => (host === "entra" ? { status: 403 } : undefined);
      expect(await look()).toBe("failed");
      expect(looks).toEqual([]);
    } finally {
      await job.close();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
