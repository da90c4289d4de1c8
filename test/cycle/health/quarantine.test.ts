import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { runCycle } from "../../../src/cycle/cycle.ts";
import {
  isHopeless,
  mostFailed,
  parseQuarantine,
  type Quarantine,
  withQuarantine,
} from "../../../src/cycle/health/quarantine.ts";
import { pauseSending } from "../../../src/cycle/health/sending-pause.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  LeaseHeldError,
  RecordRejectedError,
} from "../../../src/domain/errors.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import { createWorkplace, kim, type Workplace } from "../workplace.ts";

const minuteMs = 60_000;
const signal = new AbortController().signal;

/** A cycle as a command runs it. */
function attempt(place: Workplace): Promise<CycleResult> {
  return withQuarantine({ ...place.ports(), fence: "private" }, (sending) =>
    runCycle(place.ports(), { dryRun: false, full: false, fence: "private", signal, sending }),
  );
}

/** A person pauses sending for an hour. */
async function pauseForAnHour({ store, clock }: Workplace): Promise<void> {
  const at = clock.now();
  await pauseSending(store, { at, until: at + 60 * minuteMs, reason: "a test", by: kim, leaversToo: false });
}

async function quarantineOf(place: Workplace): Promise<Quarantine | null> {
  return parseQuarantine(await place.store.meta());
}

function hire(place: Workplace, number: number, prefix = "p"): void {
  for (let index = 0; index < number; index += 1) place.source.hire(`${prefix}${100 + index}`);
}

