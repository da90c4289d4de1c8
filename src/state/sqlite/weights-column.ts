import type { Weight } from "../../domain/weight.ts";

/** As it is kept: nothing for an operation that weighs nothing, so that most rows are in no index of weights. */
export function weightsColumn(weights: readonly Weight[]): string | null {
  return weights.length === 0 ? null : JSON.stringify(weights);
}

export function weightsOfRow({ weights }: { readonly weights: string | null }): readonly Weight[] {
  return weights === null ? [] : (JSON.parse(weights) as Weight[]);
}
