import fc from "fast-check";
import type { Moment } from "./fate.ts";
import { anyFate, calm, harried } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";

// Histories in which a cycle and a look for leavers are under way in two processes.

const quiet = fc.nat().map((seed) => ({ ...calm, seed }));
const wait = fc.constantFrom(null, 20_000, 150_000, 150_000, 150_000, 150_000);

/** A few changes of the database after it has read or sent something: moments that come in most runs. */
const stallMoment: fc.Arbitrary<Moment> = fc.record({
  on: fc.constantFrom(
    "begin" as const,
    "people" as const,
    "people" as const,
    "scope" as const,
    "write" as const,
  ),
  who: fc.constantFrom(0, 0, 0, 1, 2),
  attempt: fc.constant(0),
  commits: fc.nat(6),
});

type Stall = NonNullable<Extract<Step, { do: "together" }>["stall"]>;

const together: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("together" as const),
  cycle: fc.oneof({ weight: 2, arbitrary: quiet }, { weight: 1, arbitrary: anyFate }),
  lane: fc.oneof({ weight: 2, arbitrary: quiet }, { weight: 1, arbitrary: harried(1, 3) }),
  waits: fc.record({ cycle: wait, lane: wait }),
  stall: fc.option<Stall>(
    fc.record({
      of: fc.constantFrom("cycle" as const, "cycle" as const, "lane" as const),
      at: stallMoment,
      ms: fc.constantFrom(1_000, 61_000, 61_000, 600_000),
    }),
    { freq: 6 },
  ),
  seed: fc.nat(),
});

const look: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("lane" as const),
  fate: quiet,
  during: fc.constant(null),
});

const pausing: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("pause" as const), hours: fc.constantFrom(null, 1), leaversToo: fc.boolean() }),
  fc.record({ do: fc.constant("resume" as const) }),
);

/** A cycle and a look for leavers wait for each other, stand still, die, and take the lease over from each other. */
export const twoRuns: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constantFrom(null, null, { what: "deactivations" as const, most: 1 }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: comingAndGoing },
      { weight: 4, arbitrary: edit },
      { weight: 6, arbitrary: together },
      { weight: 1, arbitrary: look },
      { weight: 1, arbitrary: calmCycle },
      { weight: 1, arbitrary: cycle },
      { weight: 1, arbitrary: pausing },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom("protect" as const, "unprotect" as const),
          who: fc.nat(3),
        }),
      },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});
