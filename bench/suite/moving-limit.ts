import { type Bench, type Finding, grouped } from "../bench.ts";
import { createAccounts } from "../ends/client-loop.ts";
import { startEnds } from "../ends/ends.ts";

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
  const whole = limits.reduce((sum, { seconds }) => sum + seconds, 0);
  await createAccounts(ends.latticeUrl, { concurrency: 8, seconds: whole });
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
    what: `not answered 429 : all requests${name}`,
    measured: `${grouped(requests - throttled)} of them`,
    reference: `${grouped(requests)} requests`,
    ratio: 1 - throttled / requests,
    ...(promised ? { wanted: { atLeast: 0.97 } } : {}),
    figures,
  };
}
