import fc from "fast-check";
import { calm, harried } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, manners } from "./steps.ts";

// Histories in which the guard holds every leaver, or all but one a day.

const who = fc.nat(1);

const comingOrGoing: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("disable" as const, "enable" as const, "leave" as const, "join" as const),
  who,
});

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: fc.option<number>(who, { freq: 2 }),
});

const harriedCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.option<number>(who, { freq: 3 }),
  fate: harried(1, 3),
  during: fc.constant(null),
});

/** Held operations are released or rejected, and the same people leave in another way, or come back and leave again. */
export const releases: fc.Arbitrary<History> = fc.record({
  manners,
  guard: fc.record({ what: fc.constant("deactivations" as const), most: fc.constantFrom(0, 0, 1) }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(1),
  founders: fc.constantFrom(2, 3),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: comingOrGoing },
      { weight: 3, arbitrary: calmCycle },
      { weight: 1, arbitrary: harriedCycle },
      { weight: 2, arbitrary: decision },
    ),
    { minLength: 5, maxLength: 16, size: "max" },
  ),
});
