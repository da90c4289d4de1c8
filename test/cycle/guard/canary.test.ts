import { describe, expect, it } from "vitest";
import { recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import type { CanarySettings, CycleSettings } from "../../../src/cycle/ports/settings.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import {
  createWorkplace,
  defaultRules,
  kim,
  lenientGuard,
  mappingOf,
  rejectHeld,
  type Workplace,
} from "../workplace.ts";

const manual: CanarySettings = { people: 2, users: [], group: null, goesOn: null };
const automatic: CanarySettings = {
  people: 2,
  users: [],
  group: null,
  goesOn: { afterMs: 2 * 3_600_000, maxFailures: 0 },
};
const everyone = ["a", "b", "c", "d", "e", "f"];

/** The mapping with another title for everybody. */
function titled(text: string): CycleSettings["mapping"] {
  return mappingOf([
    ...defaultRules.filter((rule) => !("target" in rule && rule.target === "title")),
    { target: "title", constant: text },
  ]);
}

/** A company whose people have accounts, and the canary switched on. */
async function company(canary: CanarySettings | null = manual, people = everyone): Promise<Workplace> {
  const place = await createWorkplace();
  for (const [index, id] of people.entries()) place.source.hire(id, { department: `d${index % 3}` });
  await place.cycle();
  place.settings = { ...place.settings, canary };
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

async function release(place: Workplace, planId: string, only?: readonly string[]): Promise<void> {
  const decided = await resolveRelease(place.store, { planId, only });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    decided,
    place.clock.now(),
  );
}

function eventsOf(place: Workplace): StateEvent[] {
  const events: StateEvent[] = [];
  place.onEvent = (event) => events.push(event);
  return events;
}

function titles(place: Workplace, text: string): string[] {
  return [...place.target.accounts.values()]
    .filter(({ values }) => values.title === text)
    .map(({ userName }) => userName.slice(0, 1))
    .sort();
}

