import { type Bench, grouped } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";
import { program } from "../program.ts";
import { sync } from "../sync.ts";

const levels = 8;

export const bench: Bench = {
  about:
    "requests of any kind to Lattice on a first run, for a tree of managers eight deep with two people who are each other's manager, against accounts made",
  inCI: true,
  async *measure({ small }) {
    const people = small ? 500 : 5_000;
    using ends = await startEnds({ people, levels });
    using als = await program();
    await sync(als, ends, { maxRequestsPerSecond: null });
    const { requests, accounts } = await ends.stats();
    yield {
      what: "requests : accounts made",
      measured: `${grouped(requests)} requests`,
      reference: `${grouped(accounts)} accounts`,
      ratio: requests / accounts,
      wanted: { atMost: 1.02 },
      figures: { people, levels, requests, accounts },
    };
  },
};
