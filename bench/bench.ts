/** One line of the table: a figure beside the reference that was measured in the same run. */
export interface Finding {
  readonly what: string;
  /** The figure with its unit, as a reader wants it. */
  readonly measured: string;
  /** The reference that it is compared with, with its own figure. */
  readonly reference: string;
  /** The figure divided by the reference: what remains when the machine is another. */
  readonly ratio: number;
  /** The bound that the ratio has to reach; none if the line is there for comparison. */
  readonly wanted?: Bound;
  /** More that was measured, with the unit in the name. */
  readonly figures?: Readonly<Record<string, number>>;
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

export interface BenchOptions {
  /** For CI: less of everything, so that all of it takes less than two minutes. */
  readonly small: boolean;
  /** Sizes above this are left out. */
  readonly upTo: number;
  /** Says what is going on, on the way to the next finding. */
  readonly note: (text: string) => void;
}

/** A file of `suite/`, which is named after it. */
export interface Bench {
  /** A sentence that says what is measured against what. */
  readonly about: string;
  /** Whether it is a part of `bench:ci`. */
  readonly inCI: boolean;
  measure(options: BenchOptions): AsyncIterable<Finding>;
}

/** How far a ratio may move to the worse before CI refuses it: machines differ, and so do two runs on one. */
const tolerance = 1 / 3;

export function isMet(ratio: number, wanted: Bound): boolean {
  return "atLeast" in wanted ? ratio >= wanted.atLeast : ratio <= wanted.atMost;
}

export function isWorse(ratio: number, other: number, wanted: Bound): boolean {
  return "atLeast" in wanted ? ratio < other : ratio > other;
}

/** Whether `now` is worse than `before` by more than the tolerance. */
export function hasFallen(now: number, before: number, wanted: Bound): boolean {
  return "atLeast" in wanted ? now < before * (1 - tolerance) : now > before / (1 - tolerance);
}

/** The middle of some runs. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** 12,345 */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** How long the work takes at least, milliseconds. */
export function best(rounds: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    work();
    least = Math.min(least, performance.now() - startedAt);
  }
  return least;
}
