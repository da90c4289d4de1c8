import { expect, it } from "vitest";
import { allEnded } from "../../../src/cycle/context/all-ended.ts";

it("throws the first error once all have ended, and not before", async () => {
  const slow = Promise.withResolvers<string>();
  const alsoFails = Promise.withResolvers<string>();
  let end: unknown = "under way";
  const all = allEnded([slow.promise, alsoFails.promise, Promise.reject(new Error("the first"))]).catch(
    (error: unknown) => {
      end = error;
    },
  );
  await new Promise(setImmediate);
  alsoFails.reject(new Error("the second"));
  await new Promise(setImmediate);
  expect(end).toBe("under way");
  slow.resolve("done");
  await all;
  expect(end).toEqual(new Error("the first"));
});

it("gives the results in the order given", async () => {
  const late = Promise.withResolvers<number>();
  const all = allEnded([late.promise, Promise.resolve(2)]);
  await new Promise(setImmediate);
  late.resolve(1);
  expect(await all).toEqual([1, 2]);
});
