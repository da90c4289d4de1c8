import { expect, it } from "vitest";
import type { Change, Skipped } from "../../src/domain/plan.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { differences, type PersonDifference } from "../../src/report/comparison/people.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { operationRow, personRow, plannedRow } from "../state/contract/rows.ts";

interface Plan {
  readonly changes?: readonly Change[];
  readonly status?: "planned" | "held" | "reported";
  readonly skip?: Pick<Skipped, "code" | "reason">;
}

/** The differences of two plans for one person. */
async function compare(first: Plan, second: Plan): Promise<readonly PersonDifference[]> {
  const plan = async (store: StateStore, { changes, status = "planned", skip }: Plan) => {
    const cycleId = await store.beginCycle({ planId: "p", kind: "incremental", startedAt: 1 }, "private");
    const { operation, ...row } = operationRow(cycleId, "kim");
    await store.commit(
      {
        people: { readIn: cycleId, put: [personRow("kim")] },
        ...(changes === undefined
          ? {}
          : { operations: { add: [{ ...row, status, operation: { ...operation, changes } }] } }),
        ...(skip === undefined ? {} : { planned: [plannedRow("kim", { skip })] }),
      },
      "private",
    );
    return { store, cycleId };
  };
  const stores = [openStore(":memory:"), openStore(":memory:")] as const;
  try {
    const [before, after] = [await plan(stores[0], first), await plan(stores[1], second)];
    const found: PersonDifference[] = [];
    for await (const person of differences(before, after)) found.push(person);
    return found;
  } finally {
    for (const store of stores) await store.close();
  }
}

const title = (after: string, more: Partial<Change> = {}): Plan => ({
  changes: [{ attribute: "title", before: "Clerk", after, ...more }],
});

it("two plans that do the same for a person, for whatever reason, do not differ", async () => {
  expect(await compare(title("Cook"), title("Cook"))).toEqual([]);
});

it("two plans that only report what was done by hand do not differ", async () => {
  expect(await compare({}, { ...title("Cook"), status: "reported" })).toEqual([]);
});

it("an operation that the guard holds in one plan only is a difference", async () => {
  const [found] = await compare(title("Cook"), { ...title("Cook"), status: "held" });
  expect(found).toMatchObject({
    first: { operations: [{ held: false }] },
    second: { operations: [{ held: true }] },
    attributes: [],
  });
});

it("a person who is skipped for another reason is a difference, and one with another text is none", async () => {
  const skip = (code: Skipped["code"], reason: string): Plan => ({ skip: { code, reason } });
  expect(await compare(skip("rejected", "a"), skip("rejected", "b"))).toEqual([]);
  expect(await compare(skip("rejected", "a"), skip("ambiguousMatch", "a"))).toMatchObject([
    { first: { skipped: { code: "rejected" } }, second: { skipped: { code: "ambiguousMatch" } } },
  ]);
});

it("another manager of the same name is a difference", async () => {
  const manager = (afterObjectId: string): Plan => ({
    changes: [
      {
        attribute: "manager",
        before: null,
        after: "sam@example.com",
        reference: { beforeId: null, afterObjectId },
      },
    ],
  });
  expect(await compare(manager("sam"), manager("sam"))).toEqual([]);
  expect(await compare(manager("sam"), manager("other"))).toMatchObject([
    { attributes: [{ attribute: "manager" }] },
  ]);
});

it.each([
  ["first", title("Cook", { redacted: true }), title("Baker")],
  ["second", title("Cook"), title("Baker", { redacted: true })],
])("a value that the %s plan keeps for Lattice is shown of neither", async (_, first, second) => {
  const [found] = await compare(first, second);
  expect(found?.attributes).toEqual([
    { attribute: "title", now: "[Redact]", first: "[Redact]", second: "[Redact]" },
  ]);
});
