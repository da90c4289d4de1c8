import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSimulator } from "./simulate.ts";
import { describeHistory, type History, histories, inDueTime, lostDatabases } from "./steps.ts";

const runs = 2_000;
const seed = 20_260_105;

describe("the engine", () => {
  it("finds everybody again where the database is lost, and harms nobody", { timeout: 200_000 }, async () => {
    expect(await firstFailure(lostDatabases, 400)).toBeNull();
  });

  it("does in due time what takes effect later, and never what is ignored", {
    timeout: 200_000,
  }, async () => {
    expect(await firstFailure(inDueTime, 400)).toBeNull();
  });

  it(`keeps its promises in ${runs} random histories of edits, faults and killed processes`, {
    timeout: 400_000,
  }, async () => {
    expect(await firstFailure(histories, runs)).toBeNull();
  });
});

async function firstFailure(which: fc.Arbitrary<History>, numRuns: number): Promise<string | null> {
  const simulator = createSimulator();
  const outcome = await fc.check(
    fc.asyncProperty(which, async (history) => {
      const broken = await simulator.play(history);
      if (broken !== null) throw new Error(`${broken}\n${describeHistory(history)}`);
    }),
    { numRuns, seed },
  );
  await simulator.close();
  if (!outcome.failed) return null;
  const option = which === lostDatabases ? " --lost-database" : which === inDueTime ? " --in-due-time" : "";
  return `${String(outcome.errorInstance)}\nnpm run simulate --${option} --seed ${seed} --path ${outcome.counterexamplePath}`;
}
