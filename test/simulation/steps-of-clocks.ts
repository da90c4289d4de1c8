import fc from "fast-check";
import { plainRules } from "./configuration.ts";
import { anyFate, calm } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, comingAndGoing, cycle, edit, eventAction, faithful, manners } from "./steps.ts";

// Histories in which this machine's clock is wrong for some time, and both ends show the true time.

const year = 366 * 24;

const clock: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("clock" as const),
  hours: fc.constantFrom(0, 0, 0, 1, -1, 25, -25, year, year, -year),
});

const starts: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("starts" as const),
  who: fc.nat(4),
  hours: fc.constantFrom(-48, 5, 30, 60),
});

const wait: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("wait" as const),
  hours: fc.constantFrom(1, 25, 49, 31 * 24),
});

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: fc.option<number>(fc.nat(4), { freq: 2 }),
});

const daemon: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("daemon" as const),
  hours: fc.constantFrom(2, 4, 26),
  fate: fc.oneof({ weight: 2, arbitrary: fc.constant(calm) }, { weight: 1, arbitrary: anyFate }),
});

const clockManners = fc
  .tuple(manners, fc.boolean())
  .map(([others, tellsTimeLate]) => ({ ...others, ...faithful, tellsTimeLate }));

/** The guard's limits for a day apply to the true day. */
const guarded: fc.Arbitrary<History> = fc.record({
  manners: clockManners,
  guard: fc.record({ what: fc.constant("deactivations" as const), most: fc.constantFrom(1, 2) }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constant(5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: clock },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constantFrom("disable" as const, "leave" as const), who: fc.nat(4) }),
      },
      { weight: 3, arbitrary: calmCycle },
    ),
    { minLength: 4, maxLength: 10, size: "max" },
  ),
});

/** The clock jumps while deactivations and first days are due later, and the guard holds what exceeds the limits of a day. */
export const clocks: fc.Arbitrary<History> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      manners: clockManners,
      guard: fc.option(
        fc.record({ what: fc.constant("deactivations" as const), most: fc.constantFrom(1, 2) }),
        {
          freq: 2,
        },
      ),
      drift: fc.constant("correct" as const),
      rules: fc.oneof(
        fc.constant(plainRules),
        fc.record({
          events: fc.record({ outOfScope: eventAction, deleted: eventAction, disabled: eventAction }),
          byDate: fc.boolean(),
        }),
      ),
      concurrency: fc.constantFrom(1, 4),
      founders: fc.constantFrom(2, 4),
      founding: fc.constant(calm),
      steps: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: clock },
          { weight: 5, arbitrary: comingAndGoing },
          { weight: 2, arbitrary: starts },
          { weight: 1, arbitrary: edit },
          { weight: 1, arbitrary: wait },
          { weight: 1, arbitrary: decision },
          { weight: 1, arbitrary: daemon },
          { weight: 5, arbitrary: calmCycle },
          { weight: 2, arbitrary: cycle },
        ),
        { minLength: 4, maxLength: 16, size: "max" },
      ),
    }),
  },
  { weight: 1, arbitrary: guarded },
);
