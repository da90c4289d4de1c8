import type { Operation } from "../../../src/domain/plan.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in what waits while a new configuration is tried on a few people.

export const canaryDefects: readonly Defect[] = [
  {
    name: "an account that was released is made with whatever values a newer configuration gives",
    seed: 1,
    history: 16,
    family: "canary",
    swaps: [
      swapInner<(operation: Operation) => string>(
        "cycle/operations/fingerprint.ts",
        "valuesFingerprint",
        () => () => "",
      ),
    ],
  },
  {
    name: "a canary lets updates of everybody through",
    seed: 1,
    history: 9,
    family: "canary",
    swaps: [
      swap(
        "cycle/operations/canary.ts",
        "waitsForCanary",
        (original) => (operation, chosen) => operation.action !== "update" && original(operation, chosen),
      ),
    ],
  },
  {
    name: "a canary is forgotten with the cycle that began it",
    seed: 1,
    history: 1,
    family: "canary",
    swaps: [swap("cycle/guard/canary/standing.ts", "parseCanary", () => () => null)],
  },
  {
    name: "a canary ends with its first write",
    seed: 1,
    history: 1,
    family: "canary",
    swaps: [
      swap(
        "cycle/guard/canary/standing.ts",
        "goesOnAt",
        () =>
          ({ goesOn }, { firstDoneAt }) =>
            goesOn === null ? null : firstDoneAt,
      ),
    ],
  },
  {
    name: "a canary tries on a person who needs the userName of somebody who waits",
    seed: 1,
    history: 227,
    family: "canary-group",
    swaps: [swap("cycle/guard/canary/wait-for-names.ts", "waitForNames", () => async () => {})],
  },
  {
    name: "a canary chooses more people after a killed cycle",
    seed: 1,
    history: 137,
    family: "canary-group",
    swaps: [
      swap("cycle/guard/canary/begin.ts", "canaryOf", (original) => async (context, meta, asked) => {
        const canary = await original(context, meta, asked);
        const [, before] = await context.store.recentCycles(2);
        const { canary: settings } = context.settings;
        if (canary?.kind !== "underWay" || settings === null || before?.outcome !== "interrupted")
          return canary;
        return { kind: "begins", cause: canary.canary.cause, settings };
      }),
    ],
  },
  {
    name: "people who are disabled or deleted wait for a canary",
    seed: 2,
    history: 366,
    family: "canary",
    swaps: [swap("cycle/operations/canary.ts", "leavesCertainly", () => () => false)],
  },
];
