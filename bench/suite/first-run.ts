import { type Bench, type Finding, grouped } from "../bench.ts";
import { axiosClient, bareClient, bodiesOf, postAll } from "../ends/bare-loop.ts";
import { startEnds } from "../ends/ends.ts";
import { program } from "../program.ts";
import { sync } from "../sync.ts";

const concurrency = 8;

export const bench: Bench = {
  about:
    "accounts made by the whole program, database included, against a Lattice that answers at once, and by a loop that posts the same bodies and does nothing else",
  inCI: true,
  async *measure({ small }): AsyncGenerator<Finding> {
    const people = small ? 2_000 : 10_000;
    using ends = await startEnds({ people });
    using als = await program();
    const ran = await sync(als, ends, { maxConcurrency: concurrency, maxRequestsPerSecond: null });
    const { writes, requests } = await ends.stats();
    const perSecond = (writes / ran.milliseconds) * 1_000;
    using bare = bareClient(concurrency);
    using library = axiosClient(concurrency);
    const bodies = await bodiesOf(bare.exchange, ends.latticeUrl);
    for (const [what, { exchange }, wanted] of [
      ["whole program : bare node:http", bare, { atLeast: 0.6 }],
      ["whole program : bare axios", library, undefined],
    ] as const) {
      await ends.clear();
      const reference = await postAll(exchange, `${ends.latticeUrl}/Users`, bodies, concurrency);
      yield {
        what,
        measured: `${grouped(perSecond)} accounts/s`,
        reference: `${grouped(reference)} requests/s`,
        ratio: perSecond / reference,
        ...(wanted === undefined ? {} : { wanted }),
        figures: {
          people,
          requests,
          cpuMs: ran.cpuMilliseconds,
          peakMB: ran.peakMegabytes,
          ms: ran.milliseconds,
        },
      };
    }
  },
};
