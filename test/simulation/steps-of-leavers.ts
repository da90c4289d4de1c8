import fc from "fast-check";
import { plainRules } from "./configuration.ts";
import type { Fate } from "./fate.ts";
import { anyFate, calm, deaths, harried, moment, readFault, removalFault, writeFault } from "./fates.ts";
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

const quiet = fc.nat().map((seed): Fate => ({ ...calm, seed }));

/** Faults of the questions who was removed, and of the rest of a cycle. */
const askedCycle: fc.Arbitrary<Fate> = fc.record({
  faults: fc.array(fc.oneof(writeFault(), readFault, removalFault), { maxLength: 2 }),
  deaths,
  abortAt: fc.constant(null),
  seed: fc.nat(),
});

const inScope: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("leaveGroup" as const, "leaveGroup" as const, "joinGroup" as const),
      who: fc.nat(4),
      group: fc.nat(2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("moveGroup" as const),
      who: fc.nat(4),
      group: fc.nat(2),
      to: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: comingAndGoing },
);

const watch: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("watch" as const),
  look: fc.oneof({ weight: 4, arbitrary: quiet }, { weight: 1, arbitrary: harried(1, 3) }),
  ask: fc.oneof(
    { weight: 4, arbitrary: quiet },
    {
      weight: 1,
      arbitrary: fc.record({
        faults: fc.array(removalFault, { minLength: 1, maxLength: 1 }),
        deaths: fc.constant([]),
        abortAt: fc.constant(null),
        seed: fc.nat(),
      }),
    },
  ),
  cycle: fc.oneof({ weight: 3, arbitrary: quiet }, { weight: 2, arbitrary: askedCycle }),
  during: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.record({ at: moment(), step: inScope }) },
  ),
});

/** A cycle during which people may leave the scope: while its groups are read, or later. */
const changingCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.constant(null),
  fate: fc.oneof({ weight: 2, arbitrary: quiet }, { weight: 1, arbitrary: askedCycle }),
  during: fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.record({ at: moment(), step: inScope }) },
    {
      weight: 2,
      arbitrary: fc.record({
        at: fc.record({
          on: fc.constantFrom("scope" as const, "scope" as const, "removals" as const),
          who: fc.constantFrom(0, 1, 2, 2),
          attempt: fc.constant(0),
          commits: fc.constant(0),
        }),
        step: fc.record({
          do: fc.constantFrom("leave" as const, "leave" as const, "softDelete" as const),
          who: fc.nat(4),
        }),
      }),
    },
  ),
});

/** People leave groups of the scope, are moved from one to another, and come back, while the daemon asks between cycles who was removed. */
export const scopeLeavers: fc.Arbitrary<History> = fc.record({
  manners: fc
    .record({
      regular: manners,
      groups: fc.constantFrom("one" as const, "several" as const, "several" as const),
      missesMembers: fc.constantFrom(false, false, true),
      gone: fc.constantFrom("refused" as const, "leftOut" as const),
      netChanges: fc.boolean(),
    })
    .map(({ regular, groups, missesMembers, gone, netChanges }) => ({
      ...regular,
      ...faithful,
      netChanges,
      tellsRemovals: true,
      ...(groups === "one" ? {} : { scope: { missesMembers, repeatsRemoved: false, gone } }),
    })),
  guard: fc.constantFrom(null, null, { what: "deactivations" as const, most: 1 }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constantFrom(1, 4),
  founders: fc.constantFrom(3, 5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: inScope },
      { weight: 1, arbitrary: edit },
      { weight: 6, arbitrary: watch },
      { weight: 4, arbitrary: changingCycle },
      { weight: 1, arbitrary: decision },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("expireWatermarks" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom("emptyGroup" as const, "deleteGroup" as const, "refillGroup" as const),
          group: fc.nat(2),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("configure" as const),
          change: fc
            .constantFrom({ do: "ignore" as const }, { do: "deactivate" as const, afterMs: 86_400_000 }, null)
            .map((outOfScope) => ({
              rules: {
                ...plainRules,
                events: outOfScope === null ? plainRules.events : { ...plainRules.events, outOfScope },
              },
            })),
        }),
      },
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
