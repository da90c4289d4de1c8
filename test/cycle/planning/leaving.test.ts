import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { releasedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import { judgeLeaving } from "../../../src/cycle/planning/leaving.ts";
import type { EventAction } from "../../../src/cycle/ports/settings.ts";
import { RecordUnavailableError } from "../../../src/domain/errors.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { kept } from "../../state/kept.ts";
import { atOnce, createWorkplace, mappingOf, type Workplace } from "../workplace.ts";

const dayMs = 86_400_000;
const week: EventAction = { do: "deactivate", afterMs: 7 * dayMs };
const ignore: EventAction = { do: "ignore" };

/** Three people who have accounts. */
async function company(events: Partial<typeof atOnce>): Promise<Workplace> {
  const place = await createWorkplace({ events: { ...atOnce, ...events } });
  for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst", department: "Sales" });
  place.source.scope = ["a", "b", "c"];
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

const isActive = (place: Workplace): boolean => place.target.account("a@example.com").active !== false;

async function leftAlone(place: Workplace): Promise<readonly { code: string; reason: string }[]> {
  const skipped = await place.store.skipped({ after: "", limit: 10 });
  return skipped.map(({ code, reason }) => ({ code, reason }));
}

type Event = "deleted" | "outOfScope" | "disabled";

function happen(place: Workplace, event: Event): void {
  if (event === "deleted") place.source.remove("a", "softDeleted");
  if (event === "disabled") place.source.change("a", { accountEnabled: false });
  if (event === "outOfScope") place.source.scope = ["b", "c"];
}

function undo(place: Workplace, event: Event): void {
  if (event === "deleted") place.source.restore("a");
  if (event === "disabled") place.source.change("a", { accountEnabled: true });
  if (event === "outOfScope") place.source.scope = ["a", "b", "c"];
}

const events = ["deleted", "outOfScope", "disabled"] as const;

describe.each(events)("the event %s", (event) => {
  it("deactivates at once by default", async () => {
    await using place = await company({});
    happen(place, event);
    expect((await place.cycle()).header.summary.deactivate).toBe(1);
    expect(isActive(place)).toBe(false);
  });

  it("does not change the account at all if it is ignored, until it is undone", async () => {
    await using place = await company({ [event]: ignore });
    happen(place, event);
    if (event !== "deleted") place.source.change("a", { jobTitle: "Left" });
    await place.cycle();
    place.clock.advance(400 * dayMs);
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    expect(await leftAlone(place)).toMatchObject([{ code: "eventIgnored" }]);
    undo(place, event);
    place.source.change("a", { jobTitle: "Back" });
    await place.cycle();
    expect(place.target.account("a@example.com")).toMatchObject({ active: true, values: { title: "Back" } });
    expect(await leftAlone(place)).toEqual([]);
  });

  it("deactivates when the delay is over, by a cycle without other changes", async () => {
    await using place = await company({ [event]: week });
    happen(place, event);
    const seenAt = place.clock.now() + place.settings.intervalMs;
    expect((await place.cycle()).header.summary).toMatchObject({ deactivate: 0, skipped: 1 });
    const until = new Date(seenAt + 7 * dayMs).toISOString().slice(0, 16).replace("T", " ");
    expect(await leftAlone(place)).toEqual([
      { code: "deactivationDelayed", reason: expect.stringContaining(`deactivated on ${until} UTC`) },
    ]);
    place.clock.advance(7 * dayMs - 2 * place.settings.intervalMs);
    // A moment earlier, no person is planned.
    const before = await place.cycle();
    expect(before.header).toMatchObject({ cycle: "incremental", summary: { deactivate: 0, skipped: 1 } });
    expect(isActive(place)).toBe(true);
    const due = await place.cycle();
    expect(due.header).toMatchObject({ cycle: "incremental", summary: { deactivate: 1, skipped: 0 } });
    expect(isActive(place)).toBe(false);
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({
      deactivate: 0,
      reactivate: 0,
    });
  });

  it("restarts the delay if it is undone and happens again", async () => {
    await using place = await company({ [event]: week });
    happen(place, event);
    await place.cycle();
    place.clock.advance(4 * dayMs);
    undo(place, event);
    await place.cycle();
    expect(await leftAlone(place)).toEqual([]);
    happen(place, event);
    await place.cycle();
    place.clock.advance(4 * dayMs);
    await place.cycle({ full: true });
    expect(isActive(place)).toBe(true);
    place.clock.advance(3 * dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });
});

describe("the delay of a deactivation", () => {
  it("goes on while the person changes, and after a restart", async () => {
    await using place = await company({ disabled: week });
    happen(place, "disabled");
    await place.cycle();
    place.clock.advance(6 * dayMs);
    place.source.change("a", { jobTitle: "Changed" });
    await place.restart();
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    place.clock.advance(dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });

  it("starts again with a lost database", async () => {
    await using place = await company({ disabled: week });
    happen(place, "disabled");
    await place.cycle();
    place.clock.advance(6 * dayMs);
    await place.store.close();
    for (const ending of ["", "-wal", "-shm"]) rmSync(`${place.path}${ending}`, { force: true });
    place.store = openStore(place.path);
    await place.cycle();
    place.clock.advance(6 * dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(true);
    place.clock.advance(dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });

  it("counts from the same day if it is lengthened or shortened", async () => {
    await using place = await company({ disabled: week });
    happen(place, "disabled");
    await place.cycle();
    place.clock.advance(2 * dayMs);
    const shorter: EventAction = { do: "deactivate", afterMs: dayMs };
    // As after a change of configuration: everybody is planned.
    place.settings = {
      ...place.settings,
      events: { ...atOnce, disabled: shorter },
      mapping: { ...place.settings.mapping, digest: "other" },
    };
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });

  it("is not reported if deactivation is off", async () => {
    await using place = await company({ disabled: week });
    place.settings = { ...place.settings, actions: { create: true, update: true, deactivate: false } };
    happen(place, "disabled");
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([
      { code: "actionOff", reason: "account disabled in Entra, but actions.deactivate is off" },
    ]);
  });

  it("starts again when the clock is set back, if it started while the clock was years ahead", async () => {
    await using place = await company({ disabled: week });
    place.clock.advance(1000 * dayMs);
    happen(place, "disabled");
    await place.cycle();
    place.clock.advance(-1000 * dayMs);
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([{ code: "deactivationDelayed" }]);
    place.clock.advance(7 * dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });
});

describe("several events of one person", () => {
  it("give the one that is certain as the reason: a scope can lose its members by mistake, a disabled account was read", async () => {
    await using place = await company({});
    happen(place, "outOfScope");
    happen(place, "disabled");
    const result = await place.cycle();
    expect(await place.operations(result.cycleId)).toMatchObject([
      { objectId: "a", action: "deactivate", evidence: { kind: "accountDisabled" } },
    ]);
  });

  it("deactivate as soon as one of them is due", async () => {
    await using place = await company({ outOfScope: ignore, disabled: week, deleted: atOnce.deleted });
    happen(place, "outOfScope");
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([{ code: "eventIgnored" }]);
    happen(place, "disabled");
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([{ code: "deactivationDelayed" }]);
    happen(place, "deleted");
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]?.evidence?.kind).toBe("softDeleted");
    expect(isActive(place)).toBe(false);
  });

  it("do not make a deleted person one who left the scope, even if the deletion shows a cycle later", async () => {
    await using place = await company({ deleted: ignore });
    place.source.scope = ["c"];
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([
      { code: "deactivationDelayed", reason: expect.stringContaining("deactivated in the next cycle") },
      { code: "deactivationDelayed" },
    ]);
    happen(place, "deleted");
    await place.cycle();
    expect(place.target.account("b@example.com").active).toBe(false);
    await place.cycle();
    expect(isActive(place)).toBe(true);
    expect(await leftAlone(place)).toMatchObject([{ code: "eventIgnored" }]);
  });
});

describe("an account that is already inactive", () => {
  it("is not changed either while the event is ignored", async () => {
    await using place = await company({});
    happen(place, "disabled");
    await place.cycle();
    place.settings = { ...place.settings, events: { ...atOnce, disabled: ignore } };
    place.target.writes.length = 0;
    place.source.change("a", { jobTitle: "Changed" });
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    expect(await leftAlone(place)).toEqual([]);
  });
});

describe("an existing account of a person who is disabled", () => {
  it("is not adopted while the event is ignored, and is switched off when the delay is over", async () => {
    await using place = await createWorkplace({ events: { ...atOnce, disabled: week } });
    place.source.hire("a", { accountEnabled: false });
    place.target.add({ userName: "a@example.com" });
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    place.clock.advance(7 * dayMs);
    await place.cycle();
    expect(place.target.account("a@example.com")).toMatchObject({ active: false, externalId: "a" });
  });
});

describe("a changed scope", () => {
  const onlyLegal = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "Legal" }] }];
  const reconfigured = (place: Workplace): void => {
    const mapping = mappingOf(undefined, onlyLegal);
    place.settings = { ...place.settings, scopeDigest: "scope-2", mapping };
  };

  it("is still doubtful when the delay is over, until the resulting changes are released", async () => {
    await using place = await company({ outOfScope: week });
    reconfigured(place);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    place.clock.advance(7 * dayMs);
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 3 });
    expect(held.header.guard.reasons.join()).toContain(
      "entra.scope has changed in the configuration, and 3 accounts would be deactivated because of it",
    );
    const operations = await place.operations(held.cycleId);
    await kept(place.store).released(
      held.header.planId,
      operations.flatMap(releasedChanges),
      place.clock.now(),
    );
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 3 });
    expect(place.target.active()).toEqual([]);
    // From then on it is the accepted scope: the next leaver is not doubtful.
    expect(JSON.parse((await place.store.meta()).acceptedScope ?? "{}")).toMatchObject({ digest: "scope-2" });
  });

  it("raises no doubt about people who were already leaving", async () => {
    await using place = await company({ outOfScope: week });
    happen(place, "outOfScope");
    await place.cycle();
    place.settings = { ...place.settings, scopeDigest: "scope-2" };
    await place.cycle();
    place.clock.advance(7 * dayMs);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });
});

