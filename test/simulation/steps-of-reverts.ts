import fc from "fast-check";
import { anyFate, calm, who } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { cycle, edit, faithful, manners } from "./steps.ts";

// Histories in which earlier cycles are taken back.

const revert: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("revert" as const),
  back: fc.constantFrom(0, 0, 0, 1, 1, 2, 3),
  created: fc.boolean(),
  fate: fc.oneof({ weight: 2, arbitrary: fc.constant(calm) }, { weight: 1, arbitrary: anyFate }),
});

/** Any earlier cycle is taken back, and that again; with faults and deaths in the middle of it, and edits in between. */
export const reverts: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: edit },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("title" as const),
          who: fc.nat(1),
          title: fc.constantFrom("Analyst", "Chief", null),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("editInLattice" as const),
          who,
          active: fc.boolean(),
          title: fc.constantFrom("Edited", "Analyst"),
        }),
      },
      { weight: 3, arbitrary: revert },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("undoRejections" as const) }) },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 16, size: "max" },
  ),
});
