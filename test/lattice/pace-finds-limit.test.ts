import { describe, expect, it } from "vitest";
import { answered, complained, delayBefore, started, startPace } from "../../src/lattice/pace.ts";
import { createRandom, type Random } from "../../src/sandbox/random.ts";

describe("against a host that accepts so many requests a second and holds a tenth of a second's worth, the pace", () => {
  it.each([
    [5, 0.87, 0.06],
    [25, 0.97, 0.0125],
    [200, 0.97, 0.005],
  ])("finds the limit of %d without a ceiling", (perSecond, least, mostRefused) => {
    for (const seed of [1, 2, 3]) {
      const { taken, refused } = converse({ limits: [{ perSecond, seconds: 80 }], seed });
      expect(taken / (80 * perSecond)).toBeGreaterThan(least);
      expect(refused / (taken + refused)).toBeLessThan(mostRefused);
    }
  });

  it.each([
    ["", undefined, 0.85, 0.03],
    [", also where the host asks for a second's pause each time", 1, 0.4, 0.03],
  ])("follows a limit that changes%s", (_case, retryAfter, least, mostRefused) => {
    const limits = [10, 40, 5].map((perSecond) => ({ perSecond, seconds: 40 }));
    for (const seed of [1, 2, 3]) {
      const { taken, refused } = converse({ limits, retryAfter, seed });
      expect(taken / (55 * 40)).toBeGreaterThan(least);
      expect(refused / (taken + refused)).toBeLessThan(mostRefused);
    }
  });

  it("meets few refusals if answers take long and eight requests are under way", () => {
    const limits = [
      { perSecond: 40, seconds: 30 },
      { perSecond: 5, seconds: 30 },
    ];
    for (const seed of [1, 2, 3]) {
      const { taken, refused } = converse({ limits, latencyMs: 200, seed });
      expect(taken / (45 * 30)).toBeGreaterThan(0.9);
      expect(refused / (taken + refused)).toBeLessThan(0.05);
    }
  });

  it("uses all that a host accepts, without a refusal, if the ceiling is the limit and timers are late", () => {
    for (const seed of [1, 2, 3]) {
      const { taken, refused } = converse({
        limits: [{ perSecond: 25, seconds: 80 }],
        ceiling: 25,
        seed,
        lateMs: 20,
      });
      expect(taken / (25 * 80)).toBeGreaterThan(0.99);
      expect(refused).toBe(0);
    }
  });
});

interface Conversation {
  /** One after the other. */
  readonly limits: readonly { readonly perSecond: number; readonly seconds: number }[];
  readonly seed: number;
  readonly ceiling?: number;
  readonly retryAfter?: number | undefined;
  readonly latencyMs?: number;
  /** Timers are late by up to this much. */
  readonly lateMs?: number;
}

/** Eight requests at most under way, in time that is counted and not waited for. */
function converse({ limits, seed, ceiling, retryAfter, latencyMs = 1, lateMs = 2 }: Conversation) {
  const random: Random = createRandom(seed, "pace");
  const endsAt = limits.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
  const admit = bucketOf(limits);
  const underWay: { readonly startedAt: number; readonly answeredAt: number; readonly taken: boolean }[] = [];
  const counts = { taken: 0, refused: 0 };
  let pace = startPace(ceiling ?? null);
  let now = 0;
  while (now < endsAt) {
    const free = underWay.length < 8;
    const delayMs = delayBefore(pace, now);
    if (free && delayMs === 0) {
      pace = started(pace, now);
      const arrivesAt = now + (latencyMs + random.int(2)) / 2;
      const taken = admit(arrivesAt);
      counts[taken ? "taken" : "refused"] += 1;
      underWay.push({ startedAt: now, answeredAt: Math.ceil(arrivesAt + latencyMs / 2), taken });
      continue;
    }
    const startsAt = free ? now + Math.ceil(delayMs) + random.int(lateMs) : Number.POSITIVE_INFINITY;
    const [next] = underWay;
    if (next === undefined || startsAt < next.answeredAt) {
      now = startsAt;
      continue;
    }
    underWay.shift();
    now = Math.max(now, next.answeredAt);
    pace = next.taken
      ? answered(pace, next.startedAt, now)
      : complained(pace, now, next.startedAt, retryAfter === undefined ? undefined : retryAfter * 1000);
  }
  return counts;
}

function bucketOf(limits: Conversation["limits"]): (now: number) => boolean {
  let tokens = 1;
  let last = 0;
  return (now) => {
    let ends = 0;
    const { perSecond = 1 } =
      limits.find(({ seconds }) => {
        ends += seconds * 1000;
        return now < ends;
      }) ??
      limits.at(-1) ??
      {};
    tokens = Math.min(Math.max(1, perSecond / 10), tokens + ((now - last) / 1000) * perSecond);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
