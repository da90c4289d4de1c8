import type { Weight } from "../../domain/weight.ts";

/** Weights as the column holds them: `null` for none, so that most rows are not in the index of weights. */
export function weightsColumn(weights: readonly Weight[]): string | null {
  return weights.length === 0 ? null : JSON.stringify(weights);
}

export function weightsOfRow({ weights }: { readonly weights: string | null }): readonly Weight[] {
  return weights === null ? [] : (JSON.parse(weights) as Weight[]);
}
