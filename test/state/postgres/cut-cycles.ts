import { StateError } from "../../../src/domain/errors.ts";
import { createRandom } from "../../../src/sandbox/random.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { companyIn } from "./company.ts";
import { type CuttingProxy, cuts } from "./cutting-proxy.ts";

const people = 8;
/** Messages of either side in a cycle of so few people: a cut later than that is none. */
const mostMessages = 900;

/**
 * Runs the first cycles of a company whose connections are cut at messages that the seed picks, and one that is not disturbed.
 * @param at a job without rows, by way of `proxy`
 * @returns what is wrong after that, and how many connections were cut
 */
export async function playCuts(
  at: PostgresPlace,
  proxy: CuttingProxy,
  seed: number,
): Promise<{ readonly wrongs: readonly string[]; readonly cut: number }> {
  const random = createRandom(seed, "cuts");
  await using company = await companyIn(at, people);
  const { place } = company;
  const wrongs: string[] = [];
  let cut = 0;
  for (let cycle = 0; cycle < 3; cycle += 1) {
    if (cycle > 0) place.source.change(`p${random.int(people)}`, { jobTitle: `Title ${cycle}` });
    // Most cycles are shorter: cuts must lie in all of them.
    proxy.cutAt(1 + random.int(random.chance(0.5) ? mostMessages : mostMessages / 5), random.pick(cuts));
    try {
      await place.cycle();
    } catch (error) {
      // Rows of a walk that was cut are not visited twice: the cycle ends, and says so.
      if (!(error instanceof StateError)) throw error;
      if (!/was lost and could not be made again/.test(error.message)) wrongs.push(error.message);
    }
    if (proxy.hasCut()) cut += 1;
  }
  proxy.cutAt(Number.POSITIVE_INFINITY, { from: "client", when: "before" });
  await place.cycle();
  return { wrongs: [...wrongs, ...(await company.wrongs())], cut };
}