describe("a canary", () => {
  it("sends a new configuration to a few people and holds it for all others until a person releases the plan", async () => {
    await using place = await company();
    const events = eventsOf(place);
    place.settings = { ...place.settings, mapping: titled("new") };
    const first = await place.cycle();

    expect(first).toMatchObject({ outcome: "held", done: 2, heldOperations: 4 });
    expect(first.header.guard.reasons).toEqual([
      "canary: 4 operations wait, because a new configuration is tried on 2 people first; they wait until a person releases the plan",
    ]);
    expect(titles(place, "new")).toHaveLength(2);
    expect(events.map(({ kind }) => kind)).toEqual(["canaryBegun", "canaryPassed"]);
    expect(events[1]).toMatchObject({ done: 2, failed: 0, sent: false, goesOnAt: null });

    await place.restart();
    const second = await place.cycle();
    expect(second).toMatchObject({ outcome: "held", done: 0, heldOperations: 4 });

    await release(place, second.header.planId);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4, heldOperations: 0 });
    expect(titles(place, "new")).toEqual(everyone);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  });

  it("tries on the same people in a dry run and in the run", async () => {
    await using place = await company();
    place.settings = { ...place.settings, mapping: titled("new") };
    const planned = async (dryRun: boolean): Promise<readonly string[]> => {
      const { cycleId } = await place.cycle({ dryRun });
      const operations = await place.operations(cycleId);
      return operations.filter(({ status }) => status !== "held").map(({ objectId }) => objectId);
    };
    const { store } = place;
    const meta = await store.meta();
    const dry = await planned(true);
    // The dry run of a command works on a copy.
    await store.commit({ notes: { ...meta, canary: "" } }, "private");
    expect(dry).toHaveLength(2);
    expect((await planned(false)).toSorted()).toEqual(dry.toSorted());
  });

  it("tries a first run on a few people, and holds those who join meanwhile", async () => {
    await using place = await createWorkplace({ canary: manual });
    for (const id of everyone) place.source.hire(id);
    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "held", done: 2, heldOperations: 4 });

    place.source.hire("g");
    const second = await place.cycle();
    expect(second).toMatchObject({ outcome: "held", done: 0, heldOperations: 5 });

    await release(place, second.header.planId);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 5 });
    expect(place.target.active()).toHaveLength(7);
  });

  it("holds no one who is disabled in Entra, and of such a person sends nothing but the deactivation", async () => {
    await using place = await company({ ...manual, people: 0 });
    place.settings = { ...place.settings, mapping: titled("new") };
    place.source.change("a", { accountEnabled: false });
    const { header } = await place.cycle();
    expect(place.target.active()).toHaveLength(5);
    expect(place.target.writes.map(({ writes }) => writes.map(({ path }) => path))).toEqual([["active"]]);
    expect(header.guard.reasons[0]).toMatch(/^canary: [56] operations wait/);
    expect(titles(place, "new")).toEqual([]);
  });

  it("holds deactivations that the new scope brings about", async () => {
    await using place = await company({ ...manual, people: 1 });
    const department = [
      { name: "d0", clauses: [{ attribute: "department", operator: "EQUALS", value: "d0" }] },
    ];
    place.settings = { ...place.settings, mapping: mappingOf(defaultRules, department) };
    const { header } = await place.cycle();
    expect(place.target.active()).toHaveLength(5);

    await release(place, header.planId);
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "d@example.com"]);
  });

  it("holds a changed value with the newest values, and sends ordinary changes of the chosen people", async () => {
    await using place = await company();
    place.settings = { ...place.settings, mapping: titled("new") };
    await place.cycle();
    const chosen = titles(place, "new");
    const other = everyone.find((id) => !chosen.includes(id)) ?? "";
    for (const id of [chosen[0] ?? "", other]) place.source.change(id, { department: "moved" });
    const { cycleId, heldOperations, done } = await place.cycle();
    expect({ heldOperations, done }).toEqual({ heldOperations: 4, done: 1 });
    const held = (await place.operations(cycleId)).find(({ objectId }) => objectId === other);
    expect(held?.status).toBe("held");
    expect(held?.changes.map(({ after }) => after).toSorted()).toEqual(["moved", "new"]);
  });

  it("goes on by itself when its time has passed without failures, over restarts", async () => {
    await using place = await company(automatic);
    const events = eventsOf(place);
    place.settings = { ...place.settings, mapping: titled("new") };
    await place.cycle();
    await place.restart();
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0 });
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0 });
    await place.restart();
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4 });
    expect(titles(place, "new")).toEqual(everyone);
    expect(events.map(({ kind }) => kind)).toEqual([
      "canaryBegun",
      "canaryPassed",
      "canaryPassed",
      "guardCleared",
    ]);
  });

  it("does not go on if more of its people failed than may fail, even after a kill", async () => {
    await using place = await company(automatic);
    const events = eventsOf(place);
    place.settings = { ...place.settings, mapping: titled("new") };
    const { before } = place.target;
    let first = true;
    place.target.before = () => {
      if (!first) return;
      first = false;
      throw new RecordRejectedError("title is too long", { status: 400 });
    };
    await place.cycle();
    place.target.before = before;
    expect(events.map(({ kind }) => kind)).toEqual(["canaryBegun", "canaryFailed"]);
    await place.restart();
    for (let cycle = 0; cycle < 5; cycle += 1) await place.cycle();
    const last = await place.cycle();
    expect(last).toMatchObject({ outcome: "held", heldOperations: 4 });
    expect(last.header.guard.reasons[0]).toContain("more than 0 people failed");
    await release(place, last.header.planId);
    await place.cycle();
    expect(titles(place, "new")).toEqual(everyone);
  });

  it("begins again with another configuration, and ends with the one before it", async () => {
    await using place = await company();
    const { mapping } = place.settings;
    place.settings = { ...place.settings, mapping: titled("new") };
    await place.cycle();
    place.settings = { ...place.settings, mapping: titled("newer") };
    await place.cycle();
    expect(titles(place, "newer")).toHaveLength(2);

    place.settings = { ...place.settings, mapping };
    expect(await place.cycle()).toMatchObject({ outcome: "done", heldOperations: 0 });
    expect(titles(place, "new")).toEqual([]);
    expect(titles(place, "newer")).toEqual([]);
    expect((await place.store.meta()).canary).toBe("");
  });

  it("weighs what it sends by the guard's limits, and shows what they say of the whole plan", async () => {
    await using place = await company({ ...manual, people: 1 });
    place.settings = {
      ...place.settings,
      guard: { ...lenientGuard, maxReplacementPercent: 20, replacementFloor: 1 },
    };
    for (const id of everyone) place.source.change(id, { jobTitle: "old" });
    place.settings = { ...place.settings, guard: lenientGuard };
    await place.cycle();
    place.settings = {
      ...place.settings,
      mapping: titled("new"),
      guard: { ...lenientGuard, maxReplacementPercent: 20, replacementFloor: 1 },
    };
    place.clock.advance(48 * 3_600_000);
    const { header, done, heldOperations } = await place.cycle();
    expect({ done, heldOperations }).toEqual({ done: 1, heldOperations: 5 });
    expect(header.guard.reasons).toHaveLength(2);
    expect(header.guard.reasons[0]).toContain("would get another one");
    expect(header.guard.reasons[1]).toMatch(/^canary: /);
  });

  it("leaves out what a person rejects, and goes on with who is released by name", async () => {
    await using place = await company();
    place.settings = { ...place.settings, mapping: titled("new") };
    const { header } = await place.cycle();
    const others = everyone.filter((id) => !titles(place, "new").includes(id));
    const [rejected = "", named = ""] = others;
    await rejectHeld(place, header.planId, [`${rejected}@example.com`]);
    await release(place, header.planId, [`${named}@example.com`]);
    const next = await place.cycle();
    expect(next).toMatchObject({ outcome: "held", done: 1, heldOperations: 2 });
    await release(place, next.header.planId);
    await place.cycle();
    expect(titles(place, "new")).toEqual(everyone.filter((id) => id !== rejected));
  });

  it("holds an account that a person released, if another configuration gives it other values", async () => {
    await using place = await createWorkplace({ canary: manual });
    for (const id of everyone) place.source.hire(id);
    const first = await place.cycle();
    await release(place, first.header.planId);
    place.settings = { ...place.settings, mapping: titled("new") };
    const second = await place.cycle();
    expect(second).toMatchObject({ outcome: "held", done: 2 });
    // With the values that were shown it is made.
    const [named = ""] = everyone.filter((id) => !place.target.active().includes(`${id}@example.com`));
    await release(place, second.header.planId, [`${named}@example.com`]);
    const third = await place.cycle();
    expect(third).toMatchObject({ outcome: "held", done: 1 });
    expect(titles(place, "new")).toContain(named);
    await release(place, third.header.planId);
    await place.cycle();
    expect(titles(place, "new")).toEqual(everyone);
  });

  it("is not needed if the plan has no more people than it tries on", async () => {
    await using place = await company({ ...manual, people: 6 });
    const events = eventsOf(place);
    place.settings = { ...place.settings, mapping: titled("new") };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 6 });
    expect(events).toEqual([]);
    expect((await place.store.meta()).canary).toBe("");
  });

  it("holds nothing of a configuration that was sent before it was switched on", async () => {
    await using place = await company();
    place.source.change("a", { department: "moved" });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });

  it("is asked for by a person, with the configuration that is in force", async () => {
    await using place = await company(null);
    for (const id of everyone) place.source.change(id, { jobTitle: "asked" });
    const first = await place.cycle({ canary: 3 });
    expect(first).toMatchObject({ outcome: "held", done: 3, heldOperations: 3 });
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0 });
  });

  it("always tries on the people whom the configuration names", async () => {
    await using place = await company({
      people: 0,
      users: ["C@example.com", "e"],
      group: null,
      goesOn: null,
    });
    place.settings = { ...place.settings, mapping: titled("new") };
    expect(await place.cycle()).toMatchObject({ done: 2 });
    expect(titles(place, "new")).toEqual(["c", "e"]);
  });
});
