import type { DoubtfulWeights, WeighedCount, Weight } from "../domain/weight.ts";

/** How many operations have the weights of this column. */
export interface WeighedRow {
  readonly weights: string;
  readonly count: number;
}

/** Weights as the column holds them: `null` for none, so that most rows are not in the index of weights. */
export function weightsColumn(weights: readonly Weight[]): string | null {
  return weights.length === 0 ? null : JSON.stringify(weights);
}

/** The weights that a column holds. */
export function parsedWeights(column: string | null): readonly Weight[] {
  return column === null ? [] : (JSON.parse(column) as Weight[]);
}

export function weighedCount({ weights, count }: WeighedRow): WeighedCount {
  return { weights: parsedWeights(weights), count };
}

/** An operation in doubt, with the weights of one of the cycle's operations for the same person. */
export interface DoubtfulRow {
  readonly id: number;
  readonly weights: string;
  readonly planned: string | null;
}

/** Joins the rows of each operation in doubt. */
export function doubtfulWeights(rows: readonly DoubtfulRow[]): readonly DoubtfulWeights[] {
  const found = new Map<number, DoubtfulWeights>();
  for (const { id, weights, planned } of rows) {
    const before = found.get(id)?.planned ?? [];
    found.set(id, { weights: parsedWeights(weights), planned: [...before, ...parsedWeights(planned)] });
  }
  return [...found.values()];
}
