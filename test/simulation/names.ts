import fc from "fast-check";
import { calm, harried } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, faithful, manners } from "./steps.ts";

const who = fc.nat(4);

const change: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("swapNames" as const), who, other: who }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("rename" as const), who, name: fc.nat(7) }) },
  {
    weight: 2,
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
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("hire" as const),
      who: fc.nat(5),
      name: fc.nat(7),
      manager: fc.option(who),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("title" as const), who, title: fc.constantFrom("Chief", null) }),
  },
);

const harriedCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: who }),
  fate: harried(2, 4),
  during: fc.constant(null),
});

/** People get one another's userNames, in chains and in rings, while others come and go. */
export const names: fc.Arbitrary<History> = fc.record({
  manners: fc
    .tuple(manners, fc.constantFrom(true, true, true, false))
    .map(([others, uniqueUserNames]) => ({ ...others, ...faithful, uniqueUserNames })),
  guard: fc.constantFrom(null, null, null, { what: "renames" as const, most: 2 }),
  drift: fc.constant("correct" as const),
  renameRings: fc.constantFrom("report" as const, "temporaryName" as const, "temporaryName" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 3, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: change },
      { weight: 2, arbitrary: calmCycle },
      { weight: 2, arbitrary: harriedCycle },
    ),
    { minLength: 2, maxLength: 12, size: "max" },
  ),
});

const hire = (person: fc.Arbitrary<number>, name: fc.Arbitrary<number> | null): fc.Arbitrary<Step> =>
  fc
    .record({
      do: fc.constant("hire" as const),
      who: person,
      name: name ?? fc.constant(null),
      manager: fc.option(fc.nat(7)),
    })
    .map((step) => ({ ...step, name: step.name ?? step.who }));

/** A new person gets the userName of a second one, who gets that of a third, who gets a new one. */
const passedOn: fc.Arbitrary<readonly Step[]> = fc
  .record({ first: fc.nat(1), second: fc.integer({ min: 4, max: 6 }), newcomer: fc.constantFrom(2, 3, 7) })
  .map(({ first, second, newcomer }) => [
    { do: "rename", who: first, name: 7 },
    { do: "rename", who: second, name: first },
    { do: "hire", who: newcomer, name: second, manager: null },
  ]);

const alone = (steps: fc.Arbitrary<Step>): fc.Arbitrary<readonly Step[]> => steps.map((step) => [step]);

/** New people get the userNames of people whose names change, and accounts are found by the externalId alone. */
export const passedOnNames: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful, uniqueUserNames: true })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  matching: fc.constant("externalIdAlone" as const),
  renameRings: fc.constantFrom("report" as const, "temporaryName" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constant(2),
  founding: fc.constant(calm),
  steps: fc
    .array(
      fc.oneof(
        { weight: 2, arbitrary: passedOn },
        { weight: 2, arbitrary: alone(hire(fc.integer({ min: 4, max: 6 }), null)) },
        { weight: 2, arbitrary: alone(hire(fc.integer({ min: 2, max: 7 }), fc.nat(4))) },
        { weight: 4, arbitrary: alone(change) },
        { weight: 2, arbitrary: alone(calmCycle) },
        { weight: 1, arbitrary: alone(harriedCycle) },
      ),
      { minLength: 2, maxLength: 12, size: "max" },
    )
    .map((steps) => steps.flat()),
});
