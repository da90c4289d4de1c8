import fc from "fast-check";
import type { Moment } from "./fate.ts";
import { anyFate, calm, groupFault, harried, moment, who } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { byHand, calmCycle, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";
import { configured } from "./steps-of-others.ts";

// Histories in which people order what the program does: they pause it, protect accounts, take cycles back, and decide.

const pausing: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pause" as const),
      hours: fc.constantFrom(null, null, 1, 3),
      leaversToo: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const) }) },
);

/** In the plan, before it is sent, and while it is sent. */
const pausedAt: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 1, arbitrary: moment() },
  {
    weight: 2,
    arbitrary: fc.record({
      on: fc.constant("scope" as const),
      who: fc.constant(0),
      attempt: fc.constant(0),
      commits: fc.nat(12),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      on: fc.constant("write" as const),
      who,
      attempt: fc.constant(0),
      commits: fc.nat(2),
    }),
  },
);

/** A person pauses sending in the middle of a cycle, or of a look for leavers. */
const pausedMeanwhile: fc.Arbitrary<Step> = fc
  .record({
    fate: fc.oneof(
      { weight: 3, arbitrary: fc.nat().map((seed) => ({ ...calm, seed })) },
      { weight: 1, arbitrary: harried(1, 2) },
    ),
    during: fc.record({
      at: pausedAt,
      step: fc.record({
        do: fc.constant("pause" as const),
        hours: fc.constantFrom(null, null, 3),
        leaversToo: fc.boolean(),
      }),
    }),
    full: fc.boolean(),
    looks: fc.constantFrom(false, false, true),
  })
  .map(
    ({ fate, during, full, looks }): Step =>
      looks
        ? { do: "lane", fate, during }
        : { do: "cycle", kind: full ? "full" : "incremental", dryRun: false, only: null, fate, during },
  );

const aboutAccounts: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("protect" as const, "protect" as const, "unprotect" as const),
  who: fc.nat(3),
});

const aboutLinks: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("unlink" as const, "link" as const),
  who: fc.nat(3),
});

const look: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("lane" as const),
  fate: fc.oneof(
    { weight: 3, arbitrary: fc.nat().map((seed) => ({ ...calm, seed })) },
    { weight: 2, arbitrary: harried(1, 3) },
  ),
  during: fc.constant(null),
});

const revert: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("revert" as const),
  back: fc.constantFrom(0, 0, 0, 1, 1, 2),
  created: fc.boolean(),
  fate: fc.oneof({ weight: 2, arbitrary: fc.constant(calm) }, { weight: 1, arbitrary: anyFate }),
});

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: fc.option<number>(who, { freq: 2 }),
});

const waiting: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("wait" as const),
  hours: fc.constantFrom(1, 3),
});

const founded = {
  manners: manners.map((others) => ({ ...others, ...faithful })),
  drift: fc.constantFrom("correct" as const, "correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
};
const length = { minLength: 4, maxLength: 18, size: "max" } as const;

/** All orders in one history, with looks for leavers, deaths, and decisions about what the guard holds. */
function ordersAnd(...more: readonly fc.WeightedArbitrary<Step>[]): fc.Arbitrary<History> {
  return fc.record({
    ...founded,
    guard: fc.constantFrom(null, null, { what: "deactivations" as const, most: 1 }),
    steps: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: pausing },
        { weight: 2, arbitrary: pausedMeanwhile },
        { weight: 2, arbitrary: aboutAccounts },
        { weight: 4, arbitrary: edit },
        { weight: 3, arbitrary: comingAndGoing },
        { weight: 3, arbitrary: look },
        { weight: 1, arbitrary: decision },
        { weight: 1, arbitrary: waiting },
        { weight: 2, arbitrary: calmCycle },
        { weight: 3, arbitrary: cycle },
        ...more,
      ),
      length,
    ),
  });
}

