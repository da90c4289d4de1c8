import fc from "fast-check";
import { calm, harried } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, faithful, manners } from "./steps.ts";

const who = fc.nat(4);

const change: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "disable" as const,
        "enable" as const,
        "leave" as const,
        "join" as const,
        "softDelete" as const,
        "restore" as const,
      ),
      who,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("manager" as const), who, manager: fc.option(who) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("title" as const), who, title: fc.constantFrom("Chief", null) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("hire" as const),
      who: fc.nat(5),
      name: fc.nat(5),
      manager: fc.option(who),
    }),
  },
);

const harriedCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom(
    "incremental" as const,
    "incremental" as const,
    "incremental" as const,
    "full" as const,
  ),
  dryRun: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  only: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: who }),
  fate: harried(2, 4),
  during: fc.constant(null),
});

/**
 * Managers and their reports are deactivated and reactivated. Lattice removes them from the reporting lines by itself, or does
 * not, and accepts a deactivated manager, or does not.
 */
export const reportingLines: fc.Arbitrary<History> = fc.record({
  manners: fc
    .record({
      regular: manners,
      cascades: fc.constantFrom(true, true, true, false),
      inactiveManager: fc.constantFrom("accept" as const, "drop" as const, "refuse" as const),
    })
    .map(({ regular, ...lifecycle }) => ({ ...regular, ...faithful, lifecycle })),
  guard: fc.constant(null),
  drift: fc.constantFrom("correct" as const, "report" as const),
  managerRings: fc.constantFrom("send" as const, "send" as const, "send" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: change },
      { weight: 2, arbitrary: calmCycle },
      { weight: 2, arbitrary: harriedCycle },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});
