import { type Bench, type Finding, grouped } from "../bench.ts";
import { bareClient } from "../ends/bare-loop.ts";
import { startEnds } from "../ends/ends.ts";
import { naiveSync } from "../ends/naive-sync.ts";
import { program } from "../program.ts";
import { sync } from "../sync.ts";

const delayMs = 20;

interface Run {
  readonly requests: number;
  readonly seconds: number;
}

export const bench: Bench = {
  about:
    "requests to Lattice and seconds of the whole program, against those of a script that looks each person up by userName, sends one request after the other and remembers nothing: the same company, 20 ms for each answer, no ceiling; for comparison",
  inCI: false,
  async *measure({ small }) {
    const people = small ? 200 : 2_000;
    using ends = await startEnds({ people, delayMs });
    using client = bareClient(1);
    const naive = async (): Promise<Run> => {
      const startedAt = performance.now();
      const requests = await naiveSync(ends.configuration.entra, ends.latticeUrl, client.exchange);
      return { requests, seconds: (performance.now() - startedAt) / 1_000 };
    };
    const [naiveFirst, naiveSecond] = [await naive(), await naive()];
    await ends.clear();
    using als = await program();
    const ours = async (): Promise<Run> => {
      const before = await ends.stats();
      const ran = await sync(als, ends, { maxRequestsPerSecond: null });
      const after = await ends.stats();
      return { requests: after.requests - before.requests, seconds: ran.milliseconds / 1_000 };
    };
    yield* compare("first run", await ours(), naiveFirst);
    yield* compare("second run, nothing changed", await ours(), naiveSecond);
  },
};

function* compare(what: string, ours: Run, naive: Run): Iterable<Finding> {
  yield {
    what: `${what}: requests`,
    measured: `${grouped(ours.requests)} requests`,
    reference: `naive ${grouped(naive.requests)} requests`,
    ratio: ours.requests / naive.requests,
  };
  yield {
    what: `${what}: time`,
    measured: `${ours.seconds.toFixed(1)} s`,
    reference: `naive ${naive.seconds.toFixed(1)} s`,
    ratio: ours.seconds / naive.seconds,
  };
}
