import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFirings } from "../../src/daemon/firing.ts";

const second = 1_000;
const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 23, 2, 30);
const nightly = { kind: "cron", cron: "0 3 * * *", timezone: "UTC" } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

it("a time at which the expression fired during a cycle is still to come after it, so that it is caught up", () => {
  const nextFiring = createFirings();
  expect(nextFiring(nightly, start)).toBe(start + hour / 2);
  vi.setSystemTime(start + 2 * hour);
  expect(nextFiring(nightly, start)).toBe(start + hour / 2);
  expect(nextFiring(nightly, start + 2 * hour)).toBe(start + day + hour / 2);
});

it("a time at which no daemon was there is found by one that starts later", () => {
  vi.setSystemTime(start + 3 * day);
  expect(createFirings()(nightly, start)).toBe(start + hour / 2);
  const quarterly = { ...nightly, cron: "50 */6 * * MON", timezone: "Asia/Kathmandu" } as const;
  // Monday, 6:50 in Kathmandu.
  expect(createFirings()(quarterly, start - 2 * hour)).toBe(Date.UTC(2026, 10, 23, 1, 5));
});

it("a monthly time is found after it was missed, and one of years ago is not", () => {
  vi.setSystemTime(Date.UTC(2026, 10, 23));
  const monthly = { ...nightly, cron: "0 3 1 * *" };
  expect(createFirings()(monthly, Date.UTC(2026, 9, 25))).toBe(Date.UTC(2026, 10, 1, 3));
  expect(createFirings()({ ...nightly, cron: "0 3 1 1 *" }, 0)).toBe(Date.UTC(2027, 0, 1, 3));
});

it.each([-hour, -5 * second, 5 * second, hour])(
  "is the same by a clock that differs from the server's by %i ms",
  (wrongBy) => {
    const three = start + hour / 2;
    vi.setSystemTime(three + second + wrongBy);
    // The cycle of 3 o'clock has begun: the next one is tomorrow's, though it is not yet 3 o'clock here.
    expect(createFirings()(nightly, three + second)).toBe(three + day);
    // That of today is still to come, though it is past 3 o'clock here.
    vi.setSystemTime(three - second + wrongBy);
    expect(createFirings()(nightly, three - second)).toBe(three);
    const everyMinute = { ...nightly, cron: "* * * * *" };
    expect(createFirings()(everyMinute, three + second)).toBe(three + 60 * second);
  },
);

it("a time that the change to summer time leaves out waits for the next day", () => {
  const local = { ...nightly, cron: "30 2 * * *", timezone: "Europe/Berlin" };
  const before = Date.UTC(2026, 2, 28, 1, 30);
  const after = Date.UTC(2026, 2, 30, 0, 30);
  for (const now of [before, after + hour]) {
    vi.setSystemTime(now);
    expect(createFirings()(local, before)).toBe(after);
  }
});

it("a time that comes twice at the end of summer time fires once, the second time, whenever it is asked for", () => {
  const local = { ...nightly, cron: "30 2 * * *", timezone: "Europe/Berlin" };
  const before = Date.UTC(2026, 9, 24, 23);
  const second = Date.UTC(2026, 9, 25, 1, 30);
  for (const now of [before, second - hour / 2, second + hour]) {
    vi.setSystemTime(now);
    expect(createFirings()(local, before)).toBe(second);
    expect(createFirings()(local, second)).toBe(second + day);
  }
});

it("one of every hour goes on while the hour comes twice", () => {
  const local = { ...nightly, cron: "*/30 * * * *", timezone: "Europe/Berlin" };
  const first = Date.UTC(2026, 9, 25, 0);
  for (const half of [0, 1, 2, 3]) {
    vi.setSystemTime(first + (half * hour) / 2 + second);
    expect(createFirings()(local, first + ((half - 1) * hour) / 2)).toBe(first + (half * hour) / 2);
  }
});
