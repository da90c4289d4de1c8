import type { Change } from "../../src/domain/plan.ts";
import type { StateStore } from "../../src/domain/state/store.ts";

/** An operation of the newest cycle, as the log has it. */
export interface LoggedRow {
  readonly id: number;
  readonly objectId: string;
  readonly latticeId: string | null;
  readonly status: string;
  readonly error: string | null;
  readonly changes: readonly Change[];
  /** An intent is about it. */
  readonly open: boolean;
}

type Answer<T> = T | Promise<T>;

/** The questions that the conditions ask of the tables themselves, past the store. */
export interface Questions {
  cycleIds(): Answer<readonly number[]>;
  /** When the newest cycle began; `null` if there is none. */
  newestCycleAt(): Answer<number | null>;
  /** Operations of the newest cycle, or of all after this one, that are not only reported. */
  newestOperations(after?: number | null): Answer<readonly LoggedRow[]>;
  countOperations(): Answer<number>;
  /** Links that were dissolved at `since` or later. */
  dissolvedSince(since: number): Answer<readonly { readonly latticeId: string; readonly at: number }[]>;
  /** Object ids of people of whom something is said somewhere: in the log, as skipped, waiting, failed, rejected or lost. */
  told(): Answer<readonly string[]>;
  /** Object ids of people who are looked at again by then. */
  dueBy(now: number): Answer<readonly string[]>;
  /** Object ids of people who are planned by the next cycle. */
  marked(): Answer<readonly string[]>;
}

/** A store and the number of times that it has written so far. */
export interface CountedStore {
  readonly store: StateStore;
  readonly changes: () => number;
}

/** The state that histories are played on, one after the other. */
export interface PlayedState extends CountedStore {
  readonly ask: Questions;
  /** A contradiction in the tables; `null` if there is none. */
  fault(): Answer<string | null>;
  /** Leaves nothing, as if the database were new. */
  wipe(): Answer<void>;
  /** All that is kept, as a value that changes if anything does. */
  image(): Answer<string>;
  /** A copy to plan a dry run on; closing its store removes it. */
  copy(): Answer<CountedStore>;
  close(): Promise<void>;
  /** Only of a store that has commits that may be lost. */
  readonly power?: Power;
}

/** The power of the machine that the process runs on. */
export interface Power {
  /** Whether it may be cut from here on. */
  watch(on: boolean): void;
  /** Call when the process has died. @param chance 0 up to 1, decides how much is lost; maybe nothing */
  cut(chance: number): Promise<void>;
}
