import fc from "fast-check";
import type { Configuration } from "./configuration.ts";
import { plainRules } from "./configuration.ts";
import { calm, harried, readFault, writeFault } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { calmCycle, comingAndGoing, edit, faithful, manners } from "./steps.ts";

// Histories in which the directory answers with less than was requested.

const faithfulManners = manners.map((others) => ({ ...others, ...faithful }));
const somebody = fc.nat(4);

/** Reads break off between two pages, writes fail, and no process dies: what was shown is known. */
const fallibleCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: somebody }),
  fate: fc.record({
    faults: fc.array(fc.oneof(writeFault(), readFault), { maxLength: 1 }),
    deaths: fc.constant([]),
    abortAt: fc.constant(null),
    seed: fc.nat(),
  }),
  during: fc.constant(null),
});

const plainCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "full" as const),
  dryRun: fc.constant(false),
  only: fc.constant(null),
  fate: fc.nat().map((seed) => ({ ...calm, seed })),
  during: fc.constant(null),
});

const hide: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("hide" as const),
  property: fc.constantFrom(
    "accountEnabled" as const,
    "accountEnabled" as const,
    "accountEnabled" as const,
    "userPrincipalName" as const,
    "jobTitle" as const,
    "manager" as const,
    "employeeHireDate" as const,
    "employeeHireDate" as const,
    null,
    null,
  ),
  who: fc.oneof(
    { weight: 2, arbitrary: fc.constant("everybody" as const) },
    { weight: 3, arbitrary: somebody },
  ),
});

const starts: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("starts" as const),
  who: somebody,
  hours: fc.constantFrom(-48, 5, 30),
});

const rules: fc.Arbitrary<Configuration["rules"]> = fc.constantFrom(plainRules, plainRules, {
  ...plainRules,
  byDate: true,
});

/** A filter is added or removed: its property may never have been shown. */
const otherRules: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("configure" as const),
  change: fc.boolean().map((byDate) => ({ rules: { ...plainRules, byDate } })),
});

const founding: readonly Step[] = [
  { do: "hide", property: "employeeHireDate", who: "everybody" },
  { do: "hire", who: 0, name: 0, manager: null },
  { do: "hire", who: 1, name: 1, manager: 0 },
];

/** No person's first day was shown when a filter uses it. */
const unknownDays: fc.Arbitrary<History> = fc.record({
  manners: faithfulManners.map((others) => ({ ...others, hides: true })),
  guard: fc.constant(null),
  drift: fc.constant("correct" as const),
  rules: fc.constant({ ...plainRules, byDate: false }),
  concurrency: fc.constant(1),
  founders: fc.constant(0),
  founding: fc.constant(calm),
  steps: fc
    .array(
      fc.oneof(
        { weight: 2, arbitrary: otherRules },
        { weight: 1, arbitrary: starts },
        { weight: 2, arbitrary: comingAndGoing },
        { weight: 1, arbitrary: hide },
        { weight: 3, arbitrary: plainCycle },
        { weight: 1, arbitrary: fallibleCycle },
      ),
      { minLength: 2, maxLength: 8, size: "max" },
    )
    .map((others) => [...founding, ...others]),
});

/** Graph's answers lack requested properties of one person, of some or of everyone, for some time. */
export const missingProperties: fc.Arbitrary<History> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      manners: faithfulManners.map((others) => ({ ...others, hides: true })),
      guard: fc.constant(null),
      drift: fc.constant("correct" as const),
      rules,
      concurrency: fc.constantFrom(1, 4),
      founders: fc.constantFrom(0, 2, 4),
      founding: fc.constant(calm),
      steps: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: hide },
          { weight: 4, arbitrary: comingAndGoing },
          { weight: 3, arbitrary: edit },
          { weight: 1, arbitrary: starts },
          { weight: 2, arbitrary: otherRules },
          { weight: 1, arbitrary: fc.constant({ do: "expireWatermarks" as const }) },
          { weight: 3, arbitrary: plainCycle },
          { weight: 2, arbitrary: fallibleCycle },
          { weight: 2, arbitrary: calmCycle },
        ),
        { minLength: 3, maxLength: 14, size: "max" },
      ),
    }),
  },
  { weight: 1, arbitrary: unknownDays },
);

