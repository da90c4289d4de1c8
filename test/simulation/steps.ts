import fc from "fast-check";
import { anyFate, calm, deaths, deathsAt, moment, readFault, who, writeFault } from "./fates.ts";
import { type History, mostPeople, type Step } from "./history.ts";
import type { Guarded, Manners } from "./manners.ts";
import { refusedTitle } from "./world.ts";

// Names are mostly unique; now and then two people want the same one.
const name = fc.nat(mostPeople + 1);
const title = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("Analyst", "Chief", null) },
  { weight: 1, arbitrary: fc.constant(refusedTitle) },
);
export const edit: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("hire" as const),
      who,
      name,
      manager: fc.option(who),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("title" as const), who, title }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("rename" as const, "disableAndRename" as const), who, name }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("manager" as const), who, manager: fc.option(who) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "enable" as const,
        "disable" as const,
        "join" as const,
        "leave" as const,
        "softDelete" as const,
        "purge" as const,
        "restore" as const,
      ),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("everybodyLeaves" as const) }) },
);

export const byHand: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("editInLattice" as const),
    who,
    active: fc.boolean(),
    title: fc.constantFrom("Edited", "Analyst"),
  }),
  fc.record({ do: fc.constant("removeInLattice" as const), who }),
  fc.record({
    do: fc.constant("stranger" as const),
    name,
    owner: fc.constantFrom("nobody" as const, "another" as const),
  }),
);

const meanwhile: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("expireWatermarks" as const) }),
  fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 25) }),
);

const somebodyOrAll: fc.Arbitrary<number | null> = fc.option(who, { freq: 2 });

const decision: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("release" as const, "release" as const, "reject" as const),
  who: somebodyOrAll,
});

const during: fc.Arbitrary<Extract<Step, { do: "cycle" }>["during"]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ at: moment(), step: edit }) },
);

const only: fc.Arbitrary<number | null> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: who },
);

export const cycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  only,
  fate: anyFate,
  during,
});

const often = [
  { weight: 6, arbitrary: edit },
  { weight: 1, arbitrary: decision },
  { weight: 1, arbitrary: meanwhile },
  { weight: 5, arbitrary: cycle },
];
const length = { minLength: 2, maxLength: 16, size: "max" } as const;

// Events that need a full comparison hide faults of rounds of changes, so they occur one at a time, and seldom.
export const faithful = { listMisses: false, missesClears: false, missesRestores: false, netChanges: false };
const shortcomings = fc.constantFrom(
  faithful,
  faithful,
  faithful,
  faithful,
  { ...faithful, listMisses: true },
  { ...faithful, missesClears: true },
  { ...faithful, missesRestores: true },
  { ...faithful, netChanges: true },
);

export const manners: fc.Arbitrary<Manners> = fc
  .tuple(
    fc.record({
      uniqueUserNames: fc.boolean(),
      uniqueExternalIds: fc.boolean(),
      capitals: fc.boolean(),
      replays: fc.boolean(),
      sparse: fc.boolean(),
    }),
    shortcomings,
  )
  .map(([regular, short]) => ({ ...regular, ...short }));

const guardedKind = fc.oneof(
  { weight: 2, arbitrary: fc.constant("deactivations" as const) },
  { weight: 1, arbitrary: fc.constantFrom("renames" as const, "clears" as const) },
);

/** Anything may happen. */
const mixed: fc.Arbitrary<History> = fc.record({
  manners,
  guard: fc.option(fc.record({ what: guardedKind, most: fc.nat(2) }), { freq: 2 }),
  drift: fc.constantFrom("correct" as const, "correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(0, 2, 4, 5),
  founding: anyFate,
  // Only a full comparison sees manual changes in Lattice. Without them, more can be demanded of the others.
  steps: fc.oneof(
    fc.array(fc.oneof(...often, { weight: 2, arbitrary: byHand }), length),
    fc.array(fc.oneof(...often), length),
  ),
});

const harriedCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only,
  fate: fc.record({
    faults: fc.array(writeFault(), { maxLength: 2, size: "max" }),
    deaths,
    abortAt: fc.constant(null),
    seed: fc.nat(),
  }),
  during: fc.constant(null),
});

/** Changes that the guard counts occur again and again, answers are lost, and now and then a person releases them. */
function guardedHistories(what: Guarded, change: fc.Arbitrary<Step>): fc.Arbitrary<History> {
  return fc.record({
    manners,
    // The last guard holds nothing: its histories only have lost answers.
    guard: fc.record({ what: fc.constant(what), most: fc.constantFrom(0, 1, 2, 1_000) }),
    drift: fc.constant("correct" as const),
    concurrency: fc.constantFrom(1, 4),
    founders: fc.constantFrom(3, 5),
    founding: fc.constant(calm),
    steps: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: change },
        { weight: 5, arbitrary: harriedCycle },
        { weight: 2, arbitrary: decision },
      ),
      { minLength: 4, maxLength: 14, size: "max" },
    ),
  });
}

