import type { Bench, Finding } from "../bench.ts";
import { createAccounts } from "../ends/client-loop.ts";
import { startEnds } from "../ends/ends.ts";
import type { QuickStats } from "../ends/quick-lattice.ts";
import { program } from "../program.ts";
import { sync } from "../sync.ts";

const concurrency = 8;
const delayMs = 100;

export const bench: Bench = {
  about:
    "accounts made eight requests at a time and without a ceiling, while Lattice takes 100 ms for each answer, from the first write that it took to the last: by the whole program, and by its client and limiter with nothing around them",
  inCI: true,
  async *measure({ small }) {
    const people = small ? 400 : 2_000;
    using ends = await startEnds({ people, delayMs });
    using als = await program();
    await sync(als, ends, { maxConcurrency: concurrency, maxRequestsPerSecond: null });
    yield finding("whole program", await ends.stats());
    await ends.clear();
    await createAccounts(ends.latticeUrl, { concurrency, seconds: small ? 5 : 20 });
    yield finding("client and limiter alone", await ends.stats());
  },
};

function finding(what: string, { requests, writes, writingMs }: QuickStats): Finding {
  const perSecond = ((writes - 1) / writingMs) * 1_000;
  const possible = (concurrency / delayMs) * 1_000;
  return {
    what: `${what}: accounts : concurrency / latency`,
    measured: `${perSecond.toFixed(1)} accounts/s`,
    reference: `${possible} requests/s`,
    ratio: perSecond / possible,
    wanted: { atLeast: 0.95 },
    figures: { requests, writes, writingMs },
  };
}
