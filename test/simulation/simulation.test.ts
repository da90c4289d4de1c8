import { randomInt } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Family, families } from "./families.ts";
import { describeHistory } from "./history.ts";
import { createSimulator } from "./simulate.ts";

/** Of the histories that are the same each time. */
const seed = 20_260_105;
const timeout = 400_000;

describe.each(families)("the engine, through histories of the family $name", (family) => {
  it(`keeps its promises in the ${family.runs.same} that are always the same`, { timeout }, async () => {
    expect(await firstFailure(family, family.runs.same, seed)).toBeNull();
  });

  // A new seed each time: what fails here and did not before is no flicker of the test but a fault that nobody has met.
  it(`keeps its promises in ${family.runs.fresh} that are new`, { timeout }, async () => {
    const fresh = randomInt(2 ** 31);
    // biome-ignore lint/suspicious/noConsole: what was played must be known although nothing fails
    console.info(`${family.runs.fresh} new histories: ${replay(family, fresh)} --runs ${family.runs.fresh}`);
    expect(await firstFailure(family, family.runs.fresh, fresh)).toBeNull();
  });
});

async function firstFailure(family: Family, numRuns: number, from: number): Promise<string | null> {
  const simulator = createSimulator();
  const outcome = await fc.check(
    fc.asyncProperty(family.histories, async (history) => {
      const broken = await simulator.play(history);
      if (broken !== null) throw new Error(`${broken}\n${describeHistory(history)}`);
    }),
    { numRuns, seed: from },
  );
  await simulator.close();
  if (!outcome.failed) return null;
  return `${String(outcome.errorInstance)}\n${replay(family, from)} --path ${outcome.counterexamplePath}`;
}

function replay(family: Family, from: number): string {
  return `npm run simulate -- --family ${family.name} --seed ${from}`;
}
