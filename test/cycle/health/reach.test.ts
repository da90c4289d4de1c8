import { expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { parsePause, withPause } from "../../../src/cycle/health/pause.ts";
import { parseQuarantine, withQuarantine } from "../../../src/cycle/health/quarantine.ts";
import { ConfigurationError, HostUnavailableError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const minuteMs = 60_000;
const { signal } = new AbortController();

/** A cycle as a command runs it; the reads of Lattice are only those of this cycle. */
function attempt(place: Workplace, request: { dryRun?: boolean } = {}): Promise<CycleResult> {
  place.target.reads.length = 0;
  return withQuarantine({ ...place.ports(), fence: "private" }, (sending) =>
    runCycle(place.ports(), { dryRun: false, full: false, fence: "private", signal, sending, ...request }),
  );
}

const quarantined = async (place: Workplace): Promise<boolean> =>
  parseQuarantine(await place.store.meta()) !== null;
const reachedAt = async (place: Workplace): Promise<number> =>
  Number((await place.store.meta()).targetReachedAt);
const deadKey = (): void => {
  throw new ConfigurationError("Lattice refused the API key");
};
const outage = (): void => {
  throw new HostUnavailableError("Lattice cannot be reached");
};

async function quietPlace(): Promise<Workplace> {
  const place = await createWorkplace();
  place.source.hire("kim");
  await attempt(place);
  return place;
}

it("sends Lattice one small request in a quiet cycle, once an hour, and remembers when it answered", async () => {
  await using place = await quietPlace();
  const first = place.clock.now();
  expect(await reachedAt(place)).toBe(first);
  place.clock.advance(45 * minuteMs);
  await attempt(place);
  expect([place.target.reads, await reachedAt(place)]).toEqual([[], first]);
  place.clock.advance(45 * minuteMs);
  await attempt(place, { dryRun: true });
  expect([place.target.reads, await reachedAt(place)]).toEqual([[], first]);
  await attempt(place);
  expect([place.target.reads, await reachedAt(place)]).toEqual([["reach"], place.clock.now()]);
});

it("sends no extra request if operations were sent, and remembers that they were answered", async () => {
  await using place = await quietPlace();
  place.clock.advance(90 * minuteMs);
  place.source.change("kim", { jobTitle: "Lead" });
  expect(await attempt(place)).toMatchObject({ done: 1 });
  expect(place.target.reads).not.toContain("reach");
  expect(await reachedAt(place)).toBe(place.clock.now());
});

it("notices a refused key although nothing is to be sent, and recovers only when Lattice has answered", async () => {
  await using place = await quietPlace();
  const first = place.clock.now();
  place.target.beforeRead = deadKey;
  place.clock.advance(90 * minuteMs);
  await expect(attempt(place)).rejects.toThrow("refused the API key");
  expect(await quarantined(place)).toBe(true);
  expect((await place.store.recentCycles(1))[0]).toMatchObject({
    outcome: "failed",
    error: expect.stringContaining("refused the API key"),
  });

  // An outage says nothing about the key.
  place.target.beforeRead = outage;
  place.clock.advance(minuteMs);
  await expect(attempt(place)).rejects.toThrow("cannot be reached");
  expect([await quarantined(place), await reachedAt(place)]).toEqual([true, first]);

  place.target.beforeRead = () => {};
  await attempt(place);
  expect([await quarantined(place), place.target.reads]).toEqual([false, ["reach"]]);
});

it("treats an outage while nothing is to be sent as a note, not as a fault, and asks again in the next cycle", async () => {
  await using place = await quietPlace();
  const first = place.clock.now();
  place.target.beforeRead = outage;
  place.clock.advance(90 * minuteMs);
  const result = await attempt(place);
  expect(result).toMatchObject({ outcome: "done", failed: 0, mostFailed: null });
  expect(result.header.notes).toEqual([
    expect.stringMatching(
      /^Lattice did not answer the test request; the next cycle tries again\. .*cannot be reached$/,
    ),
  ]);
  expect([await quarantined(place), await reachedAt(place)]).toEqual([false, first]);
  place.target.beforeRead = () => {};
  place.clock.advance(minuteMs);
  await attempt(place);
  expect(place.target.reads).toEqual(["reach"]);
});

it("keeps a pause that Lattice asks for in a quiet cycle, and sends no request until it is over", async () => {
  await using place = await quietPlace();
  place.clock.advance(90 * minuteMs);
  const retryAt = place.clock.now() + 5 * 60 * minuteMs;
  place.target.beforeRead = () => {
    throw new HostUnavailableError("Lattice asked for a pause of 300 minutes.", { retryAt });
  };
  const paused = (): Promise<CycleResult> =>
    withPause({ ...place.ports(), fence: "private" }, () => attempt(place));
  await expect(paused()).rejects.toThrow("asked for a pause");
  expect(parsePause(await place.store.meta(), place.clock.now())).toMatchObject({ until: retryAt });
  place.target.reads.length = 0;
  place.clock.advance(2 * 60 * minuteMs);
  await expect(paused()).rejects.toThrow(
    "Lattice asked for a pause of 300 minutes. Nothing is read or sent before 2026-11-23 14:30 UTC; then the daemon continues by itself.",
  );
  expect(place.target.reads).toEqual([]);
});

it("asks again if the clock was set back to before the last answer", async () => {
  await using place = await quietPlace();
  place.clock.advance(-3 * 60 * minuteMs);
  await attempt(place);
  expect(await reachedAt(place)).toBe(place.clock.now());
});
