import { describe, expect, it } from "vitest";
import { endsFirstRun, holdersToCount, type Weights, weighPlan } from "../../../src/cycle/guard/guard.ts";
import { countsOf, nothingWeighed, type WeightCounts } from "../../../src/cycle/operations/weights.ts";
import type { GuardLimits } from "../../../src/cycle/ports/settings.ts";
import type { WeightKind } from "../../../src/domain/weight.ts";
import { lenientGuard } from "../workplace.ts";

const defaults: GuardLimits = {
  ...lenientGuard,
  maxDeactivationPercent: 10,
  deactivationFloor: 3,
  maxReactivationPercent: 10,
  reactivationFloor: 3,
  maxCreatePercent: 25,
  createFloor: 25,
  maxLinkPercent: 25,
  linkFloor: 25,
  maxDoubtfulLinks: 0,
  maxClearsPercent: 20,
  maxReplacementPercent: 20,
  maxRenamePercent: 10,
  maxManagerChangePercent: 20,
  maxEmailChangePercent: 10,
};

/** `"clear title": 3` means three clears of the title. */
function counts(some: { readonly [weight: string]: number }): WeightCounts {
  return countsOf(
    Object.entries(some).map(([weight, count]) => {
      const [kind, detail] = weight.split(" ");
      return { weights: [{ kind: kind as WeightKind, ...(detail === undefined ? {} : { detail }) }], count };
    }),
  );
}

function weigh(
  planned: { readonly [weight: string]: number },
  more: Partial<Weights> = {},
  limits: GuardLimits = defaults,
) {
  const weights = {
    planned: counts(planned),
    recent: nothingWeighed,
    active: 1_000,
    linked: 1_000,
    holders: () => 100,
    alarms: [],
    emptyDirectory: false,
    ...more,
  };
  return weighPlan(weights, limits);
}

