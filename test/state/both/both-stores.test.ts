import { expect, it } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../../src/state/sqlite/store.ts";
import { bothStores } from "./both-stores.ts";

function emptyStore(): StateStore {
  return storeOn(openDatabase(":memory:"), ":memory:");
}

it("finds an answer of the second store that the first did not give", async () => {
  const newest = async () => 7;
  const { store, differences } = bothStores(emptyStore(), { ...emptyStore(), newestOperation: newest });
  await store.totals();
  expect(differences.found).toEqual([]);
  expect(await store.newestOperation()).toBe(0);
  expect(differences.found).toEqual(["newestOperation([])\n  first:  0\n  second: 7"]);
  await store.close();
});

it("finds rows in another order where their order is named, and only there", async () => {
  const rows = [{ attribute: "title" }, { attribute: "active" }];
  const ordered = <Row>(list: readonly Row[]) => ({
    countAcknowledged: async () => list,
    countOutcomes: async () => list,
  });
  const [first, second] = [rows, rows.toReversed()].map((list) => Object.assign(emptyStore(), ordered(list)));
  if (first === undefined || second === undefined) throw new Error("two stores were made");
  const { store, differences } = bothStores(first, second);
  await store.countOutcomes(1);
  expect(differences.found).toEqual([]);
  await store.countAcknowledged();
  expect(differences.found).toHaveLength(1);
  await store.close();
});