const group = fc.nat(2);

const ofGroups: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("joinGroup" as const, "leaveGroup" as const),
      who: somebody,
      group,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("moveGroup" as const), who: somebody, group, to: group }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("emptyGroup" as const, "deleteGroup" as const, "refillGroup" as const),
      group,
    }),
  },
);

const harriedCycle: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("cycle" as const),
  kind: fc.constantFrom("incremental" as const, "incremental" as const, "full" as const),
  dryRun: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  only: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: somebody }),
  fate: harried(2, 4),
  during: fc.constant(null),
});

/** Two people, one the other's manager, go to the recycle bin and come back, and rounds of changes repeat the old items. */
const repeatedDeletions: fc.Arbitrary<History> = fc.record({
  manners: fc.tuple(manners, fc.boolean()).map(([others, missesMembers]) => ({
    ...others,
    ...faithful,
    scope: { missesMembers, repeatsRemoved: true, gone: "leftOut" as const },
  })),
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
          do: fc.constantFrom("softDelete" as const, "restore" as const, "restore" as const),
          who: fc.nat(1),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.constant({ do: "manager" as const, who: 1, manager: 0 }),
      },
      { weight: 4, arbitrary: plainCycle },
      { weight: 1, arbitrary: harriedCycle },
    ),
    { minLength: 5, maxLength: 12, size: "max" },
  ),
});

/** Groups lose all members by mistake, and some come back. */
const emptiedGroups: fc.Arbitrary<History> = fc.record({
  manners: manners.map((others) => ({
    ...others,
    ...faithful,
    scope: { missesMembers: false, repeatsRemoved: false, gone: "leftOut" as const },
  })),
  guard: fc.constant({ what: "deactivations" as const, most: 1 }),
  drift: fc.constant("correct" as const),
  concurrency: fc.constant(1),
  founders: fc.constant(5),
  founding: fc.constant(calm),
  steps: fc.array(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constantFrom(
            "emptyGroup" as const,
            "emptyGroup" as const,
            "deleteGroup" as const,
            "refillGroup" as const,
          ),
          group: fc.nat(1),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("joinGroup" as const), who: somebody, group: fc.nat(1) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("release" as const), who: fc.option<number>(somebody) }),
      },
      { weight: 4, arbitrary: calmCycle },
    ),
    { minLength: 4, maxLength: 12, size: "max" },
  ),
});

/** Several groups make up the scope: lists leave members out, old deletions are repeated, and groups are emptied by mistake. */
export const scopeGroups: fc.Arbitrary<History> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      manners: fc
        .record({
          regular: manners,
          missesMembers: fc.boolean(),
          repeatsRemoved: fc.constantFrom(false, false, true),
          gone: fc.constantFrom("refused" as const, "leftOut" as const),
        })
        .map(({ regular, ...scope }) => ({ ...regular, ...faithful, scope })),
      guard: fc.option(
        fc.record({ what: fc.constant("deactivations" as const), most: fc.constantFrom(0, 1, 1, 2) }),
        { freq: 3 },
      ),
      drift: fc.constant("correct" as const),
      concurrency: fc.constantFrom(1, 4),
      founders: fc.constantFrom(3, 5),
      founding: fc.constant(calm),
      steps: fc.array(
        fc.oneof(
          { weight: 6, arbitrary: ofGroups },
          { weight: 3, arbitrary: comingAndGoing },
          { weight: 1, arbitrary: edit },
          {
            weight: 1,
            arbitrary: fc.record({
              do: fc.constantFrom("release" as const, "reject" as const),
              who: fc.option<number>(somebody, { freq: 2 }),
            }),
          },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 25) }),
          },
          { weight: 4, arbitrary: plainCycle },
          { weight: 2, arbitrary: harriedCycle },
        ),
        { minLength: 4, maxLength: 16, size: "max" },
      ),
    }),
  },
  { weight: 2, arbitrary: repeatedDeletions },
  { weight: 1, arbitrary: emptiedGroups },
);
