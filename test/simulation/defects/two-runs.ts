import { type Defect, swapInner, swapStore } from "./defect.ts";

// Faults in what keeps two runs of one job apart.

const family = "two-runs";

export const twoRunDefects: readonly Defect[] = [
  {
    name: "a run does not renew its lease before it writes",
    seed: 2,
    history: 691,
    family,
    swaps: [swapInner<() => number>("job/lease.ts", "elapsedMs", () => () => 0)],
  },
  {
    name: "a run that has lost its lease goes on committing",
    seed: 2,
    history: 0,
    family,
    swaps: [swapStore(({ commit }) => ({ commit: (change) => commit(change, "private") }))],
  },
];
