import type { WeighedCount, Weight } from "../domain/weight.ts";

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
export function weightsOf(column: string | null): readonly Weight[] {
  return column === null ? [] : (JSON.parse(column) as Weight[]);
}

export function weighedCount({ weights, count }: WeighedRow): WeighedCount {
  return { weights: weightsOf(weights), count };
}
