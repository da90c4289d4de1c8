import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { linkedCompany } from "../company.ts";

const sizes = [1_000, 10_000, 100_000, 1_000_000];
const changed = 100;

export const bench: Bench = {
  about: `a cycle in which ${changed} people have another title, the whole process, against the same among 1,000`,
  inCI: true,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    const rounds = small ? 3 : 5;
    let smallest = Number.NaN;
    for (const people of sizes.filter((size) => size <= (small ? 10_000 : upTo))) {
      const company = await linkedCompany(people, note);
      const before = await company.ends.stats();
      const runs = [];
      for (let round = 0; round <= rounds; round += 1) {
        await company.ends.change(changed);
        runs.push(await company.sync());
      }
      const after = await company.ends.stats();
      const ms = median(runs.slice(1).map(({ milliseconds }) => milliseconds));
      if (Number.isNaN(smallest)) smallest = ms;
      const each = (count: number): number => Math.round((10 * count) / runs.length) / 10;
      yield {
        what: `${changed} changes among ${grouped(people)} people`,
        measured: `${ms.toFixed(0)} ms`,
        reference: `among 1,000 ${smallest.toFixed(0)} ms`,
        ratio: ms / smallest,
        wanted: { atMost: people > 100_000 ? 2 : 1.5 },
        figures: {
          writes: each(after.writes - before.writes),
          graph: each(after.graphRequests - before.graphRequests),
          cpuMs: median(runs.map(({ cpuMilliseconds }) => cpuMilliseconds)),
        },
      };
    }
  },
};
