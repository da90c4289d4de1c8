import { describe, expect, it } from "vitest";
import { clockDoubt, planInDoubt } from "../../../src/cycle/health/clock-doubt.ts";
import { HostUnavailableError, RecordRejectedError } from "../../../src/domain/errors.ts";
import type { Change } from "../../../src/domain/plan.ts";
import type { PersonPlan } from "../../../src/domain/state/planning.ts";
import {
  atOnce,
  createWorkplace,
  defaultRules,
  lenientGuard,
  mappingOf,
  type Workplace,
} from "../workplace.ts";

const dayMs = 24 * 60 * 60_000;
const yearMs = 365 * dayMs;
const minuteMs = 60_000;
const never = new AbortController().signal;

/** From here on, our clock is ahead of the clocks of both ends. */
function setWrong(place: Workplace, byMs: number): void {
  place.clock.advance(byMs);
  place.clocks = { entra: () => -byMs, lattice: async () => -byMs };
}

function setRight(place: Workplace, byMs: number): void {
  place.clock.advance(-byMs);
  place.clocks = { entra: () => 0, lattice: async () => 0 };
}

describe("a clock that Entra and Lattice contradict", () => {
  const inAWeek = { do: "deactivate", afterMs: 7 * dayMs } as const;

  it.each([yearMs, -yearMs])(
    "carries out no delayed deactivation, and loses none of the delay: %i ms",
    async (wrong) => {
      await using place = await createWorkplace({ events: { ...atOnce, disabled: inAWeek } });
      for (const id of ["a", "b", "c"]) place.source.hire(id);
      await place.cycle();
      place.source.change("a", { accountEnabled: false });
      await place.cycle();
      const firstSeen = place.clock.now();
      setWrong(place, wrong);
      // Another person is disabled while the clock is wrong, and the others are processed.
      place.source.change("b", { accountEnabled: false });
      place.source.change("c", { jobTitle: "Analyst" });
      const doubtful = await place.cycle({ full: true });
      expect(doubtful).toMatchObject({ outcome: "done", done: 1 });
      expect(doubtful.header.summary).toMatchObject({ deactivate: 0, update: 1 });
      const side = wrong > 0 ? "ahead of" : "behind";
      expect(doubtful.header.notes).toEqual([
        `This machine's clock is 365 days ${side} those of Entra and Lattice. Correct it (NTP). Until then, changes that depend on the time are not planned, and the provisioning log is not trimmed.`,
      ]);
      expect(place.warnings.join()).toContain("clockDoubtMs");
      expect((await place.store.recentCycles(1))[0]?.notes).toEqual(doubtful.header.notes);
      expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
        // By the slow clock as well as by the right one, the first deactivation is not due.
        { objectId: "a", code: wrong > 0 ? "clockInDoubt" : "deactivationDelayed" },
        { objectId: "b", code: "clockInDoubt" },
      ]);
      setRight(place, wrong);

      const again = await place.cycle();
      expect(again.header.notes).toEqual([]);
      expect(place.target.active()).toHaveLength(3);
      const seen = async (id: string) =>
        (
          await place.store.candidates({ select: { only: [id] }, everyoneInScope: true, after: "", limit: 1 })
        )[0]?.events.get("disabled");
      expect(await seen("a")).toBe(firstSeen);
      expect(await seen("b")).toBe(place.clock.now());
      place.clock.advance(7 * dayMs - (place.clock.now() - firstSeen));
      await place.cycle();
      expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);
    },
  );

  it.each([
    ["disabled", -60 * minuteMs],
    ["disabled", -yearMs],
    ["disabled", yearMs],
    ["deleted", -yearMs],
    ["outOfScope", -yearMs],
  ] as const)(
    "does not delay a deactivation that has no delay, if the first attempt failed: %s, %i ms",
    async (event, wrong) => {
      await using place = await createWorkplace({});
      for (const id of ["a", "b"]) place.source.hire(id);
      place.source.scope = ["a", "b"];
      await place.cycle();
      if (event === "disabled") place.source.change("a", { accountEnabled: false });
      if (event === "deleted") place.source.remove("a", "softDeleted");
      if (event === "outOfScope") place.source.scope = ["b"];
      place.target.before = () => {
        throw new RecordRejectedError("not allowed", { status: 422 });
      };
      expect(await place.cycle()).toMatchObject({ outcome: "someFailed", failed: 1 });
      place.target.before = () => {};
      setWrong(place, wrong);
      expect((await place.cycle()).header.summary).toMatchObject({ deactivate: 1, skipped: 0 });
      expect(place.target.active()).toEqual(["b@example.com"]);
    },
  );

  it("keeps no one active for whom only the reason depends on the clock, and sends what both clocks plan", async () => {
    await using place = await createWorkplace({ events: { ...atOnce, outOfScope: inAWeek } });
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.scope = ["a", "b"];
    await place.cycle();
    place.source.scope = ["b"];
    await place.cycle();
    // Out of scope for a week by the fast clock alone; disabled by both.
    setWrong(place, yearMs);
    place.source.change("a", { accountEnabled: false });
    const doubtful = await place.cycle();
    expect(await place.operations(doubtful.cycleId)).toMatchObject([
      { objectId: "a", action: "deactivate", evidence: { kind: "accountDisabled" } },
    ]);
    expect(place.target.active()).toEqual(["b@example.com"]);
    setRight(place, yearMs);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
  });

  it("keeps a deactivation held that has no delay", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, maxDeactivations: 1 } });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2 });
    setWrong(place, -yearMs);
    for (const id of ["a", "b"]) place.source.change(id, { jobTitle: "Left" });
    const again = await place.cycle();
    expect(again).toMatchObject({ outcome: "held", heldOperations: 2 });
    expect(again.header.summary).toMatchObject({ deactivate: 2, skipped: 0 });
  });

  it.each([yearMs, -yearMs])(
    "makes no account before a first day, and deactivates none after a last day: %i ms",
    async (wrong) => {
      const mapping = mappingOf(defaultRules, [
        { clauses: [{ attribute: "employeeHireDate", operator: "IN THE PAST" }] },
      ]);
      await using place = await createWorkplace({ mapping });
      const hired = (days: number) => ({
        employeeHireDate: new Date(place.clock.now() + days * dayMs).toISOString(),
      });
      place.source.hire("old", hired(-2 * 365));
      place.source.hire("recent", hired(-10));
      place.source.hire("soon", hired(10));
      await place.cycle();
      expect(place.target.active()).toEqual(["old@example.com", "recent@example.com"]);
      setWrong(place, wrong);
      for (const id of ["old", "recent", "soon"]) place.source.change(id, { jobTitle: "Analyst" });
      const result = await place.cycle();
      expect(result.header.summary).toMatchObject({ create: 0, deactivate: 0 });
      expect(place.target.account("old@example.com").values.title).toBe("Analyst");
      setRight(place, wrong);
      await place.cycle();
      expect(place.target.active()).toEqual(["old@example.com", "recent@example.com"]);
      expect(place.target.account("recent@example.com").values.title).toBe("Analyst");
      place.clock.advance(11 * dayMs);
      await place.cycle();
      expect(place.target.active()).toHaveLength(3);
    },
  );

  it.each([yearMs, -yearMs])(
    "keeps earlier operations and its own in the guard's window: %i ms",
    async (wrong) => {
      const guard = { ...lenientGuard, maxDeactivations: 3 };
      await using place = await createWorkplace({ guard });
      for (const id of ["a", "b", "c", "d", "e", "f", "g"]) place.source.hire(id);
      await place.cycle();
      for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: false });
      expect((await place.cycle()).outcome).toBe("done");
      setWrong(place, wrong);
      for (const id of ["c", "d"]) place.source.change(id, { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0 });
      place.source.change("d", { accountEnabled: true });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
      setRight(place, wrong);
      place.source.change("e", { accountEnabled: false });
      expect((await place.cycle()).outcome).toBe("held");
      place.clock.advance(dayMs);
      expect((await place.cycle()).outcome).toBe("done");
    },
  );

  it("removes no entry from the log", async () => {
    await using place = await createWorkplace({ retentionMs: 30 * dayMs });
    place.source.hire("a");
    await place.cycle();
    setWrong(place, yearMs);
    await place.cycle();
    await place.cycle();
    expect(await place.store.recentCycles(9)).toHaveLength(3);
    setRight(place, yearMs);
    place.clock.advance(40 * dayMs);
    await place.cycle();
    await place.cycle();
    expect(await place.store.recentCycles(9)).toHaveLength(2);
  });

  it("deactivates no account that only one of the clocks gives to the person, and no one with changes of one clock", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    const [candidate] = await place.store.candidates({
      select: "everybody",
      everyoneInScope: true,
      after: "",
      limit: 1,
    });
    if (candidate === undefined) throw new Error("nobody is known");
    const off = { attribute: "active", before: true, after: false };
    const title = { attribute: "title", before: null, after: "Analyst" };
    const plan = (latticeId: string, changes: readonly Change[], formerOwner?: string): PersonPlan => ({
      kind: "operation",
      operation: {
        objectId: "a",
        userName: "a@example.com",
        action: "deactivate",
        reason: "account disabled in Entra",
        evidence: { kind: "accountDisabled", detail: "account disabled in Entra" },
        latticeId,
        adopts: formerOwner !== undefined,
        changes,
        ...(formerOwner === undefined ? {} : { formerOwner }),
      },
      referencePending: false,
    });
    const agreed = planInDoubt(candidate, plan("lat-1", [off]), plan("lat-1", [off, title]));
    expect(agreed).toMatchObject({ operation: { latticeId: "lat-1", changes: [off] } });
    for (const other of [plan("lat-2", [off]), plan("lat-1", [off], "b")]) {
      expect(planInDoubt(candidate, plan("lat-1", [off]), other)).toMatchObject({
        skipped: { code: "clockInDoubt" },
      });
    }
  });

  it("removes no entry from the log if the clock is set right while the cycle runs", async () => {
    await using place = await createWorkplace({ retentionMs: 30 * dayMs });
    place.source.hire("a");
    await place.cycle();
    place.clock.advance(3 * dayMs);
    await place.cycle();
    place.clock.advance(yearMs);
    let right = false;
    place.clocks = {
      entra: () => {
        if (!right) place.clock.advance(-yearMs);
        right = true;
        return 0;
      },
      lattice: async () => 0,
    };
    const { header, durationMs } = await place.cycle();
    expect(await place.store.recentCycles(9)).toHaveLength(3);
    expect(header.createdAt).toBe(place.clock.now());
    expect(durationMs).toBe(0);
  });

  it("notes the true time of a cycle that breaks off", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    setWrong(place, -yearMs);
    place.source.breakList = true;
    await expect(place.cycle({ full: true })).rejects.toThrow("the directory went away");
    const [last] = await place.store.recentCycles(1);
    expect(last?.finishedAt).toBe(place.clock.now() + yearMs);
  });

  it("asks about no other account to confirm a missing one, because the hours that have passed are unknown", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.target.hidden.add("lat-1");
    await place.cycle({ full: true });
    place.target.reads.length = 0;
    place.clock.advance(7 * 60 * minuteMs);
    setWrong(place, 60 * minuteMs);
    await place.cycle();
    expect(place.target.reads).toEqual(["get lat-1"]);
    expect(await place.store.latticeIdOf("b")).toBe("lat-2");
  });

  it.each([
    ["a full comparison", { full: true }],
    ["a cycle of changes", {}],
    ["a cycle on demand", { only: ["a"] }],
  ])("removes no link if signing in shows no time: %s", async (_case, request) => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.target.accounts.delete("lat-1");
    await place.cycle({ full: true });
    // As with a managed identity: the directory's first answer has the time.
    let answered = false;
    const { readAll, readChanges, readUser } = place.source;
    place.source.readAll = (signal) => {
      answered = true;
      return readAll(signal);
    };
    place.source.readChanges = (watermark, signal) => {
      answered = true;
      return readChanges(watermark, signal);
    };
    place.source.readUser = (id, signal) => {
      answered = true;
      return readUser(id, signal);
    };
    place.clock.advance(yearMs);
    place.clocks = { entra: () => (answered ? -yearMs : undefined), lattice: async () => -yearMs };
    await place.cycle(request);
    expect((await place.store.linkOf("a"))?.latticeId).toBe("lat-1");
  });

  it("accepts no scope whose alarm would have a wrong time", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 2 } });
    for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
    place.source.groups = { sales: ["a", "b", "c"], legal: ["d"] };
    await place.cycle();
    const before = (await place.store.meta()).acceptedScope;
    setWrong(place, yearMs);
    place.source.groups = { sales: [], legal: ["d"] };
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3 });
    expect((await place.store.meta()).acceptedScope).toBe(before);
    setRight(place, yearMs);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3 });
  });
});

