import fc from "fast-check";
import type { Fate } from "./fate.ts";
import { anyFate, calm, deathsAt, moment, readFault, writeFault } from "./fates.ts";
import type { CrowdStep, History, Step, Trouble } from "./history.ts";
import { byHand, comingAndGoing, cycle, edit, faithful, histories, manners } from "./steps.ts";

// Histories in which some people fail for ever, and others must not be affected.

/** Only single records fail in it. */
const plainCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.constant(null),
  fate: fc.nat().map((seed) => ({ ...calm, seed })),
  during: fc.constant(null),
});

const trouble: fc.Arbitrary<Trouble> = fc.record({
  on: fc.constantFrom("everything" as const, "everything" as const, "reads" as const, "writes" as const),
  answer: fc.constantFrom(
    "forbidden" as const,
    "unavailable" as const,
    "rejected" as const,
    "webPage" as const,
    "lost" as const,
  ),
});

const quietManners = manners.map((others) => ({ ...others, ...faithful }));

/** The record of one or two people answers every request with a fault, for any length of time. */
export const oneBadRecord: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("trouble" as const),
          who: fc.nat(1),
          trouble: fc.option(trouble, { freq: 3 }),
        }),
      },
      { weight: 3, arbitrary: edit },
      { weight: 3, arbitrary: comingAndGoing },
      { weight: 1, arbitrary: byHand },
      { weight: 5, arbitrary: plainCycle },
      { weight: 1, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});

const crowdSize = 40;

function crowd(steps: readonly CrowdStep[], from: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant("crowd" as const),
    from,
    count: fc.constantFrom(4, 8, 20, 30),
    step: fc.constantFrom(...steps),
  });
}

/** Titles of many people are refused, or many records fail, while others come and go; with the daemon's quarantine and probes. */
export const refusedCrowd: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constant(crowdSize),
  people: fc.constant(crowdSize + 20),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: crowd(["refusedTitle", "title"], fc.constantFrom(5, 10, 20)) },
      { weight: 1, arbitrary: crowd(["hire"], fc.constant(crowdSize)) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom("disable" as const, "leave" as const, "softDelete" as const),
          who: fc.nat(crowdSize + 5),
        }),
      },
      { weight: 4, arbitrary: plainCycle },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("daemon" as const),
          hours: fc.constantFrom(3, 30),
          fate: fc.constant(calm),
        }),
      },
    ),
    { minLength: 3, maxLength: 8, size: "max" },
  ),
});

/** Lattice has no more seats: creates and reactivations are refused until a person leaves. */
export const noSeats: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 12),
  people: fc.constant(40),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("seats" as const),
          count: fc.option(fc.nat(14), { freq: 4 }),
        }),
      },
      { weight: 1, arbitrary: crowd(["hire"], fc.constantFrom(3, 12)) },
      { weight: 4, arbitrary: comingAndGoing },
      { weight: 2, arbitrary: edit },
      { weight: 5, arbitrary: plainCycle },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("daemon" as const),
          hours: fc.constantFrom(3, 30),
          fate: anyFate,
        }),
      },
    ),
    { minLength: 3, maxLength: 12, size: "max" },
  ),
});

/** The database is locked, or its disk full, at some calls. */
export const refusingStore: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: edit },
      { weight: 1, arbitrary: byHand },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("cycle" as const),
          kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
          dryRun: fc.constant(false),
          only: fc.constant(null),
          fate: fc.record({
            faults: fc.array(writeFault(), { maxLength: 1 }),
            deaths: fc.constant([]),
            abortAt: fc.constant(null),
            seed: fc.nat(),
            store: fc.array(
              fc.record({
                from: moment(),
                length: fc.constantFrom(1, 1, 2, 1_000),
              }),
              { minLength: 1, maxLength: 4 },
            ),
          }),
          during: fc.constant(null),
        }),
      },
      { weight: 1, arbitrary: plainCycle },
    ),
    { minLength: 2, maxLength: 12, size: "max" },
  ),
});

/** The daemon runs through outages, refused keys and deaths, with its earlier attempts, quarantine and probes. */
export const schedule: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constantFrom("correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 5),
  founding: anyFate,
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: edit },
      { weight: 1, arbitrary: byHand },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("trouble" as const),
          who: fc.nat(1),
          trouble: fc.option(trouble, { freq: 2 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("daemon" as const),
          hours: fc.constantFrom(1, 4, 26),
          fate: anyFate,
        }),
      },
      { weight: 1, arbitrary: cycle },
    ),
    { minLength: 2, maxLength: 10, size: "max" },
  ),
});

/** More people than fit on a page, in a slice or in a batch. */
export const manyPeople: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(4),
  founders: fc.constantFrom(255, 300),
  people: fc.constant(330),
  founding: fc.oneof(
    fc.constant(calm),
    fc.record({
      faults: fc.array(writeFault(fc.nat(300)), { maxLength: 2 }),
      deaths: deathsAt(moment(fc.nat(300)), 3),
      abortAt: fc.option(moment(fc.nat(300))),
      seed: fc.nat(),
    }),
  ),
  steps: fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("crowd" as const),
          from: fc.nat(100),
          count: fc.constantFrom(63, 65, 129, 200),
          step: fc.constantFrom(
            "title" as const,
            "clearTitle" as const,
            "disable" as const,
            "enable" as const,
            "refusedTitle" as const,
          ),
        }),
      },
      { weight: 2, arbitrary: edit },
      { weight: 3, arbitrary: plainCycle },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("cycle" as const),
          kind: fc.constantFrom("incremental" as const, "full" as const),
          dryRun: fc.constant(false),
          only: fc.constant(null),
          fate: fc.record({
            faults: fc.array(writeFault(fc.nat(300)), { maxLength: 2 }),
            deaths: deathsAt(moment(fc.nat(300)), 3),
            abortAt: fc.option(moment(fc.nat(300))),
            seed: fc.nat(),
          }),
          during: fc.constant(null),
        }),
      },
    ),
    { minLength: 1, maxLength: 4, size: "max" },
  ),
});

/** Mostly before anything is sent, when much is not on the disk. */
const harsh: fc.Arbitrary<Fate> = fc.record({
  faults: fc.array(fc.oneof(writeFault(), readFault), { maxLength: 1 }),
  deaths: deathsAt(fc.oneof({ weight: 3, arbitrary: moment("none") }, { weight: 1, arbitrary: moment() }), 3),
  abortAt: fc.constant(null),
  seed: fc.nat(),
});

const dying: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.constant(null),
  fate: harsh,
  during: fc.constant(null),
});

/** Cycles die again and again, and with the process the machine loses its power. */
export const powerCuts: fc.Arbitrary<History> = fc
  .oneof(
    histories,
    fc.record({
      manners,
      guard: fc.constantFrom(null, null, { what: "deactivations" as const, most: 1 }),
      drift: fc.constantFrom("correct" as const, "report" as const),
      concurrency: fc.constantFrom(1, 4),
      founders: fc.constantFrom(0, 2, 5),
      founding: harsh,
      steps: fc.array(
        fc.oneof(
          { weight: 5, arbitrary: edit },
          { weight: 2, arbitrary: comingAndGoing },
          { weight: 5, arbitrary: dying },
          { weight: 1, arbitrary: plainCycle },
        ),
        { minLength: 3, maxLength: 14, size: "max" },
      ),
    }),
  )
  .map((history) => ({ ...history, losesPower: true }));
