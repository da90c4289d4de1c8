import type { LinkedTarget } from "../../../src/domain/state/account.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in what is taken back, and in what keeps it from being sent again.

export const revertDefects: readonly Defect[] = [
  {
    name: "what a revert takes back is not rejected",
    seed: 7,
    history: 3,
    family: "reverts",
    swaps: [swap("cycle/pictures/fold-reverted.ts", "rejectionsOfRevert", () => () => [])],
  },
  {
    name: "what a killed revert has taken back is not rejected",
    seed: 7,
    history: 112,
    family: "reverts",
    swaps: [
      swap("cycle/pictures/outcomes.ts", "foldLookUp", (original) => (known, intent, lookedUp) => {
        const { rejections: _, ...change } = original(known, intent, lookedUp);
        return change;
      }),
    ],
  },
  {
    name: "a revert writes over a title that has changed since",
    seed: 7,
    history: 348,
    family: "reverts",
    swaps: [
      swap("cycle/planning/revert-of.ts", "revertOf", (original) => (operation, now, options) => {
        const { account } = now;
        const sent = operation.changes.find(({ attribute }) => attribute === "title");
        if (account === null || sent === undefined) return original(operation, now, options);
        const asSent: LinkedTarget = { ...account, values: { ...account.values, title: sent.after } };
        return original(operation, { ...now, account: asSent }, options);
      }),
    ],
  },
  {
    name: "a revert switches the accounts of leavers on",
    seed: 7,
    history: 11,
    family: "reverts",
    swaps: [swapInner<() => string | null>("cycle/reverts/reverts.ts", "staysOff", () => () => null)],
  },
];
