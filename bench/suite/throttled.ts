import { type Bench, type Finding, grouped } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";
import { program } from "../program.ts";
import { type Pace, sync } from "../sync.ts";

const ratePerSecond = 25;

export const bench: Bench = {
  about:
    "accounts made by the whole program while Lattice takes 25 requests a second and answers others 429, from the first write that it took to the last: with the default ceiling, and without one, where the limit has to be found",
  inCI: true,
  async *measure({ small }) {
    const people = small ? 300 : 2_000;
    yield* firstRun("default ceiling", people, {});
    yield* firstRun("no ceiling", people, { maxRequestsPerSecond: null });
  },
};

async function* firstRun(name: string, people: number, pace: Pace): AsyncGenerator<Finding> {
  using ends = await startEnds({ people, ratePerSecond });
  using als = await program();
  const ran = await sync(als, ends, pace);
  const { requests, writes, throttled, writingMs } = await ends.stats();
  const perSecond = ((writes - 1) / writingMs) * 1_000;
  const figures = { people, requests, writes, throttled, writingMs, ms: ran.milliseconds };
  yield {
    what: `${name}: accounts while sending : limit`,
    measured: `${perSecond.toFixed(2)} accounts/s`,
    reference: `${ratePerSecond} requests/s`,
    ratio: perSecond / ratePerSecond,
    wanted: { atLeast: 0.97 },
    figures,
  };
  yield {
    what: `${name}: not answered 429 : all requests`,
    measured: `${grouped(requests - throttled)} of them`,
    reference: `${grouped(requests)} requests`,
    // Not the share of the 429: that is 0 at best, and no ratio can be held against 0.
    ratio: 1 - throttled / requests,
    wanted: { atLeast: leastTaken(requests) },
    figures,
  };
}

/** One in a hundred may be refused; the few that it takes to find a limit weigh more in a short run. */
function leastTaken(requests: number): number {
  return requests < 1_000 ? 0.98 : 0.99;
}
