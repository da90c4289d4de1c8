import fc from "fast-check";
import type { Configuration } from "./configuration.ts";
import { anyFate, calm } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { byHand, comingAndGoing, cycle, edit, faithful, manners } from "./steps.ts";

// Histories in which others also write to Lattice, or the configuration changes.

const quietManners = manners.map((others) => ({ ...others, ...faithful }));
const somebody = fc.nat(5);
const name = fc.nat(7);

export const stranger: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("stranger" as const),
  name,
  owner: fc.constantFrom("nobody" as const, "nobody" as const, "another" as const),
});

export const editStranger: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("editStranger" as const),
  name,
  to: name,
  owner: fc.oneof(fc.constantFrom("nobody" as const, "another" as const), somebody),
});

const orders = ["userNameFirst", "externalIdFirst", "externalIdAlone"] as const;

/** Unlinked accounts exist, are renamed, and get externalIds while people with such names appear; in each order of matching. */
export const changingStrangers: fc.Arbitrary<History> = fc.record({
  // A create is not looked up first: Lattice refuses one that is not unique.
  manners: quietManners.map((others) => ({ ...others, uniqueUserNames: true, uniqueExternalIds: true })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  matching: fc.constantFrom(...orders),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(0, 2),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: stranger },
      { weight: 3, arbitrary: editStranger },
      { weight: 4, arbitrary: edit },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});

/** Everyday histories, with accounts found by the externalId first, or only by it. */
export const matchingOrders: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constantFrom("correct" as const, "report" as const),
  matching: fc.constantFrom("externalIdFirst" as const, "externalIdAlone" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: anyFate,
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: edit },
      { weight: 2, arbitrary: byHand },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("loseDatabase" as const) }) },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 2, maxLength: 16, size: "max" },
  ),
});

export const configured: fc.Arbitrary<Partial<Configuration>> = fc.oneof(
  fc.record({
    actions: fc.record({ create: fc.boolean(), update: fc.boolean(), deactivate: fc.boolean() }),
  }),
  fc.record({ titleIsMapped: fc.boolean() }),
  fc.record({ drift: fc.constantFrom("correct" as const, "report" as const) }),
  fc.record({ matching: fc.constantFrom(...orders) }),
  fc.record({
    rules: fc.record({
      events: fc.record({
        outOfScope: fc.constantFrom({ do: "deactivate", afterMs: 0 } as const, { do: "ignore" } as const),
        deleted: fc.constant({ do: "deactivate", afterMs: 0 } as const),
        disabled: fc.constantFrom({ do: "deactivate", afterMs: 0 } as const, { do: "ignore" } as const),
      }),
      byDate: fc.boolean(),
    }),
  }),
);

/** An administrator changes the configuration again and again: actions, filters, events, the mapping, drift, matching. */
export const changingSettings: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("configure" as const), change: configured }) },
      { weight: 4, arbitrary: edit },
      { weight: 2, arbitrary: comingAndGoing },
      { weight: 1, arbitrary: stranger },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 14, size: "max" },
  ),
});

/** Another tool writes its own values to all accounts after each cycle. */
export const secondOwner: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.option(fc.record({ what: fc.constant("deactivations" as const), most: fc.nat(2) }), { freq: 2 }),
  drift: fc.constantFrom("correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("otherTool" as const),
          writes: fc.constantFrom(
            "titles" as const,
            "reactivates" as const,
            "removesManagers" as const,
            null,
          ),
        }),
      },
      { weight: 4, arbitrary: edit },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 12, size: "max" },
  ),
});

/** People protect accounts, unlink and link them, while others come and go, and runs die. */
export const accountDecisions: fc.Arbitrary<History> = fc.record({
  manners: quietManners,
  guard: fc.constant(null),
  drift: fc.constantFrom("correct" as const, "report" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(2, 4),
  founding: anyFate,
  steps: fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom("protect" as const, "unprotect" as const, "link" as const, "unlink" as const),
          who: fc.nat(3),
        }),
      },
      { weight: 5, arbitrary: edit },
      { weight: 1, arbitrary: byHand },
      { weight: 1, arbitrary: stranger },
      { weight: 5, arbitrary: cycle },
    ),
    { minLength: 3, maxLength: 16, size: "max" },
  ),
});
