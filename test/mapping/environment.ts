import type { Environment } from "../../src/mapping/language/functions/definition.ts";
import { createRandom } from "../../src/sandbox/random.ts";

/** The same time and the same random numbers in each test. */
export function fixedEnvironment(): Environment {
  const random = createRandom(1, "mapping");
  return { now: () => Date.UTC(2021, 6, 2, 15, 33, 38), random: () => random.int(2 ** 30) / 2 ** 30 };
}