describe("a person whose deactivation waits", () => {
  it("is switched off as soon as an event without a delay comes, although nothing changes in Entra", async () => {
    const filters = [
      { clauses: [{ attribute: "employeeLeaveDateTime", operator: "IS NULL" }] },
      { clauses: [{ attribute: "employeeLeaveDateTime", operator: "IN THE FUTURE" }] },
    ];
    await using place = await createWorkplace({
      events: { ...atOnce, disabled: week },
      mapping: mappingOf(undefined, filters),
    });
    const leaves = new Date(place.clock.now() + 2 * dayMs).toISOString();
    place.source.hire("a", { employeeLeaveDateTime: leaves });
    place.source.hire("b");
    await place.cycle();
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    expect(await leftAlone(place)).toMatchObject([{ code: "deactivationDelayed" }]);
    place.clock.advance(3 * dayMs);
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });

  it("has waited since the event was first seen, despite another event in between whose deactivation fails", async () => {
    await using place = await company({ disabled: week });
    place.target.before = () => {
      throw new RecordUnavailableError("Lattice stumbles", { status: 500 });
    };
    place.source.change("a", { accountEnabled: false });
    place.source.scope = ["b", "c"];
    await place.cycle();
    place.clock.advance(8 * dayMs);
    // The other event is undone; the delayed one is due.
    place.source.scope = ["a", "b", "c"];
    place.target.before = () => {};
    await place.cycle();
    expect(isActive(place)).toBe(false);
  });

  it("waits from the day on which an account is known to be the person's", async () => {
    await using place = await company({ disabled: week });
    place.source.hire("kim", { accountEnabled: false });
    place.source.scope = ["a", "b", "c", "kim"];
    await place.cycle();
    place.clock.advance(8 * dayMs);
    place.target.add({ userName: "kim@example.com" });
    await place.cycle({ full: true });
    expect(await leftAlone(place)).toMatchObject([{ code: "deactivationDelayed" }]);
    expect(place.target.account("kim@example.com").active).toBe(true);
    place.clock.advance(8 * dayMs);
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });
});

