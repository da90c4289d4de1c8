import { type Defect, swapInner } from "./defect.ts";

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
];
