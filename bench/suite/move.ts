import { join } from "node:path";
import { type Bench, type Finding, grouped } from "../bench.ts";
import { linkedCompany } from "../company.ts";
import { emptyDatabase } from "../empty-database.ts";
import { program, type Ran } from "../program.ts";
import { configurationOf } from "../sync.ts";

const sizes = [10_000, 100_000, 1_000_000];
/** Megabytes that a move may take, however large the company is: it is never in memory as a whole. */
const limitMegabytes = 250;

export const bench: Bench = {
  about:
    "moving a company from a file to PostgreSQL on the same machine, and back into a file, the whole process: peak resident memory against what it may take",
  inCI: false,
  async *measure({ upTo, note }): AsyncGenerator<Finding> {
    for (const people of sizes.filter((size) => size <= upTo)) {
      const company = await linkedCompany(people, note);
      using mover = await program({ url: await emptyDatabase() });
      const move = async (...args: readonly string[]): Promise<Ran> => {
        note(`${args.slice(0, 2).join(" ")} of ${grouped(people)} people`);
        const ran = await mover.run(args, configurationOf(company.ends, {}));
        if (ran.code !== 0) throw new Error(`it ended with ${ran.code}: ${ran.stderr}`);
        return ran;
      };
      yield finding(
        `to PostgreSQL, ${grouped(people)} people`,
        await move("state", "import", company.program.statePath),
      );
      yield finding(
        `back into a file, ${grouped(people)} people`,
        await move("state", "export", join(mover.folder, "export.db")),
      );
    }
  },
};

function finding(what: string, { milliseconds, cpuMilliseconds, peakMegabytes }: Ran): Finding {
  return {
    what,
    measured: `${(milliseconds / 1_000).toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB`,
    reference: `limit ${limitMegabytes} MB`,
    ratio: peakMegabytes / limitMegabytes,
    wanted: { atMost: 1 },
    figures: { seconds: milliseconds / 1_000, cpuSeconds: cpuMilliseconds / 1_000 },
  };
}