export const comingAndGoing: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(
    "disable" as const,
    "enable" as const,
    "leave" as const,
    "join" as const,
    "softDelete" as const,
    "restore" as const,
  ),
  who,
});
const renaming: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("rename" as const),
  who,
  name: fc.nat(9),
});
const clearing: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("title" as const),
  who,
  title: fc.constantFrom(null, null, "Chief"),
});

/** Reads break off, the changes that they showed are undone before the next one, and two people come and go with their links. */
const unsteady: fc.Arbitrary<History> = fc.record({
  manners: fc
    .tuple(manners, fc.boolean())
    .map(([others, netChanges]) => ({ ...others, ...faithful, netChanges })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(1),
  founders: fc.constantFrom(2, 4),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.oneof(
          fc.record({
            do: fc.constant("title" as const),
            who: fc.nat(1),
            title: fc.constantFrom("Chief", null),
          }),
          fc.record({ do: fc.constantFrom("enable" as const, "disable" as const), who: fc.nat(1) }),
          {
            weight: 3,
            arbitrary: fc.record({
              do: fc.constantFrom("softDelete" as const, "restore" as const),
              who: fc.nat(1),
            }),
          },
          fc.record({
            do: fc.constant("manager" as const),
            who: fc.constant(1),
            manager: fc.constantFrom(0, null),
          }),
        ),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("cycle" as const),
          kind: fc.constant("incremental" as const),
          dryRun: fc.constant(false),
          only: fc.option(fc.nat(1), { freq: 3 }),
          fate: fc.record({
            faults: fc.array(readFault, { maxLength: 1 }),
            deaths: deathsAt(moment("none"), 3),
            abortAt: fc.constant(null),
            seed: fc.nat(),
          }),
          during: fc.constant(null),
        }),
      },
    ),
    { minLength: 3, maxLength: 10, size: "max" },
  ),
});

export const calmCycle: fc.Arbitrary<Step> = fc.constant({
  do: "cycle",
  kind: "incremental",
  dryRun: false,
  only: null,
  fate: calm,
  during: null,
});

/** Two people, one the other's manager, go to the recycle bin and come back, without other faults. */
const toTheBinAndBack: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(1),
  founders: fc.constant(2),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom("softDelete" as const, "restore" as const),
          who: fc.nat(1),
        }),
      },
      { weight: 2, arbitrary: calmCycle },
    ),
    { minLength: 4, maxLength: 10, size: "max" },
  ),
});

/** Accounts are created although no answer comes, later requests fail too, and their people leave. */
const halfMade: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful, capitals: true })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(1),
  founders: fc.constantFrom(1, 2),
  founding: fc.record({
    // A create that was carried out gets no answer.
    faults: fc.tuple(
      fc.constant({ on: "write" as const, who: [0], attempt: 0, times: 1, kind: 2 }),
      writeFault(fc.nat(1)),
    ),
    deaths: fc.constant([]),
    abortAt: fc.option(moment(fc.nat(1))),
    seed: fc.nat(),
  }),
  steps: fc.array(fc.oneof(comingAndGoing, calmCycle), { minLength: 1, maxLength: 4, size: "max" }),
});

const days = (count: number) => ({ do: "deactivate", afterMs: count * 86_400_000 }) as const;
export const eventAction = fc.constantFrom(days(0), days(1), days(2), days(2), { do: "ignore" } as const);

/** Changes of people take effect later or never, and their first days come and are postponed. */
export const inDueTime: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constantFrom(null, null, { what: "deactivations" as const, most: 1 }),
  drift: fc.constant("correct" as const),
  rules: fc.record({
    events: fc.record({ outOfScope: eventAction, deleted: eventAction, disabled: eventAction }),
    byDate: fc.boolean(),
  }),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(1, 3),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: comingAndGoing },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("starts" as const),
          who,
          hours: fc.constantFrom(-48, 5, 30, 60),
        }),
      },
      { weight: 1, arbitrary: edit },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 25, 49) }),
      },
      { weight: 3, arbitrary: calmCycle },
      { weight: 3, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});

export const histories: fc.Arbitrary<History> = fc.oneof(
  { weight: 6, arbitrary: mixed },
  { weight: 2, arbitrary: guardedHistories("deactivations", comingAndGoing) },
  { weight: 1, arbitrary: guardedHistories("renames", renaming) },
  { weight: 1, arbitrary: guardedHistories("clears", clearing) },
  { weight: 1, arbitrary: unsteady },
  { weight: 1, arbitrary: toTheBinAndBack },
  { weight: 1, arbitrary: halfMade },
);

/** The database is lost, now and then in the middle of a cycle. Separate from `histories`, so that those stay the same. */
export const lostDatabases: fc.Arbitrary<History> = fc.record({
  manners,
  guard: fc.constant(null),
  drift: fc.constantFrom("correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 5),
  founding: anyFate,
  steps: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: edit },
      { weight: 1, arbitrary: byHand },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("loseDatabase" as const) }) },
      { weight: 4, arbitrary: cycle },
      { weight: 1, arbitrary: calmCycle },
    ),
    length,
  ),
});
