import { type Bench, grouped, median } from "../bench.ts";
import { type Company, found, linkedCompany } from "../company.ts";
import { emptyDatabase } from "../empty-database.ts";
import { configurationOf } from "../sync.ts";

const sizes = [10_000, 100_000];
const rounds = 3;
const limitMs = 2_000;

export const bench: Bench = {
  about: "every account with whose it is (accounts), the whole process, from SQLite and from PostgreSQL",
  inCI: false,
  async *measure({ upTo, note }) {
    for (const people of sizes.filter((size) => size <= upTo)) {
      const url = await emptyDatabase();
      const server = await found(people, note, { url });
      try {
        for (const [store, company] of [
          ["SQLite", await linkedCompany(people, note)],
          ["PostgreSQL", server],
        ] as const) {
          const ms = await timeOf(company);
          yield {
            what: `${grouped(people)} accounts, ${store}`,
            measured: `${(ms / 1_000).toFixed(2)} s`,
            reference: `limit ${limitMs / 1_000} s`,
            ratio: ms / limitMs,
            wanted: { atMost: 1 },
          };
        }
      } finally {
        server.ends[Symbol.dispose]();
        server.program[Symbol.dispose]();
      }
    }
  },
};

async function timeOf({ program, ends }: Company): Promise<number> {
  const configuration = configurationOf(ends, {});
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const ran = await program.run(["accounts", "--format", "json", "--out", "accounts.json"], configuration);
    if (ran.code !== 0) throw new Error(`accounts ended with ${ran.code}: ${ran.stderr}`);
    times.push(ran.milliseconds);
  }
  return median(times.slice(1));
}
