import { type Defect, swap } from "./defect.ts";

// Faults in what people have decided about accounts.

const family = "account-decisions";

export const accountDecisionDefects: readonly Defect[] = [
  {
    name: "a protected account is planned and written like any other",
    seed: 1,
    history: 19,
    family,
    swaps: [swap("cycle/operations/protected-account.ts", "protectorOf", () => () => null)],
  },
  {
    name: "an account that a person has unlinked is matched again",
    seed: 1,
    history: 28,
    family,
    swaps: [
      swap("cycle/planning/link-decision.ts", "unlinkingDecision", () => () => null),
      swap("cycle/sending/whose-account.ts", "refuseOthers", () => async () => {}),
    ],
  },
  {
    name: "nobody is planned again when an account is no longer protected",
    seed: 1,
    history: 192,
    family,
    swaps: [swap("cycle/reading/protections.ts", "markProtectionChanges", () => async () => {})],
  },
  {
    name: "a user whom a person has linked is not planned again",
    seed: 1,
    history: 10,
    family,
    swaps: [swap("cycle/pictures/marks.ts", "linkDecided", () => () => [])],
  },
];
