import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { linkedCompany } from "../company.ts";

const sizes = [1_000, 10_000, 100_000, 1_000_000];

export const bench: Bench = {
  about: "a cycle in which nothing has changed, the whole process, against the same with 1,000 people",
  inCI: true,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    const rounds = small ? 5 : 7;
    let smallest = Number.NaN;
    for (const people of sizes.filter((size) => size <= (small ? 10_000 : upTo))) {
      const company = await linkedCompany(people, note);
      const before = await company.ends.stats();
      const runs = [];
      // The first reads the database from the disk.
      for (let round = 0; round <= rounds; round += 1) runs.push(await company.sync());
      const after = await company.ends.stats();
      const ms = median(runs.slice(1).map(({ milliseconds }) => milliseconds));
      if (Number.isNaN(smallest)) smallest = ms;
      const graph = (after.graphRequests - before.graphRequests) / runs.length;
      const lattice = (after.requests - before.requests) / runs.length;
      yield {
        what: `nothing changed, ${grouped(people)} people`,
        measured: `${ms.toFixed(0)} ms`,
        reference: `1,000 people ${smallest.toFixed(0)} ms`,
        ratio: ms / smallest,
        wanted: { atMost: people > 100_000 ? 2 : 1.5 },
        figures: { cpuMs: median(runs.map(({ cpuMilliseconds }) => cpuMilliseconds)) },
      };
      yield {
        what: `requests of it, ${grouped(people)} people`,
        measured: `${graph} to Graph, ${lattice} to Lattice`,
        reference: "one",
        ratio: graph + lattice,
        wanted: { atMost: 2 },
      };
    }
  },
};
