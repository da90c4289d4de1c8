import { describe, expect, it } from "vitest";
import type { CycleSettings } from "../../../src/cycle/ports/settings.ts";
import { atOnce, createWorkplace, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const rename = (place: Workplace, objectId: string, name: string): void =>
  place.source.change(objectId, { userPrincipalName: `${name}@example.com` });

/** People named like their object ids, of whom those in `left` have left the scope and are deactivated. */
async function withLeavers(
  people: readonly string[],
  left: readonly string[],
  settings: Partial<CycleSettings> = {},
): Promise<Workplace> {
  const place = await createWorkplace({ guard: { ...lenientGuard, renameFloor: 10 }, ...settings });
  for (const id of people) place.source.hire(id);
  place.source.scope = people;
  await place.cycle();
  place.source.scope = people.filter((id) => !left.includes(id));
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

function namesOf({ target }: Workplace): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...target.accounts.values()].map(({ externalId, userName }) => [String(externalId), userName]),
  );
}

const codes = async ({ store }: Workplace): Promise<readonly (readonly string[])[]> =>
  (await store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]);

const temporaryName = { renameRings: "temporaryName" } as const;

describe("a leaver's userName that another leaver needs, whose own is needed by a person in scope", () => {
  it("is freed in the same cycle, one after the other", async () => {
    await using place = await withLeavers(["a", "b", "c", "d"], ["a", "b", "c"]);
    rename(place, "a", "unused");
    rename(place, "b", "a");
    rename(place, "c", "b");
    rename(place, "d", "c");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4, failed: 0 });
    expect(namesOf(place)).toEqual({
      a: "unused@example.com",
      b: "a@example.com",
      c: "b@example.com",
      d: "c@example.com",
    });
    expect((await place.cycle({ full: true })).done).toBe(0);
  });

  it.each([
    ["a person gets it", 4, (place: Workplace) => rename(place, "d", "c")],
    [
      "a newcomer has it",
      3,
      (place: Workplace) => {
        place.source.hire("e", { userPrincipalName: "c@example.com" });
        place.source.scope = ["d", "e"];
      },
    ],
    [
      "a person who has it enters the scope",
      3,
      (place: Workplace) => {
        place.source.scope = ["d", "f"];
      },
    ],
  ])("is freed in one cycle if the need arises later: %s", async (_what, done, happens) => {
    await using place = await withLeavers(["a", "b", "c", "d"], ["a", "b", "c"]);
    place.source.hire("f", { userPrincipalName: "c@example.com" });
    rename(place, "a", "unused");
    rename(place, "b", "a");
    rename(place, "c", "b");
    for (let cycle = 0; cycle < 2; cycle += 1) expect((await place.cycle()).done).toBe(0);
    happens(place);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done, failed: 0 });
    expect(namesOf(place)).toMatchObject({ a: "unused@example.com", b: "a@example.com", c: "b@example.com" });
    await place.cycle();
    expect(place.target.account("c@example.com")).toMatchObject({ active: true });
  });

  it("is freed by the next cycle if a cycle on demand renames the leaver who needs it", async () => {
    await using place = await withLeavers(["a", "b", "c"], ["a", "b"]);
    rename(place, "a", "unused");
    rename(place, "b", "a");
    await place.cycle();
    rename(place, "c", "b");
    await place.cycle({ only: ["b", "c"] });
    expect(namesOf(place)).toMatchObject({ a: "a@example.com" });
    await place.cycle();
    await place.cycle();
    expect(namesOf(place)).toEqual({ a: "unused@example.com", b: "a@example.com", c: "b@example.com" });
  });

  it("is kept as long as no person in scope needs one of them", async () => {
    await using place = await withLeavers(["a", "b", "c", "d"], ["a", "b", "c"]);
    rename(place, "a", "unused");
    rename(place, "b", "a");
    rename(place, "c", "b");
    expect((await place.cycle()).done).toBe(0);
    expect((await place.cycle({ full: true })).done).toBe(0);
    expect(place.target.writes).toEqual([]);
    expect(await codes(place)).toEqual([]);
  });

  it("is kept until the leaver who needs it may be renamed, whose deactivation is delayed", async () => {
    const outOfScope = { do: "deactivate", afterMs: 3 * 24 * 3_600_000 } as const;
    await using place = await withLeavers(["a", "b", "c"], ["a"], { events: { ...atOnce, outOfScope } });
    place.clock.advance(outOfScope.afterMs);
    await place.cycle();
    place.source.scope = ["c"];
    rename(place, "a", "unused");
    rename(place, "b", "a");
    rename(place, "c", "b");
    await place.cycle();
    expect(namesOf(place)).toEqual({ a: "a@example.com", b: "b@example.com", c: "c@example.com" });
    place.clock.advance(outOfScope.afterMs);
    await place.cycle();
    await place.cycle();
    expect(namesOf(place)).toEqual({ a: "unused@example.com", b: "a@example.com", c: "b@example.com" });
  });
});

