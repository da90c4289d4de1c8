import { systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import { createLatticeTarget } from "../../src/lattice/target.ts";
import { type Bench, type Finding, grouped } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";

const concurrency = 8;

export const bench: Bench = {
  about:
    "accounts made through the limiter, without a ceiling, while what Lattice takes moves from 10 to 40 to 5 requests a second, against the area under that limit",
  inCI: false,
  async *measure({ small }) {
    const seconds = small ? 20 : 40;
    const limits = [10, 40, 5].map((perSecond) => ({ perSecond, seconds }));
    yield* follow("", limits, undefined);
    if (!small) yield* follow(", Retry-After: 1", limits, 1);
  },
};

/** @param retryAfter seconds that Lattice asks for with a 429; without, it does not say, and nothing is promised of what follows */
async function* follow(
  name: string,
  limits: readonly { readonly perSecond: number; readonly seconds: number }[],
  retryAfter: number | undefined,
): AsyncGenerator<Finding> {
  using ends = await startEnds({ people: 20, limits, ...(retryAfter === undefined ? {} : { retryAfter }) });
  const target = createLatticeTarget({
    url: ends.latticeUrl,
    token: new Secret("bench"),
    updateMethod: "patch",
    maxConcurrency: concurrency,
    maxRequestsPerSecond: null,
    paths: ["userName"],
    clock: systemClock,
  });
  const whole = limits.reduce((sum, { seconds }) => sum + seconds, 0);
  const stop = AbortSignal.timeout(whole * 1_000);
  let next = 0;
  const createOn = async (): Promise<void> => {
    while (!stop.aborted) {
      next += 1;
      await target.create([{ path: "userName", value: `person.${next}@example.com` }], stop);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, createOn));
  target.close();
  const failed = ended.find((one) => one.status === "rejected" && one.reason !== stop.reason);
  if (failed?.status === "rejected") throw failed.reason;
  const { requests, writes, throttled, writesByLimit } = await ends.stats();
  const area = limits.reduce((sum, { perSecond, seconds }) => sum + perSecond * seconds, 0);
  const figures = {
    requests,
    writes,
    throttled,
    ...Object.fromEntries(
      limits.map(({ perSecond }, index) => [`writesAt${perSecond}PerSecond`, writesByLimit[index] ?? 0]),
    ),
  };
  const promised = retryAfter === undefined;
  yield {
    what: `taken : area under the limit${name}`,
    measured: `${grouped(writes)} accounts`,
    reference: `${grouped(area)} requests`,
    ratio: writes / area,
    ...(promised ? { wanted: { atLeast: 0.9 } } : {}),
    figures,
  };
  yield {
    what: `answered 429 : all requests${name}`,
    measured: `${throttled} answers`,
    reference: `${grouped(requests)} requests`,
    ratio: throttled / requests,
    ...(promised ? { wanted: { atMost: 0.03 } } : {}),
    figures,
  };
}