describe("the guard, with given counts,", () => {
  it("allows a usual day", () => {
    const day = {
      "deactivate accountDisabled": 5,
      reactivate: 2,
      create: 30,
      link: 3,
      rename: 2,
      "clear title": 3,
      "replacement department": 12,
      "manager manager": 8,
      email: 3,
    };
    expect(weigh(day)).toEqual({ verdict: { held: false, reasons: [] }, holds: [] });
  });

  it("counts the planned number itself if there is no total to compare it with", () => {
    const nobody = { active: 0, linked: 0, recent: counts({ "deactivate accountDisabled": 4 }) };
    expect(weigh({ reactivate: 4 }, nobody).verdict.held).toBe(true);
    expect(weigh({ "deactivate accountDisabled": 4 }, nobody).verdict.held).toBe(true);
  });

  it.each<[string, { [weight: string]: number }, Partial<Weights>, object]>([
    ["too many deactivations", { deactivate: 51 }, {}, { kind: "deactivate" }],
    ["too large a share", { deactivate: 4 }, { active: 30 }, { kind: "deactivate" }],
    ["a slow leak", { deactivate: 1 }, { recent: counts({ deactivate: 50 }) }, { kind: "deactivate" }],
    ["too many reactivations", { reactivate: 51 }, {}, { kind: "reactivate" }],
    ["a crowd that comes back", { reactivate: 4 }, { active: 30 }, { kind: "reactivate" }],
    ["a crowd of new accounts", { create: 26 }, { linked: 60 }, { kind: "create" }],
    [
      "new accounts hour by hour",
      { create: 1 },
      { linked: 60, recent: counts({ create: 25 }) },
      { kind: "create" },
    ],
    ["a crowd of links", { link: 26 }, { linked: 60 }, { kind: "link" }],
    ["one doubtful link", { doubtfulLink: 1, link: 1 }, {}, { kind: "doubtfulLink" }],
    ["too many renames", { rename: 51 }, {}, { kind: "rename" }],
    ["an attribute lost by many", { "clear title": 21 }, {}, { kind: "clear", details: ["title"] }],
    [
      "an attribute replaced for many",
      { "replacement department": 21 },
      {},
      { kind: "replacement", details: ["department"] },
    ],
    ["other managers for many", { "manager manager": 21 }, {}, { kind: "manager", details: ["manager"] }],
    ["other e-mail addresses for many", { email: 4 }, { active: 30 }, { kind: "email" }],
  ])("holds %s", (_what, planned, more, hold) => {
    const { verdict, holds } = weigh(planned, more);
    expect(holds).toEqual([hold]);
    expect(verdict.held).toBe(true);
  });

  it("weighs each attribute separately", () => {
    const planned = { "replacement title": 15, "replacement department": 15, "clear title": 15 };
    expect(weigh(planned).holds).toEqual([]);
  });

  it("allows changes up to the floor despite the percentage, but not above the absolute limit", () => {
    expect(weigh({ deactivate: 3 }, { active: 5 }).verdict.held).toBe(false);
    const tight = { ...defaults, maxDeactivations: 1 };
    expect(weigh({ deactivate: 2 }, { active: 5 }, tight).verdict.reasons).toEqual([
      "2 of 5 active accounts would be deactivated: more than the limit of 1 (guard.maxDeactivations)",
    ]);
  });

  it("takes the percentage of the number at the start of its window", () => {
    const done = { active: 94, holders: () => 94, recent: counts({ deactivate: 6, "clear title": 6 }) };
    expect(weigh({ deactivate: 4 }, done).verdict.held).toBe(false);
    expect(weigh({ deactivate: 5 }, done).verdict.held).toBe(true);
    expect(weigh({ "clear title": 14 }, done).verdict.held).toBe(false);
    expect(weigh({ "clear title": 15 }, done).verdict.held).toBe(true);
    // Deactivated people do not count for other kinds.
    expect(weigh({ reactivate: 10 }, { ...done, recent: counts({ deactivate: 6 }) }).verdict.held).toBe(true);
    expect(weigh({ reactivate: 9 }, { ...done, recent: counts({ deactivate: 6 }) }).verdict.held).toBe(false);
  });

  it("says that accounts count twice if the window had changes of the same ones, so that there are more than all", () => {
    const recent = counts({ rename: 5, create: 5, reactivate: 5 });
    const reasons = weigh({ rename: 34, create: 34, reactivate: 34 }, { active: 34, linked: 34, recent })
      .verdict.reasons;
    expect(reasons.filter((reason) => reason.includes("some to the same accounts"))).toEqual([
      "39 of 34 active accounts would get another userName, counting 5 already sent within guard.window, some to the same accounts: 114.7 % is more than the limit of 10 % (guard.maxRenamePercent)",
    ]);
    expect(reasons).toHaveLength(3);
  });

  it("holds nothing if it is off", () => {
    const off = { ...defaults, enabled: false };
    expect(weigh({ deactivate: 999, create: 999 }, {}, off).holds).toEqual([]);
    // This does not depend on limits.
    expect(weigh({}, { emptyDirectory: true }, off).verdict.held).toBe(true);
  });

  it("counts the holders of an attribute only if more of them change than the floor, and only as far as needed", () => {
    const ask = (planned: WeightCounts, recent = nothingWeighed) =>
      holdersToCount({ planned, recent }, defaults);
    expect(ask(counts({ "clear title": 10, "replacement department": 10 }))).toEqual([]);
    expect(ask(counts({ "replacement title": 12 }))).toEqual([{ attribute: "title", enough: 60 }]);
    expect(ask(counts({ "clear title": 6 }), counts({ "clear title": 6 }))).toEqual([
      { attribute: "title", enough: 60 },
    ]);
  });

  it("regards a first run as ended once little is missing", () => {
    expect(endsFirstRun({ linked: 0, missing: 0 }, defaults)).toBe(false);
    expect(endsFirstRun({ linked: 10, missing: 25 }, defaults)).toBe(true);
    expect(endsFirstRun({ linked: 100, missing: 26 }, defaults)).toBe(false);
    expect(endsFirstRun({ linked: 1_000, missing: 26 }, defaults)).toBe(true);
  });
});
