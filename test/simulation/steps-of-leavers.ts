import fc from "fast-check";
import { anyFate, calm, harried } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { byHand, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";

// Histories in which leavers are looked for between cycles.

const look: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("lane" as const),
  fate: fc.oneof(
    { weight: 3, arbitrary: fc.nat().map((seed) => ({ ...calm, seed })) },
    { weight: 1, arbitrary: anyFate },
    { weight: 2, arbitrary: harried(1, 3) },
  ),
  during: fc.constant(null),
});

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: fc.constant(null),
});

const other: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expireWatermarks" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 25) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("loseDatabase" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("configure" as const),
      change: fc.oneof(
        fc.record({ titleIsMapped: fc.boolean() }),
        fc.record({
          actions: fc.record({ create: fc.boolean(), update: fc.boolean(), deactivate: fc.boolean() }),
        }),
      ),
    }),
  },
);

const founded = {
  manners: manners.map((others) => ({ ...others, ...faithful })),
  drift: fc.constantFrom("correct" as const, "correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4, 5),
  founding: fc.constant(calm),
};
const length = { minLength: 3, maxLength: 16, size: "max" } as const;

/** People come and go, cycles die, and leavers are looked for again and again; some looks die too. */
function histories(among: fc.Arbitrary<Step>): fc.Arbitrary<History> {
  return fc.record({
    ...founded,
    guard: fc.constant(null),
    steps: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: comingAndGoing },
        { weight: 3, arbitrary: edit },
        { weight: 7, arbitrary: look },
        { weight: 4, arbitrary: cycle },
        { weight: 1, arbitrary: among },
      ),
      length,
    ),
  });
}

/** More leave than the guard lets pass, and a person decides about those whom it holds. */
const guarded: fc.Arbitrary<History> = fc.record({
  ...founded,
  guard: fc.record({ what: fc.constant("deactivations" as const), most: fc.nat(2) }),
  steps: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: comingAndGoing },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("disable" as const), who: fc.nat(4) }) },
      { weight: 2, arbitrary: decision },
      { weight: 5, arbitrary: look },
      { weight: 4, arbitrary: cycle },
    ),
    length,
  ),
});

/** Only a full comparison sees manual changes in Lattice. Without them, more can be demanded of the others. */
export const leaverLane: fc.Arbitrary<History> = fc.oneof(
  { weight: 3, arbitrary: histories(other) },
  { weight: 2, arbitrary: guarded },
  { weight: 1, arbitrary: histories(byHand) },
);
