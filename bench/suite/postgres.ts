import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverIn } from "../../test/state/postgres/server.ts";
import { sql } from "../../test/state/postgres/sql.ts";
import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { type Company, found, linkedCompany } from "../company.ts";

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

/** A new database of a server that ends with this process. @returns its URL */
async function emptyDatabase(): Promise<string> {
  const folder = join(tmpdir(), `als-bench-postgres-${process.pid}`);
  const server = { url: await serverIn(folder, process.pid, "durable") };
  const name = `als_bench_${randomBytes(4).toString("hex")}`;
  await sql(server, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}
