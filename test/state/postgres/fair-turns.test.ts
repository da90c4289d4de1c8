import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFairTurns, type FairTurns } from "../../../src/state/postgres/connection/fair-turns.ts";

const tooLate = (): Error => new Error("too late");

/** Takes turns, and notes who has got one, in order. */
function taker(turns: FairTurns) {
  const got: string[] = [];
  const ends = new Map<string, (() => void)[]>();
  return {
    got,
    ask: (who: string): void => {
      void turns.take(who).then((end) => {
        got.push(who);
        ends.set(who, [...(ends.get(who) ?? []), end]);
      });
    },
    end: (who: string): void => ends.get(who)?.shift()?.(),
  };
}

/** Lets what is ready go on. */
async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await Promise.resolve();
}

describe("turns at a few things", () => {
  it("go to the job that has the fewest, however many another one has asked for before", async () => {
    const turns = taker(createFairTurns({ most: 3, mostOfOne: 3, tooLate }));
    for (let request = 0; request < 10; request += 1) turns.ask("flood");
    await settle();
    expect(turns.got).toEqual(["flood", "flood", "flood"]);
    turns.ask("b");
    turns.ask("a");
    turns.end("flood");
    await settle();
    turns.end("flood");
    await settle();
    expect(turns.got.slice(3)).toEqual(["b", "a"]);
    turns.end("b");
    await settle();
    expect(turns.got.slice(5)).toEqual(["flood"]);
  });

  it("are not all of one job, even if no other asks", async () => {
    const turns = taker(createFairTurns({ most: 4, mostOfOne: 2, tooLate }));
    for (let request = 0; request < 5; request += 1) turns.ask("a");
    await settle();
    expect(turns.got).toEqual(["a", "a"]);
    turns.ask("b");
    await settle();
    expect(turns.got).toEqual(["a", "a", "b"]);
  });

  it("become more while some wait, and fewer as they end", async () => {
    const fair = createFairTurns({ most: 1, mostOfOne: 5, tooLate });
    const turns = taker(fair);
    for (const who of ["a", "b", "c"]) turns.ask(who);
    await settle();
    expect(turns.got).toEqual(["a"]);
    fair.allow(2);
    await settle();
    expect(turns.got).toEqual(["a", "b"]);
    fair.allow(1);
    turns.end("a");
    await settle();
    expect(turns.got).toEqual(["a", "b"]);
    turns.end("b");
    await settle();
    expect(turns.got).toEqual(["a", "b", "c"]);
  });

  describe("that are waited for in vain", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("end with an error, and no one gets the turn of one who has left", async () => {
      const turns = createFairTurns({ most: 1, mostOfOne: 1, longestWaitMs: 1_000, tooLate });
      const end = await turns.take("a");
      const late = expect(turns.take("b")).rejects.toThrow("too late");
      await vi.advanceTimersByTimeAsync(1_000);
      await late;
      const inTime = turns.take("c");
      end();
      (await inTime)();
      await turns.take("d");
    });
  });
});
