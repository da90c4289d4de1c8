import fc from "fast-check";
import { calm } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";
import { configured } from "./steps-of-others.ts";

const somebodyOrAll: fc.Arbitrary<number | null> = fc.option(fc.nat(5), { freq: 2 });

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: somebodyOrAll,
});

/** A first run and each new configuration are tried on a few people; people decide, runs die, and others come and go meanwhile. */
const mixed: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constant(null),
  canary: fc.record({ people: fc.nat(3), goesOn: fc.boolean() }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("configure" as const), change: configured }) },
      { weight: 3, arbitrary: edit },
      { weight: 2, arbitrary: comingAndGoing },
      { weight: 3, arbitrary: decision },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 3) }) },
      { weight: 3, arbitrary: calmCycle },
      { weight: 4, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 16, size: "max" },
  ),
});

/** Accounts that a person has released are not made yet when the configuration, or the person, gets other values. */
const releasedBefore: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constant(null),
  canary: fc.record({ people: fc.nat(2), goesOn: fc.boolean() }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
  steps: fc
    .tuple(
      fc.boolean(),
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: decision },
          {
            weight: 3,
            arbitrary: fc.record({
              do: fc.constant("configure" as const),
              change: fc.record({ titleIsMapped: fc.boolean() }),
            }),
          },
          { weight: 1, arbitrary: edit },
          { weight: 3, arbitrary: calmCycle },
        ),
        { minLength: 3, maxLength: 10, size: "max" },
      ),
    )
    .map(([titleIsMapped, steps]): readonly Step[] => [
      { do: "configure", change: { titleIsMapped } },
      { do: "cycle", kind: "incremental", dryRun: false, only: null, fate: calm, during: null },
      ...steps,
    ]),
});

export const canaries: fc.Arbitrary<History> = fc.oneof(
  { weight: 4, arbitrary: mixed },
  { weight: 1, arbitrary: releasedBefore },
);
