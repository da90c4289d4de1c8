import type { Ends } from "./ends/ends.ts";
import type { Program, Ran } from "./program.ts";

/** The keys of the section `lattice` that a bench sets. */
export interface Pace {
  readonly maxConcurrency?: number;
  /** `null`: no ceiling. */
  readonly maxRequestsPerSecond?: number | null;
}

export const syncArguments = ["sync", "--format", "json", "--out", "report.json"];

/** A configuration that leads to these ends. The guard weighs, and holds nothing of titles that change again and again. */
export function configurationOf({ configuration: { entra, lattice } }: Ends, pace: Pace): object {
  const guard = { maxReplacementPercent: 100 };
  return { entra, lattice: { ...lattice, token: "bench", ...pace }, guard };
}

/** One sync of the whole program. @throws Error where it does not end with 0 */
export async function sync(
  als: Program,
  ends: Ends,
  pace: Pace,
  options: readonly string[] = [],
): Promise<Ran> {
  const ran = await als.run([...syncArguments, ...options], configurationOf(ends, pace));
  if (ran.code !== 0) throw new Error(`the run ended with ${ran.code}: ${ran.stderr}`);
  return ran;
}