/** People leave, and others get other values, and sending is paused in the middle of the cycle that is to send it; then it goes on. */
const pausedInTheMiddle: fc.Arbitrary<History> = fc.record({
  ...founded,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  steps: fc
    .array(
      fc.tuple(
        fc.array(
          fc.oneof(
            { weight: 1, arbitrary: edit },
            { weight: 2, arbitrary: comingAndGoing },
            {
              weight: 2,
              arbitrary: fc.record({ do: fc.constant("disableAndRename" as const), who, name: fc.nat(9) }),
            },
          ),
          { minLength: 1, maxLength: 4, size: "max" },
        ),
        pausedMeanwhile,
        fc.option(calmCycle, { freq: 3 }),
        fc.constant({ do: "resume" as const }),
        calmCycle,
      ),
      { minLength: 1, maxLength: 3, size: "max" },
    )
    .map((rounds) =>
      rounds.flatMap(([edits, paused, meanwhile, ...after]): readonly Step[] => [
        ...edits,
        paused,
        ...(meanwhile === null ? [] : [meanwhile]),
        ...after,
      ]),
    ),
});

export const orders: fc.Arbitrary<History> = fc.oneof(
  { weight: 2, arbitrary: pausedInTheMiddle },
  { weight: 2, arbitrary: ordersAnd({ weight: 1, arbitrary: aboutLinks }) },
  {
    weight: 2,
    arbitrary: ordersAnd(
      { weight: 2, arbitrary: revert },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("undoRejections" as const) }) },
    ).map((history) => ({ ...history, guard: null, drift: "correct" as const })),
  },
  { weight: 1, arbitrary: ordersAnd({ weight: 1, arbitrary: aboutLinks }, { weight: 1, arbitrary: byHand }) },
);

const groupChange: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("canaryGroup" as const),
  who,
  member: fc.boolean(),
});

const release: Step = { do: "release", who: null };
const quiet: Step = { do: "cycle", kind: "incremental", dryRun: false, only: null, fate: calm, during: null };

/** After everybody has an account, a canary begins with titles; then people get one another's userNames, some of whom wait. */
const namesInCanary: fc.Arbitrary<History> = fc.record({
  ...founded,
  manners: manners.map((others) => ({ ...others, ...faithful, uniqueUserNames: true })),
  drift: fc.constant("correct" as const),
  guard: fc.constant(null),
  canary: fc.record({
    people: fc.constantFrom(1, 2),
    goesOn: fc.constant(false),
    group: fc.constant(true),
  }),
  steps: fc
    .tuple(
      fc.array(
        fc.record({
          do: fc.constant("title" as const),
          who: fc.nat(3),
          title: fc.constantFrom("Chief", null),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      fc.array(
        fc.oneof(
          {
            weight: 5,
            arbitrary: fc.record({ do: fc.constant("rename" as const), who: fc.nat(3), name: fc.nat(6) }),
          },
          { weight: 1, arbitrary: groupChange },
          { weight: 3, arbitrary: calmCycle },
        ),
        { minLength: 3, maxLength: 12, size: "max" },
      ),
    )
    .map(([titles, renames]): readonly Step[] => [
      release,
      quiet,
      { do: "configure", change: { matching: "externalIdFirst" } },
      ...titles,
      quiet,
      ...renames,
    ]),
});

/** A canary tries on members of a group besides; people enter and leave it, it cannot be read, and people give orders meanwhile. */
const ordersInCanary: fc.Arbitrary<History> = fc.record({
  ...founded,
  drift: fc.constant("correct" as const),
  guard: fc.constant(null),
  canary: fc.record({ people: fc.nat(2), goesOn: fc.boolean(), group: fc.constant(true) }),
  steps: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("configure" as const), change: configured }) },
      { weight: 3, arbitrary: groupChange },
      { weight: 1, arbitrary: pausing },
      { weight: 1, arbitrary: aboutAccounts },
      { weight: 4, arbitrary: edit },
      { weight: 2, arbitrary: comingAndGoing },
      { weight: 2, arbitrary: look },
      { weight: 2, arbitrary: decision },
      { weight: 1, arbitrary: waiting },
      { weight: 2, arbitrary: calmCycle },
      { weight: 3, arbitrary: cycle },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("cycle" as const),
          kind: fc.constant("incremental" as const),
          dryRun: fc.constant(false),
          only: fc.constant(null),
          fate: fc.record({
            faults: fc.array(groupFault, { minLength: 1, maxLength: 1 }),
            deaths: fc.constant([]),
            abortAt: fc.constant(null),
            seed: fc.nat(),
          }),
          during: fc.constant(null),
        }),
      },
    ),
    length,
  ),
});

export const canaryGroups: fc.Arbitrary<History> = fc.oneof(
  { weight: 3, arbitrary: ordersInCanary },
  { weight: 1, arbitrary: namesInCanary },
);
