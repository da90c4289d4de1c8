import { openReadOnly } from "../../src/state/sqlite/files/database.ts";
import { type Bench, best, grouped, median } from "../bench.ts";
import { type Company, found, linkedCompany } from "../company.ts";
import { emptyDatabase } from "../empty-database.ts";
import type { Ran } from "../program.ts";
import { configurationOf } from "../sync.ts";

const sizes = [10_000, 100_000];
const rounds = 3;
const limitMs = 2_000;

export const bench: Bench = {
  about:
    "every account with whose it is (accounts), the whole process, from SQLite and from PostgreSQL, against only reading the same accounts and people with better-sqlite3",
  inCI: false,
  async *measure({ upTo, note }) {
    for (const people of sizes.filter((size) => size <= upTo)) {
      const url = await emptyDatabase();
      const server = await found(people, note, { url });
      try {
        const file = await linkedCompany(people, note);
        for (const [store, company] of [
          ["SQLite", file],
          ["PostgreSQL", server],
        ] as const) {
          // Just before, so that what else the machine does concerns both.
          const reading = readAlone(file.program.statePath);
          const ran = await timesOf(company);
          const ms = median(ran.map(({ milliseconds }) => milliseconds));
          const what = `${grouped(people)} accounts, ${store}`;
          const measured = `${(ms / 1_000).toFixed(2)} s`;
          yield {
            what,
            measured,
            reference: `limit ${limitMs / 1_000} s`,
            ratio: ms / limitMs,
            wanted: { atMost: 1 },
            figures: { cpuMs: Math.round(median(ran.map(({ cpuMilliseconds }) => cpuMilliseconds))) },
          };
          yield {
            what,
            measured,
            reference: `reading ${(reading / 1_000).toFixed(2)} s`,
            ratio: ms / reading,
          };
        }
      } finally {
        server.ends[Symbol.dispose]();
        server.program[Symbol.dispose]();
      }
    }
  },
};

async function timesOf({ program, ends }: Company): Promise<readonly Ran[]> {
  const configuration = configurationOf(ends, {});
  const all: Ran[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const ran = await program.run(["accounts", "--format", "json", "--out", "accounts.json"], configuration);
    if (ran.code !== 0) throw new Error(`accounts ended with ${ran.code}: ${ran.stderr}`);
    all.push(ran);
  }
  // The first one finds nothing in the machine's memory.
  return all.slice(1);
}

/** @returns milliseconds */
function readAlone(path: string): number {
  const db = openReadOnly(path, { check: false });
  if (db === null) throw new Error(`there is no database at ${path}`);
  try {
    const rows = db.prepare(
      `SELECT t.*, s.* FROM target_user t LEFT JOIN source_user s ON s.object_id = t.object_id ORDER BY t.lattice_id`,
    );
    return best(rounds, () => {
      for (const _row of rows.iterate());
    });
  } finally {
    db.close();
  }
}
