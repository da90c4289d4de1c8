import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Family, families } from "./families.ts";
import { describeHistory } from "./history.ts";
import { playHistories } from "./play.ts";

/** The seed of the histories that are the same each time. */
const seed = 20_260_105;
const timeout = 400_000;

describe.each(families)("the engine, through histories of the family $name", (family) => {
  it(`keeps its promises in the ${family.runs.same} that are always the same`, { timeout }, async () => {
    expect(await firstFailure(family, family.runs.same, seed)).toBeNull();
  });

  // A new seed each time: a new failure here is never flakiness of the test, but a fault that has not been met before.
  it(`keeps its promises in ${family.runs.fresh} that are new`, { timeout }, async () => {
    const fresh = randomInt(2 ** 31);
    // biome-ignore lint/suspicious/noConsole: the seed must be known even if nothing fails
    console.info(`${family.runs.fresh} new histories: ${replay(family, fresh)} --runs ${family.runs.fresh}`);
    expect(await firstFailure(family, family.runs.fresh, fresh)).toBeNull();
  });
});

async function firstFailure(family: Family, runs: number, from: number): Promise<string | null> {
  const failure = await playHistories(family, { runs, seed: from });
  if (failure === null) return null;
  const { broken, history, path } = failure;
  return `${broken}\n${history === undefined ? "" : describeHistory(history)}\n${replay(family, from)} --path ${path}`;
}

function replay(family: Family, from: number): string {
  return `npm run simulate -- --family ${family.name} --seed ${from}`;
}
