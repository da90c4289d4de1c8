import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RecordUnavailableError } from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { knownSource } from "../../src/job/known-source.ts";
import { knownTarget } from "../../src/job/known-target.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { accountRow, personRow } from "../state/contract/rows.ts";

let store: StateStore;
beforeEach(async () => {
  store = openStore(":memory:");
  const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
  await store.commit(
    {
      people: {
        readIn: cycleId,
        put: [
          personRow("ann", { attributes: { displayName: "Ann" } }),
          personRow("bob", { presence: "deleted" }),
          personRow("kim", { unshown: ["jobTitle"] }),
        ],
      },
      accounts: {
        put: [accountRow("lat-ann", "ann"), accountRow("lat-bob", "bob", { missingSince: 1 })],
      },
    },
    "private",
  );
});
afterEach(() => store.close());

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

const never = new AbortController().signal;

describe("Lattice as a store knows it", () => {
  it("does not list an account that was missing, and does not say that it is gone", async () => {
    const target = knownTarget(store);
    expect((await all(target.list(never))).map(({ latticeId }) => latticeId)).toEqual(["lat-ann"]);
    await expect(target.get("lat-bob", never)).rejects.toThrow(RecordUnavailableError);
    expect(await target.get("lat-none", never)).toBeNull();
  });
});

describe("Entra as a store knows it", () => {
  it("tells who has left, and which properties were not shown", async () => {
    const source = knownSource({
      pictures: store,
      own: store,
      scope: "everybody",
      otherGroups: null,
      knownGroups: [],
      parts: { scope: [], groups: new Map() },
    });
    expect(await all(source.readAll(never))).toMatchObject([
      { kind: "upsert", objectId: "ann", attributes: { displayName: "Ann" } },
      { kind: "removed", objectId: "bob", presence: "deleted" },
      { kind: "upsert", objectId: "kim", unshown: ["jobTitle"] },
    ]);
    // It is not an empty group.
    expect(() => source.readNamedGroup("Pilots", never)).toThrow(
      'the members of the group "Pilots" are not among the last known data',
    );
    expect(await source.readUser("bob", never)).toBeNull();
    expect(await source.readUser("ann", never)).toMatchObject({ kind: "upsert", objectId: "ann" });
  });
});
