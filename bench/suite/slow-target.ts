import type { Bench } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";
import { program } from "../program.ts";

const concurrency = 8;
const delayMs = 100;

export const bench: Bench = {
  about:
    "accounts made by the whole program, eight requests at a time and no ceiling, while Lattice takes 100 ms for each answer, from the first write that it took to the last",
  inCI: true,
  async *measure({ small }) {
    const people = small ? 400 : 2_000;
    using ends = await startEnds({ people, delayMs });
    using als = await program();
    const { entra, lattice } = ends.configuration;
    const ran = await als.run(["sync", "--format", "json", "--out", "report.json"], {
      entra,
      lattice: { ...lattice, token: "bench", maxConcurrency: concurrency, maxRequestsPerSecond: null },
    });
    if (ran.code !== 0) throw new Error(`the run ended with ${ran.code}: ${ran.stderr}`);
    const { requests, writes, writingMs } = await ends.stats();
    const perSecond = ((writes - 1) / writingMs) * 1_000;
    const possible = (concurrency / delayMs) * 1_000;
    yield {
      what: "accounts while sending : concurrency / latency",
      measured: `${perSecond.toFixed(1)} accounts/s`,
      reference: `${possible} requests/s`,
      ratio: perSecond / possible,
      wanted: { atLeast: 0.95 },
      figures: { people, requests, writes, writingMs, ms: ran.milliseconds },
    };
  },
};
