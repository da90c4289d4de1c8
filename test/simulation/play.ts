import fc from "fast-check";
import type { Family } from "./families.ts";
import type { History } from "./history.ts";
import type { PlayedState } from "./played-state.ts";
import { createSimulator } from "./simulate.ts";
import { sqliteState } from "./sqlite-state.ts";

/** Which histories of a family are played. */
export interface Choice {
  readonly runs: number;
  readonly seed: number;
  /** The path to the first one, as a failure printed it. */
  readonly path?: string;
  /** Stops at the first failing history as it is, without making it smaller. */
  readonly first?: boolean;
}

/** A history that breaks a promise. */
export interface Failure {
  /** The promise that is broken, in words. */
  readonly broken: string;
  readonly history: History | undefined;
  /** The path that, with the seed, plays the history again. */
  readonly path: string;
  readonly run: number;
  readonly shrinks: number;
}

/**
 * Plays histories of a family on a database of their own, until one breaks a promise.
 * @param played called after each history
 * @param openState what they are played on. Default: a SQLite database of their own
 * @returns `null` if none does
 */
export async function playHistories(
  family: Family,
  { runs, seed, path, first = false }: Choice,
  played = (): void => {},
  openState: () => PlayedState | Promise<PlayedState> = () => sqliteState(),
): Promise<Failure | null> {
  const simulator = createSimulator(await openState());
  const outcome = await fc.check(
    fc.asyncProperty(family.histories, async (history) => {
      const broken = await simulator.play(history);
      played();
      if (broken !== null) throw new Error(broken);
    }),
    { numRuns: runs, seed, endOnFailure: first, ...(path === undefined ? {} : { path }) },
  );
  await simulator.close();
  if (!outcome.failed) return null;
  const { errorInstance, counterexample, counterexamplePath, numRuns, numShrinks } = outcome;
  return {
    broken: errorInstance instanceof Error ? errorInstance.message : "it did not end",
    history: counterexample?.[0],
    path: counterexamplePath ?? "",
    run: numRuns,
    shrinks: numShrinks,
  };
}