describe("whether our clock is doubted", () => {
  const ends = (entra: number | undefined, lattice: number | undefined | Error) => ({
    entra: () => entra,
    lattice: async () => {
      if (lattice instanceof Error) throw lattice;
      return lattice;
    },
  });

  it.each<[string, ReturnType<typeof ends> | undefined, number]>([
    ["nobody says the time", undefined, 0],
    ["both are within some minutes", ends(4 * minuteMs, -4 * minuteMs), 0],
    ["Entra alone differs", ends(yearMs, 0), 0],
    ["Lattice does not say", ends(yearMs, undefined), 0],
    ["Lattice does not answer", ends(yearMs, new HostUnavailableError("down")), 0],
    ["they contradict each other", ends(yearMs, -yearMs), 0],
    ["both are ahead of it", ends(6 * minuteMs, 10 * minuteMs), 6 * minuteMs],
    ["both are behind it", ends(-10 * minuteMs, -6 * minuteMs), -6 * minuteMs],
  ])("if %s", async (_name, clocks, expected) => {
    expect(await clockDoubt(clocks, never)).toBe(expected);
  });

  it("does not ask Lattice if Entra's clock agrees", async () => {
    let asked = 0;
    const lattice = async () => {
      asked += 1;
      return 0;
    };
    await clockDoubt({ entra: () => 0, lattice }, never);
    expect(asked).toBe(0);
  });
});