describe("an alarm about a group whose people are deactivated only after some days", () => {
  const people = ["a", "b", "c", "d"];
  async function emptied(): Promise<Workplace> {
    const place = await createWorkplace({ events: { ...atOnce, outOfScope: week } });
    place.settings = { ...place.settings, guard: { ...place.settings.guard, deactivationFloor: 1 } };
    for (const id of people) place.source.hire(id);
    place.source.groups = { sales: ["a", "b", "c"], legal: ["d"] };
    await place.cycle();
    place.source.groups = { sales: [], legal: ["d"] };
    await place.cycle();
    return place;
  }

  it("is raised on the day on which they are due, whatever cycles run in between", async () => {
    await using place = await emptied();
    await place.cycle();
    await place.cycle();
    place.clock.advance(8 * dayMs);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3 });
  });

  it("ends once their accounts are switched off by hand", async () => {
    await using place = await emptied();
    for (const [id, account] of place.target.accounts) {
      if (account.userName !== "d@example.com") place.target.accounts.set(id, { ...account, active: false });
    }
    await place.cycle({ full: true });
    await place.cycle();
    // A person who has entered the emptied group since, and leaves it again, does not belong to that alarm.
    place.source.groups = { sales: ["d"], legal: ["d"] };
    await place.cycle();
    place.settings = { ...place.settings, events: atOnce };
    place.source.groups = { sales: [], legal: [] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });
});