describe("the quarantine", () => {
  it("starts with a refused credential, grows to a day, and ends with a successful cycle; each is notified once", async () => {
    await using place = await createWorkplace();
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    hire(place, 3);
    place.target.beforeRead = () => {
      throw new ConfigurationError("Lattice refused the API key");
    };
    const waits: number[] = [];
    for (let cycle = 0; cycle < 8; cycle += 1) {
      await expect(attempt(place)).rejects.toThrow("refused the API key");
      const quarantine = await quarantineOf(place);
      waits.push(((quarantine?.nextProbeAt ?? 0) - place.clock.now()) / minuteMs);
      place.clock.advance(45 * minuteMs);
    }
    expect(waits).toEqual([45, 90, 180, 360, 720, 1440, 1440, 1440]);
    // Since the first failure, not since the last.
    expect(place.clock.now() - ((await quarantineOf(place))?.since ?? 0)).toBe(8 * 45 * minuteMs);
    place.target.beforeRead = () => {};
    expect(await attempt(place)).toMatchObject({ outcome: "done", done: 3 });
    expect(await quarantineOf(place)).toBeNull();
    expect(events.map(({ kind }) => kind)).toEqual(["quarantineEntered", "quarantineLeft"]);
  });

  it("does not start if another process goes on with the job, and otherwise knows which access was refused", async () => {
    await using place = await createWorkplace();
    place.target.beforeRead = () => {
      throw new ConfigurationError("Lattice refused the API key");
    };
    const asked: string[] = [];
    let goesOn = true;
    const refused = (): Promise<CycleResult> =>
      withQuarantine(
        { ...place.ports(), fence: "private" },
        (sending) =>
          runCycle(place.ports(), { dryRun: false, full: false, fence: "private", signal, sending }),
        {
          access: "a digest",
          standAside: async ({ message }) => {
            asked.push(message);
            return goesOn;
          },
        },
      );
    await expect(refused()).rejects.toThrow("refused the API key");
    expect(await quarantineOf(place)).toBeNull();
    goesOn = false;
    await expect(refused()).rejects.toThrow("refused the API key");
    expect(await quarantineOf(place)).toMatchObject({ cause: "configuration", access: "a digest" });
    expect(asked).toEqual(["Lattice refused the API key", "Lattice refused the API key"]);
  });

  it("starts when many operations fail, after all were tried", async () => {
    await using place = await createWorkplace();
    hire(place, 200);
    place.target.before = ({ userName }) => {
      if (/[02468]@/.test(userName)) throw new RecordRejectedError("no", { status: 400 });
    };
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    const result = await attempt(place);
    expect(result).toMatchObject({ done: 100, failed: 100 });
    expect((await quarantineOf(place))?.reason).toBe("100 of 200 operations failed");
    // The notification names the cycle in which they failed.
    expect(events).toMatchObject([{ kind: "quarantineEntered", cycleId: result.cycleId }]);
  });

  it("starts when nearly everything fails, and the rest is not sent", async () => {
    await using place = await createWorkplace();
    hire(place, 400);
    place.target.before = () => {
      throw new RecordRejectedError("title is not allowed", { status: 400 });
    };
    const result = await attempt(place);
    expect(result.outcome).toBe("someFailed");
    expect(result.failed).toBeGreaterThanOrEqual(20);
    // Fifty failures show it; only the requests under way follow.
    expect(result.failed).toBeLessThanOrEqual(50 + place.ports().settings.concurrency);
    expect(await place.store.openIntents()).toEqual([]);
    expect((await quarantineOf(place))?.reason).toContain(`${result.failed} of ${result.failed} operations`);

    // A probe sends ten, and if those fail too, no other person is tried.
    place.target.writes.length = 0;
    expect(await attempt(place)).toMatchObject({ failed: 10 });
    // Each of them once more, without the attributes that an account does not need.
    expect(new Set(place.target.writes.map(({ userName }) => userName)).size).toBe(10);
    expect(place.target.writes).toHaveLength(20);
    expect((await quarantineOf(place))?.attempts).toBe(2);

    place.target.before = () => {};
    place.clock.advance(3 * 24 * 60 * minuteMs);
    expect(await attempt(place)).toMatchObject({ outcome: "done", done: 400 });
    expect(await quarantineOf(place)).toBeNull();
  });

  it("does not end with a cycle in a pause of sending, which did not try whether operations succeed again", async () => {
    await using place = await createWorkplace();
    hire(place, 30);
    place.target.before = () => {
      throw new RecordRejectedError("no", { status: 400 });
    };
    await attempt(place);
    const started = await quarantineOf(place);
    expect(started?.cause).toBe("failures");
    place.target.before = () => {};
    await pauseForAnHour(place);
    place.clock.advance(50 * minuteMs);
    expect(await attempt(place)).toMatchObject({ outcome: "paused", done: 0 });
    expect(await quarantineOf(place)).toEqual(started);
    place.clock.advance(3 * 24 * 60 * minuteMs);
    expect(await attempt(place)).toMatchObject({ outcome: "done", done: 30 });
    expect(await quarantineOf(place)).toBeNull();
  });

  it("does not start because of few failures, a small percentage, or an outage", async () => {
    await using place = await createWorkplace();
    hire(place, 19);
    place.target.before = () => {
      throw new RecordRejectedError("no", { status: 400 });
    };
    expect(await attempt(place)).toMatchObject({ failed: 19, mostFailed: null });
    expect(await quarantineOf(place)).toBeNull();

    place.target.before = ({ userName }) => {
      if (userName.startsWith("p")) throw new RecordRejectedError("no", { status: 400 });
    };
    hire(place, 60, "q");
    expect(await attempt(place)).toMatchObject({ failed: 19, done: 60 });
    expect(await quarantineOf(place)).toBeNull();

    place.target.before = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    hire(place, 30, "r");
    await expect(attempt(place)).rejects.toThrow(HostUnavailableError);
    expect(await quarantineOf(place)).toBeNull();
  });

  it("is not changed, and no one is notified, by a run that lost the lease", async () => {
    await using place = await createWorkplace();
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    await place.store.acquireLease("another", place.clock.now(), minuteMs);
    const refused = () => Promise.reject(new ConfigurationError("Lattice refused the API key"));
    await expect(withQuarantine({ ...place.ports(), fence: { owner: "me" } }, refused)).rejects.toThrow(
      LeaseHeldError,
    );
    expect([await quarantineOf(place), events]).toEqual([null, []]);
  });
});

describe("many failed operations", () => {
  it.each([
    ["four of ten", { done: 60, failed: 40 }, false, true],
    ["fewer than four of ten", { done: 61, failed: 39 }, false, false],
    ["all of nineteen, which are few", { done: 0, failed: 19 }, false, false],
    ["all of twenty", { done: 0, failed: 20 }, false, true],
    ["all of five in a probe", { done: 0, failed: 5 }, true, true],
    ["all of four in a probe", { done: 0, failed: 4 }, true, false],
  ])("concern everybody or not: %s", (_name, counts, probe, expected) => {
    expect(mostFailed(counts, probe)).toBe(expected);
  });

  it("make the rest of the plan wait if nearly all of fifty fail", () => {
    expect(isHopeless({ done: 0, failed: 49 })).toBe(false);
    expect(isHopeless({ done: 0, failed: 50 })).toBe(true);
    expect(isHopeless({ done: 5, failed: 95 })).toBe(true);
    expect(isHopeless({ done: 6, failed: 94 })).toBe(false);
  });
});
