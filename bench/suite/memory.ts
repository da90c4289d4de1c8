import { type Bench, type Finding, grouped } from "../bench.ts";
import { linkedCompany } from "../company.ts";

/** Megabytes that a first run may take, by people. */
const limits: ReadonlyMap<number, number> = new Map([
  [10_000, 250],
  [100_000, 250],
  [1_000_000, 400],
]);

export const bench: Bench = {
  about: "peak resident memory of a first run, against what it may take",
  inCI: true,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    for (const [people, limit] of limits) {
      if (people > (small ? 10_000 : upTo)) continue;
      const { firstRun, accounts } = await linkedCompany(people, note);
      const { peakMegabytes, milliseconds, cpuMilliseconds } = firstRun;
      yield {
        what: `first run of ${grouped(people)} people`,
        measured: `${peakMegabytes.toFixed(0)} MB`,
        reference: `limit ${limit} MB`,
        ratio: peakMegabytes / limit,
        wanted: { atMost: 1 },
        figures: { accounts, seconds: milliseconds / 1_000, cpuMsPerAccount: cpuMilliseconds / accounts },
      };
    }
  },
};
