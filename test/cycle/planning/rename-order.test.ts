import { describe, expect, it } from "vitest";
import { renameWaves } from "../../../src/cycle/planning/rename-order.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import type { Action } from "../../../src/domain/plan.ts";
import type { PlannedRename } from "../../../src/domain/state/plan-log.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

const rename = (place: Workplace, objectId: string, name: string): void =>
  place.source.change(objectId, { userPrincipalName: `${name}@example.com` });

/** This many people, each with a name like the object id. */
async function companyOf(
  size: number,
  settings: Parameters<typeof createWorkplace>[0] = {},
): Promise<Workplace> {
  const place = await createWorkplace({ guard: { ...lenientGuard, renameFloor: 50 }, ...settings });
  for (const id of ids(size)) place.source.hire(id);
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

/** `p01`, `p02` …: in the order of the alphabet. */
function ids(size: number): readonly string[] {
  return Array.from({ length: size }, (_, index) => `p${String(index + 1).padStart(2, "0")}`);
}

describe("a chain of people of whom each gets the next one's userName", () => {
  it.each([
    ["the first of whom is planned first", (names: readonly string[]) => names],
    ["the last of whom is planned first", (names: readonly string[]) => names.toReversed()],
  ])("is renamed in one cycle, each with one request (%s)", async (_, order) => {
    await using place = await companyOf(12);
    const row = order(ids(12));
    for (const [index, id] of row.entries()) rename(place, id, row[index + 1] ?? "free");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 12, failed: 0 });
    expect(place.target.writes).toHaveLength(12);
    for (const [index, id] of row.entries()) {
      const account = [...place.target.accounts.values()].find(({ externalId }) => externalId === id);
      expect(account?.userName).toBe(`${row[index + 1] ?? "free"}@example.com`);
    }
    expect((await place.cycle()).done).toBe(0);
  });

  it("is renamed in one cycle although each answer takes its time", async () => {
    await using place = await companyOf(6, { concurrency: 6 });
    const row = ids(6).toReversed();
    for (const [index, id] of row.entries()) rename(place, id, row[index + 1] ?? "free");
    place.target.before = async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    expect(await place.cycle()).toMatchObject({ done: 6, failed: 0 });
  });

  it("is recognised in any letter case", async () => {
    await using place = await companyOf(2);
    rename(place, "p01", "P02");
    rename(place, "p02", "free");
    expect(await place.cycle()).toMatchObject({ done: 2, failed: 0 });
  });

  it("continues in the next cycle if one of them is refused, each tried at once when the name is free", async () => {
    await using place = await companyOf(3);
    rename(place, "p01", "p02");
    rename(place, "p02", "p03");
    rename(place, "p03", "free");
    place.target.before = ({ writes }) => {
      if (writes.some(({ path, value }) => path === "userName" && value === "free@example.com")) {
        throw new RecordRejectedError("not now", { status: 400 });
      }
    };
    expect(await place.cycle()).toMatchObject({ failed: 3 });
    place.target.before = () => {};
    // p01 and p02 have failed too, and are tried again as soon as their names are free.
    await place.cycle();
    expect([...place.target.accounts.values()].map(({ userName }) => userName)).toEqual([
      "p02@example.com",
      "p03@example.com",
      "free@example.com",
    ]);
  });
});

describe("the order of renames", () => {
  const planned = (
    ...names: readonly (readonly [from: string, to: string, action?: Action])[]
  ): PlannedRename[] =>
    names.map(([from, to, action = "update"], index) => ({
      operationId: index + 1,
      wave: 1,
      action,
      from,
      to,
    }));

  it("puts each after the one that frees its name, and keeps the place of the others", () => {
    expect([...renameWaves(planned(["a", "b"], ["b", "c"], ["c", "d"], ["x", "y"]))].sort()).toEqual([
      [1, 3],
      [2, 2],
    ]);
  });

  it("makes leavers wait for no one, and others wait for leavers who free a name", () => {
    expect([...renameWaves(planned(["a", "b", "deactivate"], ["b", "c"]))]).toEqual([]);
    expect([...renameWaves(planned(["a", "b"], ["b", "c", "deactivate"]))]).toEqual([[1, 2]]);
    expect([...renameWaves(planned(["a", "b"], ["b", "c"]))]).toEqual([[1, 2]]);
  });

  it("terminates for rings, with a tail or without, and for a name that only changes its case", () => {
    expect(renameWaves(planned(["a", "b"], ["b", "a"])).size).toBeLessThan(2);
    expect(renameWaves(planned(["t", "a"], ["a", "b"], ["b", "c"], ["c", "a"])).size).toBeGreaterThan(0);
    expect([...renameWaves(planned(["a", "A"]))]).toEqual([]);
  });

  it("is computed for a hundred thousand people in a moment", () => {
    const many = Array.from(
      { length: 100_000 },
      (_, index): PlannedRename => ({
        operationId: index,
        wave: 1,
        action: "update",
        from: `n${index}`,
        to: `n${index + 1}`,
      }),
    );
    const waves = renameWaves(many);
    expect(waves.get(0)).toBe(100_000);
    expect(waves.get(99_999)).toBeUndefined();
  });
});

describe("two people who are to get each other's userNames, one of whom is only being linked,", () => {
  it("do not wait for each other, whoever else they wait for: the cycle ends", async () => {
    await using place = await companyOf(1);
    place.target.add({ userName: "x@example.com", externalId: "q-new" });
    place.source.hire("q-manager");
    place.source.hire("q-new", { userPrincipalName: "p01@example.com" }, "q-manager");
    rename(place, "p01", "x");
    // The manager's create is under way until the second of the two has started.
    place.target.before = async ({ userName }) => {
      for (let turn = 0; turn < 50 && userName === "q-manager@example.com"; turn += 1) {
        await new Promise(setImmediate);
      }
    };
    const result = await place.cycle({ full: true });
    expect(result.header.summary).toMatchObject({ create: 1, link: 1, update: 1 });
    expect(result.done + result.failed).toBe(3);
  });
});