describe("a person who was just seen to have left the scope", () => {
  it.each<[string, EventAction, EventAction, "due" | "waiting"]>([
    ["a deletion costs the account at once", atOnce.deleted, atOnce.outOfScope, "due"],
    [
      "a deletion costs it no later",
      { do: "deactivate", afterMs: dayMs },
      { do: "deactivate", afterMs: dayMs },
      "due",
    ],
    ["a deletion is ignored", ignore, atOnce.outOfScope, "waiting"],
    ["a deletion costs it later", week, atOnce.outOfScope, "waiting"],
  ])(
    "is deactivated in that cycle or the next, because a deletion may follow: %s",
    (_what, deleted, outOfScope, kind) => {
      const since = outOfScope.do === "deactivate" ? -outOfScope.afterMs : 0;
      const evidence = { kind: "leftScope", detail: "seen" } as const;
      const seen = [{ event: "outOfScope", evidence, since }] as const;
      const actions = { ...atOnce, deleted, outOfScope };
      expect(judgeLeaving(seen, actions, 0).kind).toBe(kind);
      expect(judgeLeaving(seen, actions, 1).kind).toBe("due");
    },
  );
});

describe("a person with several events that each have a delay", () => {
  it.each([["disabled first"], ["out of scope first"]])(
    "is deactivated on the earliest date, %s",
    (order) => {
      const evidence = { kind: "accountDisabled", detail: "seen" } as const;
      const disabled = { event: "disabled", evidence, since: 0 } as const;
      const outOfScope = { event: "outOfScope", evidence, since: 0 } as const;
      const actions = {
        deleted: { do: "deactivate", afterMs: 0 },
        disabled: { do: "deactivate", afterMs: 2_000 },
        outOfScope: { do: "deactivate", afterMs: 1_000 },
      } as const;
      const seen = order === "disabled first" ? [disabled, outOfScope] : [outOfScope, disabled];
      expect(judgeLeaving(seen, actions, 500)).toEqual({ kind: "waiting", seen: outOfScope, until: 1_000 });
      // The evidence says that the deactivation was due when the wait ended.
      const due = { ...outOfScope, evidence: { ...evidence, dueAt: 1_000 } };
      expect(judgeLeaving(seen, actions, 1_500)).toEqual({ kind: "due", seen: due });
    },
  );
});

describe("an event that was first seen before our clock was set back", () => {
  it.each<[string, EventAction, "due" | "waiting"]>([
    ["without a delay is due", atOnce.disabled, "due"],
    ["with a delay waits", week, "waiting"],
  ])("%s", (_what, disabled, kind) => {
    const evidence = { kind: "accountDisabled", detail: "seen" } as const;
    const seen = [{ event: "disabled", evidence, since: 3_600_000 }] as const;
    expect(judgeLeaving(seen, { ...atOnce, disabled }, 0).kind).toBe(kind);
  });
});