describe("leavers whom a filter rejects for good", () => {
  it("pass a userName on like others, in one cycle, also if everybody is planned", async () => {
    for (const full of [false, true]) {
      const mapping = mappingOf(undefined, [{ clauses: [{ attribute: "department", operator: "IS NULL" }] }]);
      await using place = await withLeavers(["a", "b", "c", "d"], [], { mapping });
      for (const id of ["a", "b", "c"]) place.source.change(id, { department: "Elsewhere" });
      await place.cycle();
      expect(place.target.active()).toEqual(["d@example.com"]);
      rename(place, "a", "unused");
      rename(place, "b", "a");
      rename(place, "c", "b");
      expect(await place.cycle({ full })).toMatchObject({ done: 0, failed: 0 });
      rename(place, "d", "c");
      expect(await place.cycle({ full })).toMatchObject({ outcome: "done", done: 4, failed: 0 });
      expect(namesOf(place)).toEqual({
        a: "unused@example.com",
        b: "a@example.com",
        c: "b@example.com",
        d: "c@example.com",
      });
    }
  });
});

describe("a leaver's userName that a person needs who is in scope from a date on", () => {
  it("is kept until that date, and freed in the cycle after it", async () => {
    const hired = (operator: string) => ({ clauses: [{ attribute: "employeeHireDate", operator }] });
    const mapping = mappingOf(undefined, [hired("IS NULL"), hired("IN THE PAST")]);
    await using place = await withLeavers(["a", "d"], ["a"], { mapping });
    rename(place, "a", "unused");
    const employeeHireDate = new Date(place.clock.now() + 24 * 3_600_000).toISOString();
    place.source.hire("e", { userPrincipalName: "a@example.com", employeeHireDate });
    place.source.scope = ["d", "e"];
    for (let cycle = 0; cycle < 2; cycle += 1)
      expect(await place.cycle()).toMatchObject({ done: 0, failed: 0 });
    expect(namesOf(place)).toEqual({ a: "a@example.com", d: "d@example.com" });
    place.clock.advance(25 * 3_600_000);
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(namesOf(place)).toEqual({ a: "unused@example.com", d: "d@example.com" });
    await place.cycle();
    expect(namesOf(place)).toEqual({ a: "unused@example.com", d: "d@example.com", e: "a@example.com" });
  });
});

describe("a ring of userNames with leavers in it", () => {
  async function ring(settings: Partial<CycleSettings> = {}): Promise<Workplace> {
    const place = await withLeavers(["a", "b", "c"], ["a", "b"], settings);
    rename(place, "a", "c");
    rename(place, "b", "a");
    rename(place, "c", "b");
    return place;
  }

  const inTheEnd = { a: "c@example.com", b: "a@example.com", c: "b@example.com" };

  it("is solved through a temporary userName in one cycle", async () => {
    await using place = await ring(temporaryName);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4, failed: 0 });
    expect(namesOf(place)).toEqual(inTheEnd);
    expect((await place.cycle({ full: true })).done).toBe(0);
  });

  it("is solved in one cycle if the person in scope, who closes it, needs the name later", async () => {
    await using place = await withLeavers(["a", "b", "c"], ["a", "b"], temporaryName);
    rename(place, "a", "c");
    rename(place, "b", "a");
    // The name "c" is wanted by no one in scope: c has it.
    await place.cycle();
    rename(place, "c", "b");
    expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    await place.cycle();
    expect(namesOf(place)).toEqual(inTheEnd);
  });

  it("is only reported without that setting, and nothing fails", async () => {
    await using place = await ring();
    for (let cycle = 1; cycle <= 2; cycle += 1) {
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0, failed: 0 });
    }
    expect(place.target.writes).toEqual([]);
    expect(await codes(place)).toContainEqual(["c", "renameRing"]);
  });

  it("of leavers alone stays as it is", async () => {
    await using place = await withLeavers(["a", "b", "c"], ["a", "b"], temporaryName);
    rename(place, "a", "b");
    rename(place, "b", "a");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0, failed: 0 });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 0, failed: 0 });
    expect(place.target.writes).toEqual([]);
  });
});
