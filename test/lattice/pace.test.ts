import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  answered,
  complained,
  currentRate,
  delayBefore,
  type Pace,
  started,
  startPace,
  struggled,
} from "../../src/lattice/pace.ts";

const began = Date.UTC(2026, 0, 5, 9);

function startMany(pace: Pace, times: number, everyMs: number): Pace {
  let current = pace;
  for (let index = 0; index < times; index += 1) current = started(current, began + index * everyMs);
  return current;
}

/** Starts and answers, each as soon as it may, for so long. */
function runFor(pace: Pace, from: number, forMs: number): Pace {
  let current = pace;
  for (let now = from; now < from + forMs; ) {
    now += Math.ceil(delayBefore(current, now));
    current = answered(started(current, now), now, now);
    now += 1;
  }
  return current;
}

describe("the pace", () => {
  it("lets the first requests without a ceiling follow one another, and no longer limits after some dozens", () => {
    let pace = started(startPace(null), began);
    expect(delayBefore(pace, began)).toBe(10);
    for (let index = 0; index < 60; index += 1) pace = answered(started(pace, began), began, began);
    expect(delayBefore(started(pace, began + 1000), began + 1000)).toBeLessThan(0.1);
    expect(currentRate(pace)).toBeNull();
  });

  it("keeps a pause however many requests a host accepted before", () => {
    let pace = startPace(null);
    let now = began;
    for (let count = 0; count < 40_000; count += 1) {
      now += 20;
      pace = answered(started(pace, now), now, now);
    }
    pace = complained(pace, now + 100, now + 99, undefined);
    pace = answered(started(pace, now + 300), now + 300, now + 300);
    pace = complained(pace, now + 400, now + 390, 60_000);
    expect(delayBefore(pace, now + 400)).toBe(60_000);
  });

  it("spaces requests evenly under a ceiling", () => {
    expect(delayBefore(started(startPace(10), began), began)).toBe(100);
    expect(delayBefore(started(startPace(10), began), began + 100)).toBe(0);
  });

  it("makes up for a start that was a little late", () => {
    const pace = started(started(startPace(10), began), began + 130);
    expect(delayBefore(pace, began + 130)).toBe(70);
  });

  it("does not make up for a time without waiting requests", () => {
    const pace = started(started(startPace(10), began), began + 5000);
    expect(delayBefore(pace, began + 5000)).toBe(100);
  });

  it("pauses for as long as the host says", () => {
    const pace = complained(started(startPace(null), began), began, began, 7000);
    expect(delayBefore(pace, began)).toBe(7000);
  });

  it("pauses shortly if the host does not say how long, then for a second, doubled each time, up to a minute", () => {
    let pace = startPace(null);
    let now = began;
    const pauses: number[] = [];
    for (let index = 0; index < 9; index += 1) {
      pace = complained(pace, now, now, undefined);
      pauses.push(pace.pausedUntil - now);
      now = pace.pausedUntil;
    }
    expect(pauses).toEqual([100, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    pace = answered(pace, now, now);
    pace = complained(pace, now + 1, now + 1, undefined);
    expect(pace.pausedUntil - now - 1).toBe(100);
  });

  it("goes back to just below the accepted rate, once for all complaints about parallel requests", () => {
    const steady = runFor(startPace(20), began, 5000);
    const once = complained(steady, began + 5050, began + 5050, 1000);
    expect(once.rate).toBeGreaterThan(18);
    expect(once.rate).toBeLessThan(20);
    const sideBySide = complained(once, began + 5060, began + 5040, 1000);
    expect(sideBySide.rate).toBe(once.rate);
    expect(complained(sideBySide, began + 6100, began + 6100, 1000).rate).toBeLessThan(once.rate);
  });

  it("falls steeply if the host suddenly accepts next to nothing", () => {
    let pace = runFor(startPace(40), began, 5000);
    let now = began + 5000;
    for (let index = 0; index < 4; index += 1) {
      pace = complained(pace, now, now, undefined);
      now += Math.ceil(delayBefore(pace, now));
    }
    expect(pace.rate).toBeLessThan(5);
  });

  it("is close to the known limit within a second and a half", () => {
    const refused = complained(runFor(startPace(20), began, 5000), began + 5050, began + 5050, undefined);
    const limit = refused.limit ?? Number.NaN;
    expect(runFor(refused, began + 5150, 1500).rate).toBeGreaterThan(limit * 0.985);
  });

  it("keeps away from a limit that it found again, for longer if the host asked for a longer pause", () => {
    const twice = (retryAfterMs: number | undefined): Pace => {
      const once = complained(runFor(startPace(20), began, 5000), began + 5050, began + 5050, retryAfterMs);
      const from = once.pausedUntil;
      return complained(runFor(once, from, 3000), from + 3050, from + 3050, retryAfterMs);
    };
    for (const [retryAfterMs, holdMs] of [
      [undefined, 4000],
      [1000, 20_000],
      [7000, 140_000],
    ] as const) {
      const pace = twice(retryAfterMs);
      expect(pace.heldUntil - pace.pausedUntil).toBe(holdMs);
      const limit = pace.limit ?? Number.NaN;
      expect(runFor(pace, pace.pausedUntil, holdMs - 100).rate).toBeLessThan(limit * 1.001);
      expect(runFor({ ...pace, ceiling: 1000 }, pace.pausedUntil, holdMs + 5000).rate).toBeGreaterThan(
        limit * 1.5,
      );
    }
  });

  it("tries a limit again that has risen: it may be higher still", () => {
    const once = complained(runFor(startPace(20), began, 5000), began + 5050, began + 5050, undefined);
    const risen = runFor({ ...once, ceiling: 100 }, began + 5150, 3000);
    expect(risen.rate).toBeGreaterThan(25);
    const again = complained(risen, began + 8160, began + 8160, undefined);
    expect(again.heldUntil).toBe(again.pausedUntil);
    // The count of accepted requests lags behind a rate that rises so fast.
    expect(again.limit).toBeGreaterThanOrEqual(risen.rate / 2);
  });

  it("does not count a long pause as a time in which the host accepted little", () => {
    const paused = complained(runFor(startPace(20), began, 5000), began + 5050, began + 5050, 7000);
    const from = paused.pausedUntil;
    const again = complained(runFor(paused, from, 400), from + 450, from + 450, 7000);
    expect(again.limit).toBeGreaterThan((paused.limit ?? Number.NaN) * 0.9);
  });

  it("counts the slower rate from the start before the complaint", () => {
    const pace = complained(started(startPace(2), began), began + 10, began, 1);
    expect(delayBefore(pace, began + 10)).toBeCloseTo(1000 / pace.rate - 10);
    expect(pace.rate).toBeLessThan(2);
  });

  it("learns nothing from a time without requests", () => {
    const refused = complained(runFor(startPace(20), began, 5000), began + 5050, began + 5050, undefined);
    const later = began + 3_600_000;
    const pace = answered(started({ ...refused, ceiling: 1000 }, later), later, later + 1);
    expect(pace.rate).toBeLessThan((refused.limit ?? Number.NaN) * 1.01);
  });

  it("does not rise if something else keeps requests from starting", () => {
    const refused = complained(startMany(startPace(null), 5, 10), began + 50, began + 50, undefined);
    let pace = refused;
    for (let now = began + 1000; now < began + 60_000; now += 500)
      pace = answered(started(pace, now), now, now + 400);
    expect(pace.rate).toBe(refused.rate);
  });

  it("takes half of the rate that a struggling host accepted, for ten seconds", () => {
    const pace = struggled(runFor(startPace(20), began, 5000), began + 5050, began + 5050);
    expect(delayBefore(pace, began + 5050)).toBeLessThan(200);
    expect(pace.rate).toBeGreaterThan(9);
    expect(runFor(pace, began + 5050, 9900).rate).toBeLessThan(10.2);
    expect(runFor(pace, began + 5050, 20_000).rate).toBe(20);
  });

  it("never exceeds the ceiling, however much it rises", () => {
    let pace = complained(startMany(startPace(10), 10, 100), began + 1000, began + 900, 0);
    for (let index = 0; index < 1000; index += 1) pace = answered(pace, began + 2000, began + 2000);
    pace = runFor(pace, began + 2000, 60_000);
    expect(delayBefore(started(pace, began + 90_000), began + 90_000)).toBe(100);
  });
});

describe("whatever a host answers and however late timers are, the pace", () => {
  const ceiling = fc.double({ min: 0.1, max: 200, noNaN: true });
  const turns = fc.array(
    fc.record({
      lateMs: fc.integer({ min: 0, max: 80 }),
      idleMs: fc.constantFrom(0, 0, 0, 0, 3000),
      latencyMs: fc.constantFrom(0, 1, 40),
      answer: fc.constantFrom("taken", "taken", "taken", "taken", "refused", "struggling"),
      retryAfterMs: fc.constantFrom(undefined, 0, 250, 1000),
    }),
    { minLength: 1, maxLength: 300 },
  );

  it("starts no more in any second than the ceiling and the worth of 50 ms", () => {
    fc.assert(
      fc.property(ceiling, turns, (perSecond, all) => {
        const { starts } = play(startPace(perSecond), all);
        const most = Math.ceil(perSecond * 1.05) + 1;
        starts.forEach((at, index) => {
          expect((starts[index + most] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(1000);
        });
      }),
    );
  });

  it("starts nothing during a pause that the host asked for", () => {
    fc.assert(
      fc.property(fc.option(ceiling), turns, (perSecond, all) => {
        const { starts, pauses } = play(startPace(perSecond), all);
        for (const { from, until } of pauses) {
          expect(starts.filter((at) => at > from && at < until)).toEqual([]);
        }
      }),
    );
  });

  it("is never faster after a complaint than before", () => {
    fc.assert(
      fc.property(fc.option(ceiling), turns, (perSecond, all) => {
        play(startPace(perSecond), all, (before, after, now) => {
          expect(after.rate).toBeLessThanOrEqual(before.rate);
          expect(delayBefore(after, now)).toBeGreaterThanOrEqual(delayBefore(before, now));
        });
      }),
    );
  });

  it("is back at its ceiling after its hold time without a complaint, and half a minute", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 100, noNaN: true }), turns, (perSecond, all) => {
        const { pace, now } = play(startPace(perSecond), all);
        const from = Math.max(now, pace.pausedUntil, pace.heldUntil);
        expect(runFor(pace, from, 30_000).rate).toBe(perSecond);
      }),
      { numRuns: 30 },
    );
  });
});

