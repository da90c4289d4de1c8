import { describe, expect, it } from "vitest";
import {
  noteEndOfPause,
  parseSendingPause,
  pauseSending,
  refuseInPause,
  resumeSending,
  type SendingPause,
} from "../../../src/cycle/health/sending-pause.ts";
import { forgetTheFuture } from "../../../src/cycle/health/set-back-clock.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import { createWorkplace, kim, lenientGuard, type Workplace } from "../workplace.ts";

const hourMs = 3_600_000;

function pause(place: Workplace, how: Partial<SendingPause> = {}): Promise<StateEvent> {
  const ordered = {
    at: place.clock.now(),
    until: null,
    reason: "a reorganisation",
    by: kim,
    leaversToo: false,
  };
  return pauseSending(place.store, { ...ordered, ...how });
}

function accountOf(place: Workplace, objectId: string) {
  return [...place.target.accounts.values()].find((account) => account.externalId === objectId);
}

describe("a pause of sending", () => {
  it("lets cycles read and plan, sends nothing, shows the plan until the next cycle, and loses nothing", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await pause(place);
    await place.restart();
    const paused = await place.cycle();
    expect(paused).toMatchObject({ outcome: "paused", done: 0, failed: 0, notSent: 1 });
    expect(paused.header.summary).toMatchObject({ create: 1 });
    expect(paused.header.notes).toEqual([
      expect.stringMatching(
        /^Sending is paused until it is resumed, by cli:kim@host since .*: a reorganisation\./,
      ),
    ]);
    expect(await place.operations(paused.cycleId)).toMatchObject([{ action: "create", status: "planned" }]);
    const second = await place.cycle();
    expect(await place.operations(paused.cycleId)).toEqual([]);
    expect(await place.operations(second.cycleId)).toMatchObject([{ action: "create" }]);
    expect(place.target.accounts.size).toBe(0);

    expect(
      await resumeSending(place.store, { at: place.clock.now(), by: kim, reason: "done" }),
    ).toMatchObject({
      kind: "sendingResumed",
      by: kim,
    });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(await resumeSending(place.store, { at: place.clock.now(), by: kim, reason: null })).toBeNull();
  });

  it.each([false, true])(
    "deactivates people who are disabled, and no one else, unless leavers are to wait too (%s)",
    async (leaversToo) => {
      await using place = await createWorkplace();
      for (const name of ["kim", "sam", "lee"]) place.source.hire(name);
      await place.cycle();
      await pause(place, { leaversToo });
      place.source.change("sam", { accountEnabled: false });
      place.source.change("kim", { jobTitle: "Analyst" });
      const paused = await place.cycle();
      expect(paused).toMatchObject({ outcome: "paused", done: leaversToo ? 0 : 1 });
      expect(accountOf(place, "sam")?.active).toBe(leaversToo);
      await resumeSending(place.store, { at: place.clock.now(), by: kim, reason: null });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: leaversToo ? 2 : 1 });
      expect(accountOf(place, "sam")?.active).toBe(false);
    },
  );

  it("switches a leaver off and sends nothing else of them, which the cycle after the pause does", async () => {
    await using place = await createWorkplace();
    place.source.hire("sam");
    await place.cycle();
    await pause(place);
    place.source.change("sam", { accountEnabled: false, jobTitle: "Analyst" });
    const before = accountOf(place, "sam");
    expect(await place.cycle()).toMatchObject({ outcome: "paused", done: 1 });
    expect(accountOf(place, "sam")).toEqual({ ...before, active: false });
    await resumeSending(place.store, { at: place.clock.now(), by: kim, reason: null });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(accountOf(place, "sam")?.values.title).toBe("Analyst");
  });

  it("deactivates a person who is disabled behind more deactivations that wait than a batch has", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, enabled: false } });
    const others = Array.from({ length: 130 }, (_, index) => `p${100 + index}`);
    for (const name of [...others, "zoe", "zed"]) place.source.hire(name);
    place.source.scope = [...others, "zoe", "zed"];
    await place.cycle();
    await pause(place);
    place.source.scope = ["zoe", "zed"];
    place.source.change("zoe", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "paused", done: 1, notSent: 130 });
    expect(accountOf(place, "zoe")?.active).toBe(false);
  });

  it("stops a cycle that is sending, within a batch", async () => {
    await using place = await createWorkplace();
    for (let index = 0; index < 500; index += 1) place.source.hire(`p${1000 + index}`);
    let sent = 0;
    place.target.before = async () => {
      sent += 1;
      if (sent === 1) await pause(place);
    };
    const result = await place.cycle();
    expect(result.outcome).toBe("paused");
    expect(result.done).toBeGreaterThan(0);
    expect(result.done).toBeLessThanOrEqual(256);
    expect(result.done + result.notSent).toBe(500);
  });

  it("lets a cycle that is sending send only active of later leavers, and the cycle after the pause the rest", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, enabled: false } });
    const names = Array.from({ length: 300 }, (_, index) => `p${1000 + index}`);
    for (const name of names) place.source.hire(name);
    await place.cycle();
    for (const name of names) place.source.change(name, { accountEnabled: false, jobTitle: "Analyst" });
    let sent = 0;
    place.target.before = async () => {
      sent += 1;
      if (sent === 1) await pause(place);
    };
    expect(await place.cycle()).toMatchObject({ outcome: "paused", done: 300 });
    expect(place.target.active()).toEqual([]);
    const titled = (): number =>
      names.filter((name) => accountOf(place, name)?.values.title === "Analyst").length;
    expect(titled()).toBeGreaterThan(0);
    expect(titled()).toBeLessThanOrEqual(256);
    await resumeSending(place.store, { at: place.clock.now(), by: kim, reason: null });
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(titled()).toBe(300);
  });

  it("ends by itself, which is reported once", async () => {
    await using place = await createWorkplace();
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    await pause(place, { until: place.clock.now() + 2 * hourMs });
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ outcome: "paused" });
    const ports = { ...place.ports(), fence: "private" } as const;
    await noteEndOfPause(ports);
    place.clock.advance(2 * hourMs);
    await noteEndOfPause(ports);
    await noteEndOfPause(ports);
    expect(events).toMatchObject([{ kind: "sendingResumed", by: null }]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });

  it("does not last for a year after the clock was set back", async () => {
    await using place = await createWorkplace();
    const now = place.clock.now();
    const at = now + 365 * 24 * hourMs;
    await pause(place, { at, until: at + 2 * hourMs });
    await forgetTheFuture({ store: place.store, fence: "private" }, now);
    const meta = await place.store.meta();
    expect(parseSendingPause(meta, now)).toMatchObject({ at: now, until: now + 2 * hourMs });
    expect(parseSendingPause(meta, now + 2 * hourMs)).toBeNull();
  });

  it("refuses what would send at once, in a sentence that says who paused and why", async () => {
    await using place = await createWorkplace();
    const { clock, store } = place;
    refuseInPause(await store.meta(), clock.now());
    await pause(place);
    const meta = await store.meta();
    expect(() => refuseInPause(meta, clock.now())).toThrow(
      /^nothing was done, because sending is paused by cli:kim@host since .* \(a reorganisation\): resume first, /,
    );
  });
});
