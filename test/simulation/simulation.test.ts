import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSimulator } from "./simulate.ts";
import { describeHistory, histories } from "./steps.ts";

const runs = 2_000;
const seed = 20_260_105;

describe("the engine", () => {
  it(`keeps its promises in ${runs} random histories of edits, faults and killed processes`, {
    timeout: 170_000,
  }, async () => {
    const simulator = createSimulator();
    const outcome = await fc.check(
      fc.asyncProperty(histories, async (history) => {
        const broken = await simulator.play(history);
        if (broken !== null) throw new Error(`${broken}\n${describeHistory(history)}`);
      }),
      { numRuns: runs, seed },
    );
    await simulator.close();
    const again = `npm run simulate -- --seed ${seed} --path ${outcome.counterexamplePath}`;
    expect(outcome.failed, `${String(outcome.errorInstance)}\n${again}`).toBe(false);
  });
});
