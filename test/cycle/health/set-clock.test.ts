import { describe, expect, it } from "vitest";
import { probeDueAt } from "../../../src/cycle/health/quarantine.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace, lenientGuard } from "../workplace.ts";

const dayMs = 86_400_000;
const yearsMs = 3 * 365 * dayMs;

describe("a clock that was years ahead and is set back", () => {
  it("delays no retry", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.clock.advance(yearsMs);
    place.target.before = () => {
      throw new RecordRejectedError("not today", { status: 400 });
    };
    for (let round = 0; round < 4; round += 1) await place.cycle();
    place.target.before = () => {};
    place.clock.advance(-yearsMs);

    const [before] = await place.store.retries(1);
    expect(before?.nextTryAt).toBeGreaterThan(place.clock.now() + dayMs);
    expect((await place.cycle()).header.summary.create).toBe(0);
    const [retry] = await place.store.retries(1);
    // The same delay as before, counted from now.
    expect((retry?.nextTryAt ?? 0) - place.clock.now()).toBe(
      (before?.nextTryAt ?? 0) - (before?.lastFailedAt ?? 0),
    );
    place.clock.advance(dayMs);
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("counts the operations of that time for a day in the guard's window, not for years", async () => {
    const guard = { ...lenientGuard, maxDeactivations: 3 };
    await using place = await createWorkplace({ guard });
    for (const name of ["a", "b", "c", "d", "e", "f"]) place.source.hire(name);
    await place.cycle();
    place.clock.advance(yearsMs);
    for (const name of ["a", "b", "c"]) place.source.change(name, { accountEnabled: false });
    expect((await place.cycle()).outcome).toBe("done");
    place.clock.advance(-yearsMs);

    place.source.change("d", { accountEnabled: false });
    expect((await place.cycle()).outcome).toBe("held");
    place.clock.advance(dayMs);
    expect((await place.cycle()).outcome).toBe("done");
    expect(place.target.active()).toEqual(["e@example.com", "f@example.com"]);
  });

  it("makes the full comparison due again", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.clock.advance(yearsMs);
    await place.cycle();
    expect(Number((await place.store.meta()).reconciledAt)).toBe(place.clock.now());
    place.clock.advance(-yearsMs);
    await place.cycle();
    const meta = await place.store.meta();
    for (const time of [meta.reconciledAt, meta.watermarkAt, meta.targetListedAt]) {
      expect(Number(time)).toBe(place.clock.now());
    }
    for (const cycle of await place.store.recentCycles(5)) {
      expect(cycle.startedAt).toBeLessThanOrEqual(place.clock.now());
      expect(cycle.finishedAt).toBeLessThanOrEqual(place.clock.now());
    }
  });

  it("does not wait for a probe that is years ahead", () => {
    const quarantine = { since: 0, reason: "", attempts: 9, nextProbeAt: yearsMs };
    expect(probeDueAt(quarantine, yearsMs - dayMs)).toBe(yearsMs);
    expect(probeDueAt(quarantine, 1_000)).toBe(0);
    expect(probeDueAt(null, 1_000)).toBe(0);
  });
});

describe("a clock that was not set", () => {
  it("moves no time of an earlier cycle", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const first = await place.cycle();
    const startedAt = place.clock.now();
    await place.cycle();
    const earlier = (await place.store.recentCycles(2)).find(({ id }) => id === first.cycleId);
    expect(earlier).toMatchObject({ startedAt, finishedAt: startedAt });
  });
});