interface Turn {
  readonly lateMs: number;
  readonly idleMs: number;
  readonly latencyMs: number;
  readonly answer: string;
  readonly retryAfterMs: number | undefined;
}

/** One request after the other, as the limiter would send them, with timers that are late and a host that does as it likes. */
function play(
  first: Pace,
  turns: readonly Turn[],
  onComplaint: (before: Pace, after: Pace, now: number) => void = () => {},
) {
  let pace = first;
  let now = began;
  const starts: number[] = [];
  const pauses: { readonly from: number; readonly until: number }[] = [];
  for (const { lateMs, idleMs, latencyMs, answer, retryAfterMs } of turns) {
    now += idleMs;
    const delayMs = delayBefore(pace, now);
    if (delayMs > 0) now += Math.ceil(delayMs) + lateMs;
    starts.push(now);
    pace = started(pace, now);
    const startedAt = now;
    now += latencyMs;
    const before = pace;
    if (answer === "taken") {
      pace = answered(pace, startedAt, now);
      continue;
    }
    if (answer === "struggling") pace = struggled(pace, now, startedAt);
    else {
      pace = complained(pace, now, startedAt, retryAfterMs);
      pauses.push({ from: now, until: now + (retryAfterMs ?? 0) });
    }
    onComplaint(before, pace, now);
  }
  return { pace, now, starts, pauses };
}
