import { type Bench, type Finding, grouped } from "../bench.ts";
import { type Company, linkedCompany } from "../company.ts";
import type { Ran } from "../program.ts";

const limitMs = 50;
const sizes = [10_000, 100_000];

export const bench: Bench = {
  about: "by how much timers come late during a run, 99th percentile, against what the dashboard can bear",
  inCI: false,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    for (const people of sizes.filter((size) => size <= (small ? 10_000 : upTo))) {
      const company = await linkedCompany(people, note);
      yield finding(company, "first run", company.firstRun);
      yield finding(company, "full comparison", await company.sync("--full"));
    }
  },
};

function finding({ people }: Company, run: string, { loopDelay, milliseconds }: Ran): Finding {
  return {
    what: `${run}, ${grouped(people)} people`,
    measured: `p99 ${loopDelay.p99.toFixed(1)} ms`,
    reference: `limit ${limitMs} ms`,
    ratio: loopDelay.p99 / limitMs,
    wanted: { atMost: 1 },
    figures: { p50Ms: loopDelay.p50, maxMs: loopDelay.max, ms: milliseconds },
  };
}
