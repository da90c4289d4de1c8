import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFirings } from "../../../src/daemon/fleet/firing.ts";

const hour = 3_600_000;
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
  expect(nextFiring(nightly, start + 2 * hour)).toBe(start + 24 * hour + hour / 2);
});

it("without a start it is the next time from now", () => {
  const nextFiring = createFirings();
  expect(nextFiring(nightly, null)).toBe(start + hour / 2);
  vi.setSystemTime(start + 2 * hour);
  expect(nextFiring(nightly, null)).toBe(start + 24 * hour + hour / 2);
});
