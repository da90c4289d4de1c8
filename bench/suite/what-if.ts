import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Bench, grouped, median } from "../bench.ts";
import { linkedCompany } from "../company.ts";
import { configurationOf } from "../sync.ts";

const sizes = [10_000, 100_000];
const rounds = 3;

export const bench: Bench = {
  about:
    "the plans of two configurations with different mappings over the same data (sync --dry-run --against), the whole process, against a dry run with the changed mapping alone",
  inCI: false,
  async *measure({ upTo, note }) {
    for (const people of sizes.filter((size) => size <= upTo)) {
      const company = await linkedCompany(people, note);
      const { program, ends } = company;
      const configuration = configurationOf(ends, { maxConcurrency: 8, maxRequestsPerSecond: null });
      const rules: readonly { readonly target?: string }[] = parse(
        readFileSync("config/default-mapping.yaml", "utf8"),
      );
      const mapping = rules.map((rule) =>
        rule.target === "title" ? { target: "title", constant: "Colleague" } : rule,
      );
      const changed = { ...configuration, mapping };
      const other = join(program.folder, "other.yaml");
      writeFileSync(other, JSON.stringify({ ...changed, state: { path: program.statePath } }));
      const report = ["--format", "json", "--out", "report.json"];
      const timed = async (configured: object, ...options: readonly string[]): Promise<number> => {
        const ran = await program.run(["sync", "--dry-run", ...report, ...options], configured);
        if (ran.code !== 0) throw new Error(`the dry run ended with ${ran.code}: ${ran.stderr}`);
        return ran.milliseconds;
      };
      const times = { one: [] as number[], two: [] as number[], offline: [] as number[] };
      // By turns, so that what else the machine does concerns all.
      for (let round = 0; round < rounds; round += 1) {
        times.one.push(await timed(changed));
        times.two.push(await timed(configuration, "--against", other));
        times.offline.push(await timed(configuration, "--against", other, "--offline"));
      }
      const one = median(times.one);
      for (const [what, ms] of [
        ["two plans", median(times.two)],
        ["two plans, offline", median(times.offline)],
      ] as const) {
        yield {
          what: `${what}, ${grouped(people)} people`,
          measured: `${(ms / 1_000).toFixed(2)} s`,
          reference: `one plan ${(one / 1_000).toFixed(2)} s`,
          ratio: ms / one,
          wanted: { atMost: 2 },
        };
      }
    }
  },
};
