import { type Bench, type Finding, grouped } from "../bench.ts";
import { linkedCompany } from "../company.ts";
import { configurationOf } from "../sync.ts";

/** Megabytes that a first run may take, and its revert, by people. The revert keeps a few words of each person: `null`, it is not measured. */
const limits = new Map([
  [10_000, { firstRun: 250, revert: 250 }],
  [100_000, { firstRun: 250, revert: 300 }],
  [1_000_000, { firstRun: 400, revert: null }],
]);
const takenBack = [
  "revert",
  "1",
  "--deactivate-created",
  "--dry-run",
  "--format",
  "json",
  "--out",
  "reverts.json",
];

export const bench: Bench = {
  about: "peak resident memory of a first run, and of its revert, against what they may take",
  inCI: true,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    for (const [people, limit] of limits) {
      if (people > (small ? 10_000 : upTo)) continue;
      const { firstRun, accounts, ends, program } = await linkedCompany(people, note);
      const { peakMegabytes, milliseconds, cpuMilliseconds } = firstRun;
      yield {
        what: `first run of ${grouped(people)} people`,
        measured: `${peakMegabytes.toFixed(0)} MB`,
        reference: `limit ${limit.firstRun} MB`,
        ratio: peakMegabytes / limit.firstRun,
        wanted: { atMost: 1 },
        figures: { accounts, seconds: milliseconds / 1_000, cpuMsPerAccount: cpuMilliseconds / accounts },
      };
      if (limit.revert === null) continue;
      const revert = await program.run(takenBack, configurationOf(ends, {}));
      if (revert.code !== 0) throw new Error(`the revert ended with ${revert.code}: ${revert.stderr}`);
      yield {
        what: `revert --dry-run of ${grouped(accounts)} operations`,
        measured: `${revert.peakMegabytes.toFixed(0)} MB`,
        reference: `limit ${limit.revert} MB`,
        ratio: revert.peakMegabytes / limit.revert,
        wanted: { atMost: 1 },
        figures: { seconds: revert.milliseconds / 1_000 },
      };
    }
  },
};
