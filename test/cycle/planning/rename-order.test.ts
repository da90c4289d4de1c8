import { describe, expect, it } from "vitest";
import { nameNeeds } from "../../../src/cycle/planning/rename-order.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

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

describe("a new person who gets the userName that another person gives up", () => {
  /** Matching by externalId alone: the account that has the name is not taken for theirs. */
  const mapping = mappingOf(
    defaultRules.map((rule) =>
      "target" in rule && rule.target === "userName" ? { ...rule, matchingPrecedence: undefined } : rule,
    ),
  );

  it.each([
    ["before", "a-new"],
    ["after", "z-new"],
  ])("gets an account in the same cycle, planned %s the rename", async (_, objectId) => {
    await using place = await companyOf(2, { mapping });
    rename(place, "p01", "p02");
    rename(place, "p02", "free");
    place.source.hire(objectId, { userPrincipalName: "P01@example.com" });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 3, failed: 0 });
    // A rename is sent under the former name.
    expect(place.target.writes.map(({ userName }) => userName)).toEqual([
      "p02@example.com",
      "p01@example.com",
      "P01@example.com",
    ]);
    expect(place.target.active()).toEqual(["P01@example.com", "free@example.com", "p02@example.com"]);
  });

  it("gets an account in the same cycle, if the other one is to report to them as well", async () => {
    await using place = await companyOf(1, { mapping });
    rename(place, "p01", "free");
    place.source.hire("a-new", { userPrincipalName: "p01@example.com" });
    place.source.setManager("p01", "a-new");
    expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(place.target.managerOf("free@example.com")).toBe("p01@example.com");
  });
});

describe("the needs of names", () => {
  const renames = (...names: readonly (readonly [from: string, to: string])[]) =>
    names.map(([from, to], index) => ({ operationId: index + 1, wave: 1, from, to }));
  const pairs = (needs: ReturnType<typeof nameNeeds>) =>
    needs.map(({ giving, freeing }) => [giving.operationId, freeing.operationId]);

  it("lead from each operation that gives a name to the one that frees it, in any letter case", () => {
    const planned = renames(["a", "B"], ["b", "c"], ["x", "y"]);
    const create = { operationId: 9, wave: 2, userNameKey: "a" };
    expect(pairs(nameNeeds(planned, [create]))).toEqual([
      [1, 2],
      [9, 1],
    ]);
  });

  it("are none for a name that only changes its case", () => {
    expect(nameNeeds(renames(["a", "A"]), [])).toEqual([]);
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
