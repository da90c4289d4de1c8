import fc from "fast-check";
import type { Fate } from "./fate.ts";
import { calm, falseAnswers } from "./fates.ts";
import type { History, Step, Trouble } from "./history.ts";
import { comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";

// Histories in which Lattice gives wrong answers: 404 for an existing account, another company, another account.

const quietManners = manners.map((others) => ({ ...others, ...faithful }));

/** Only single records fail in it. */
const plainCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.constant(null),
  fate: fc.nat().map((seed) => ({ ...calm, seed })),
  during: fc.constant(null),
});

const wait: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("wait" as const),
  hours: fc.constantFrom(1, 4, 7, 25),
});

/** Only the first two people meet it, so that there are leavers among them. */
function troubleOf(trouble: fc.Arbitrary<Trouble>): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant("trouble" as const),
    who: fc.nat(1),
    trouble: fc.option<Trouble>(trouble, { freq: 2 }),
  });
}

const leavingOfThose: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("disable" as const, "leave" as const, "softDelete" as const, "enable" as const),
  who: fc.nat(1),
});

/** A leaver meets one trouble after the other, each for a cycle. */
function troublesOfLeaver(trouble: fc.Arbitrary<Trouble>): fc.Arbitrary<readonly Step[]> {
  return fc
    .record({
      who: fc.nat(1),
      leaving: fc.constantFrom("disable" as const, "leave" as const),
      spells: fc.array(fc.tuple(trouble, plainCycle, wait), { minLength: 2, maxLength: 4 }),
    })
    .map(({ who, leaving, spells }) => [
      { do: leaving, who },
      ...spells.flatMap(([one, cycled, waited]): Step[] => [
        { do: "trouble", who, trouble: one },
        cycled,
        waited,
      ]),
    ]);
}

function alone(step: fc.Arbitrary<Step>): fc.Arbitrary<readonly Step[]> {
  return step.map((one) => [one]);
}

function withNothingMeanwhile(step: Step): Step {
  return step.do === "cycle" ? { ...step, during: null } : step;
}

function deniedHistories(trouble: fc.Arbitrary<Trouble>, edits: fc.Arbitrary<Step>): fc.Arbitrary<History> {
  return fc.record({
    // An account that cannot be found is made again if Lattice accepts a second one with the name.
    manners: quietManners.map((others) => ({ ...others, uniqueUserNames: true, uniqueExternalIds: true })),
    guard: fc.constant(null),
    drift: fc.constant("correct" as const),
    concurrency: fc.constantFrom(1, 4),
    founders: fc.constantFrom(2, 4, 5),
    founding: fc.constant(calm),
    steps: fc
      .array(
        fc.oneof(
          { weight: 3, arbitrary: alone(troubleOf(trouble)) },
          { weight: 1, arbitrary: troublesOfLeaver(trouble) },
          { weight: 3, arbitrary: alone(leavingOfThose) },
          { weight: 2, arbitrary: alone(edits) },
          { weight: 2, arbitrary: alone(wait) },
          { weight: 5, arbitrary: alone(plainCycle) },
          { weight: 1, arbitrary: alone(cycle.map(withNothingMeanwhile)) },
        ),
        { minLength: 4, maxLength: 14, size: "max" },
      )
      .map((steps) => steps.flat()),
  });
}

/** Accounts of one or two people answer 404 although lists show them; or a gateway's page has that status. */
export const lyingNotFound: fc.Arbitrary<History> = deniedHistories(
  fc.record({
    on: fc.constantFrom("everything" as const, "reads" as const, "writes" as const),
    answer: fc.constantFrom("gone" as const, "gone" as const, "gone" as const, "webPage" as const),
  }),
  edit,
);

/** Names are unique: if another person has the same name, an account that reappears is linked to neither. */
const editOfOneself: fc.Arbitrary<Step> = fc.oneof(
  comingAndGoing,
  fc.record({ do: fc.constant("title" as const), who: fc.nat(4), title: fc.constantFrom("Chief", null) }),
  fc.record({ do: fc.constant("manager" as const), who: fc.nat(4), manager: fc.option(fc.nat(4)) }),
  // More than there are people.
  fc.nat(4).map((who): Step => ({ do: "rename", who, name: who + 20 })),
);

/** Accounts of one or two people cannot be found at all. */
export const hidingAccount: fc.Arbitrary<History> = deniedHistories(
  fc.constant({ on: "everything", answer: "hidden" }),
  editOfOneself,
);

/** Enough linked accounts to recognise a company by them. */
const company = 12;

const change: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: edit },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("disable" as const, "leave" as const, "softDelete" as const, "enable" as const),
      who: fc.nat(company - 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("hire" as const),
      who: fc.integer({ min: company, max: company + 4 }),
      name: fc.integer({ min: company, max: company + 4 }),
      manager: fc.option(fc.nat(company - 1)),
    }),
  },
);

/** Only a listing can show that another company accepts the same key. */
const listing: fc.Arbitrary<Step> = cycle.map((step) =>
  step.do === "cycle" ? { ...step, kind: "full", only: null } : step,
);

const visit: fc.Arbitrary<readonly Step[]> = fc
  .constantFrom("new" as const, "same" as const)
  .chain((key) =>
    fc
      .tuple(
        fc.constantFrom(0, 1, 3, 20),
        fc.array(
          fc.oneof(
            { weight: 2, arbitrary: change },
            { weight: 1, arbitrary: wait },
            { weight: 3, arbitrary: key === "same" ? listing : fc.oneof(plainCycle, cycle) },
          ),
          { minLength: 1, maxLength: 5, size: "max" },
        ),
      )
      .map(([accounts, meanwhile]): readonly Step[] => [
        { do: "company", another: { accounts, key } },
        ...meanwhile,
        { do: "company", another: null },
      ]),
  );

/** The address answers as another company, and as the right one again. */
export const anotherCompany: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  limitsLostLinks: fc.constant(true),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constant(company),
  people: fc.constant(company + 5),
  founding: fc.constant(calm),
  steps: fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: visit },
        { weight: 2, arbitrary: change.map((step) => [step]) },
        { weight: 2, arbitrary: plainCycle.map((step) => [step]) },
      ),
      { minLength: 2, maxLength: 7, size: "max" },
    )
    .map((parts) => parts.flat()),
});

const oddFate: fc.Arbitrary<Fate> = fc.record({
  faults: fc.constant([]),
  deaths: fc.constant([]),
  abortAt: fc.constant(null),
  seed: fc.nat(),
  answers: falseAnswers(3),
  readAnswers: falseAnswers(2),
});

/** Answers to writes and reads differ from the account. */
export const oddAnswers: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(1, 3, 5),
  founding: oddFate,
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: edit },
      { weight: 3, arbitrary: comingAndGoing },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("stranger" as const),
          name: fc.nat(7),
          owner: fc.constantFrom("nobody" as const, "another" as const),
        }),
      },
      { weight: 2, arbitrary: plainCycle },
      {
        weight: 5,
        arbitrary: fc.tuple(plainCycle, oddFate).map(([step, fate]) => ({ ...step, fate }) as Step),
      },
    ),
    { minLength: 3, maxLength: 12, size: "max" },
  ),
});
