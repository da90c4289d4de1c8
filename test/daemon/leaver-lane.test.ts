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
import type { Job } from "../../src/job/job.ts";
import { openJob } from "../../src/job/open-job.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
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
  const { signal } = new AbortController();
  const slot = createSlot();
  slot.open();
  const notifier = { ended: async () => {} };
  let folder = "";
  let sandbox: Sandbox;
  let job: Job;
  let lane: LeaverLane;
  let looks: string[] = [];
  let startCycle = vi.fn(async () => {});

  /** A lane of a job of which everybody in the group Staff is in scope. */
  const begin = async (sections: Parameters<typeof configuration>[1]): Promise<string> => {
    const staff = sandbox.directory.createGroup("Staff", {
      members: [...sandbox.directory.users()].map(({ id }) => id),
    });
    const { entra, ...config } = configuration({ sandbox, statePath: join(folder, "state.db") }, sections);
    const scope = { mode: "groups", groups: ["Staff"], nested: false };
    const text = JSON.stringify({ ...config, entra: { ...entra, scope }, log: { level: "silent" } });
    writeFileSync(join(folder, "config.yaml"), text, { mode: 0o600 });
    const stream = (): PassThrough => new PassThrough();
    job = await openJob(
      { env: {}, cwd: folder, stdin: stream(), stdout: stream(), stderr: stream(), signal },
      { config: "config.yaml", quiet: true },
    );
    const metrics = { cycle: () => {}, look: (result: string) => looks.push(result) };
    lane = createLeaverLane({ current: () => job, slot, metrics, notifier, startCycle, signal });
    return staff;
  };
  const cycle = () => job.run({ dryRun: false, full: false, signal }, { notifier });
  /** The ids of people whose accounts are active. */
  const active = (): readonly string[] =>
    [...sandbox.directory.users()].flatMap(({ id, properties: { accountEnabled, userPrincipalName } }) => {
      const account = sandbox.lattice.byUserName(String(userPrincipalName));
      return accountEnabled === true && account?.active === true ? [id] : [];
    });
  const disable = (number: number): void => {
    for (const id of active().slice(0, number)) sandbox.directory.updateUser(id, { accountEnabled: false });
  };
  const look = async (): Promise<string | undefined> => {
    await lane.look();
    return looks.pop();
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "als-lane-"));
    sandbox = await startSandbox({ file: ":memory:", people: 25 });
    looks = [];
    startCycle = vi.fn(async () => {});
  });
  afterEach(async () => {
    await job.close();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is counted by how it ended, also if it failed, was left out, or found more than the guard allows", async () => {
    await begin({ guard: { maxDeactivations: 1, deactivationFloor: 1 } });
    expect(await look()).toBe("rested");
    await cycle();
    await cycle();
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
  });

  it("begins a cycle of everybody if a person was removed from a group of the scope, and that decides", async () => {
    const staff = await begin({});
    await cycle();
    await cycle();
    const before = active();
    const [left = ""] = before;
    sandbox.directory.removeMember(staff, left);
    // The work under way is perhaps the cycle that sees it.
    await slot.take(async () => expect(await look()).toBe("noNews"));
    expect(startCycle).not.toHaveBeenCalled();
    expect(await look()).toBe("leftScope");
    expect(startCycle).toHaveBeenCalledOnce();
    expect(active()).toEqual(before);
    await cycle();
    expect(active()).toEqual(before.filter((id) => id !== left));
    expect(await look()).toBe("noNews");
    // Leavers of both kinds at once.
    sandbox.directory.removeMember(staff, active()[3] ?? "");
    disable(1);
    expect(await look()).toBe("leftScope");
    expect(active()).toHaveLength(before.length - 2);
    expect(startCycle).toHaveBeenCalledTimes(2);
    sandbox.onRequest = ({ path }) => (path.includes("groups/delta") ? { status: 403 } : undefined);
    expect(await look()).toBe("failed");
  });
});
