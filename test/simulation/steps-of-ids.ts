import fc from "fast-check";
import { anyFate, calm } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";
import { editStranger, stranger } from "./steps-of-others.ts";

// Histories in which an externalId belongs to several people, or an account carries another person's.

const who = fc.nat(4);
const newcomer = fc.integer({ min: 3, max: 5 });

/** Now and then the person who shares the externalId is the manager. */
const hire: fc.Arbitrary<Step> = fc
  .tuple(fc.nat(5), fc.nat(6), who, fc.oneof(fc.constant("same" as const), fc.option<number>(who)))
  .map(([person, name, as, manager]) => ({
    do: "hire",
    who: person,
    name,
    manager: manager === "same" ? as : manager,
    as,
  }));

/** In the directory: a person gets another person's employeeId, or their own again. */
const employeeId: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("employeeId" as const),
  who,
  as: fc.nat(5),
});

/** By an administrator of Lattice. */
const byAdministrator: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("giveId" as const),
      who,
      as: fc.oneof(
        { weight: 4, arbitrary: who },
        { weight: 1, arbitrary: fc.constantFrom("another" as const, "nobody" as const) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("swapIds" as const), who, other: who }) },
);

const fullCycle: fc.Arbitrary<Step> = fc.constant({
  do: "cycle",
  kind: "full",
  dryRun: false,
  only: null,
  fate: calm,
  during: null,
});

const inTheDirectory = [
  { weight: 3, arbitrary: hire },
  { weight: 3, arbitrary: employeeId },
  { weight: 3, arbitrary: comingAndGoing },
  { weight: 2, arbitrary: edit },
  { weight: 5, arbitrary: calmCycle },
  { weight: 2, arbitrary: cycle },
];
/** A person whose account was given to a newcomer leaves, and no read has shown it since. */
const givenAway = [
  { weight: 3, arbitrary: fc.record({ do: fc.constant("giveId" as const), who: fc.nat(2), as: newcomer }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("hire" as const),
      who: newcomer,
      name: newcomer,
      manager: fc.constant(null),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("disable" as const, "leave" as const, "softDelete" as const, "join" as const),
      who: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("employeeId" as const), who: fc.nat(5), as: newcomer }),
  },
  { weight: 3, arbitrary: calmCycle },
  { weight: 1, arbitrary: fullCycle },
];
const length = { minLength: 3, maxLength: 14, size: "max" } as const;

/** The externalId does not decide whose account it is: people share one, and accounts carry those of others. */
export const sharedExternalIds: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({ ...others, ...faithful })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  externalIds: fc.constant("employeeId" as const),
  matching: fc.constantFrom(
    "userNameFirst" as const,
    "userNameFirst" as const,
    "externalIdFirst" as const,
    "externalIdAlone" as const,
  ),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(1, 2, 4),
  founding: fc.oneof({ weight: 3, arbitrary: fc.constant(calm) }, { weight: 1, arbitrary: anyFate }),
  // Only a full comparison sees manual changes in Lattice. Without them, more can be demanded of the others.
  steps: fc.oneof(
    { weight: 2, arbitrary: fc.array(fc.oneof(...inTheDirectory), length) },
    { weight: 1, arbitrary: fc.array(fc.oneof(...givenAway), length) },
    {
      weight: 5,
      arbitrary: fc.array(
        fc.oneof(
          ...inTheDirectory,
          { weight: 4, arbitrary: byAdministrator },
          { weight: 1, arbitrary: stranger },
          { weight: 1, arbitrary: editStranger },
          { weight: 3, arbitrary: fullCycle },
        ),
        length,
      ),
    },
  ),
});
