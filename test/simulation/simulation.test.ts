import { describe, expect, it } from "vitest";
import { type Family, families } from "./families.ts";
import { describeHistory } from "./history.ts";
import { playHistories } from "./play.ts";

/** The seed of the histories that are the same each time. */
const seed = 20_260_105;
const timeout = 400_000;

describe.each(families)("the engine, through histories of the family $name", (family) => {
  it(`keeps its promises in ${family.runs} histories`, { timeout }, async () => {
    expect(await firstFailure(family)).toBeNull();
  });
});

async function firstFailure(family: Family): Promise<string | null> {
  const failure = await playHistories(family, { runs: family.runs, seed });
  if (failure === null) return null;
  const { broken, history, path } = failure;
  return `${broken}\n${history === undefined ? "" : describeHistory(history)}\nnpm run simulate -- --family ${family.name} --seed ${seed} --path ${path}`;
}
