import { sql } from "../../test/state/postgres/sql.ts";
import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { type Company, found, linkedCompany } from "../company.ts";
import { emptyDatabase } from "../empty-database.ts";

const sizes = [10_000, 100_000];
const rounds = 7;

export const bench: Bench = {
  about:
    "a first run and a cycle in which nothing has changed, the whole process, with the state in PostgreSQL on the same machine (it waits for the disk), against SQLite",
  inCI: false,
  async *measure({ upTo, note }): AsyncGenerator<Finding> {
    for (const people of sizes.filter((size) => size <= upTo)) {
      const file = await linkedCompany(people, note);
      const url = await emptyDatabase();
      const server = await found(people, note, { url });
      try {
        const ratio = server.firstRun.milliseconds / file.firstRun.milliseconds;
        yield {
          what: `first run, ${grouped(people)} people`,
          measured: `${(server.firstRun.milliseconds / 1_000).toFixed(1)} s`,
          reference: `SQLite ${(file.firstRun.milliseconds / 1_000).toFixed(1)} s`,
          ratio,
          wanted: { atMost: 1.5 },
          figures: { cpuMs: server.firstRun.cpuMilliseconds, peakMB: server.firstRun.peakMegabytes },
        };
        // PostgreSQL cleans up behind a crowd of writes within minutes, and the next cycle comes after 45.
        await sql({ url }, "VACUUM ANALYZE");
        // By turns, so that what else the machine does concerns both.
        const runs = { file: [] as number[], server: [] as number[] };
        for (let round = 0; round <= rounds; round += 1) {
          runs.file.push(await timeOf(file));
          runs.server.push(await timeOf(server));
        }
        const [ms, reference] = [median(runs.server.slice(1)), median(runs.file.slice(1))];
        yield {
          what: `nothing changed, ${grouped(people)} people`,
          measured: `${ms.toFixed(0)} ms`,
          reference: `SQLite ${reference.toFixed(0)} ms`,
          ratio: ms / reference,
          wanted: { atMost: 2 },
        };
      } finally {
        server.ends[Symbol.dispose]();
        server.program[Symbol.dispose]();
      }
    }
  },
};

async function timeOf(company: Company): Promise<number> {
  return (await company.sync()).milliseconds;
}
