import { describe, expect, it } from "vitest";
import { type Weights, weighPlan } from "../../src/cycle/guard.ts";
import type { EvidenceKind } from "../../src/domain/plan.ts";
import { lenientGuard } from "./workplace.ts";

const none = {
  deactivations: 0,
  evidence: new Map<EvidenceKind, number>(),
  renames: 0,
  clears: new Map<string, number>(),
};
const defaults = {
  ...lenientGuard,
  maxDeactivationPercent: 10,
  deactivationFloor: 3,
  maxClearsPercent: 20,
  maxRenamePercent: 10,
};

function weigh(planned: Partial<Weights["planned"]>, more: Partial<Weights> = {}) {
  return weighPlan(
    {
      planned: { ...none, ...planned },
      recent: none,
      active: 1_000,
      holders: () => 100,
      alarms: [],
      emptyDirectory: false,
      ...more,
    },
    defaults,
  );
}

describe("the guard", () => {
  it("lets a usual day through", () => {
    expect(weigh({ deactivations: 5, renames: 2, clears: new Map([["title", 3]]) })).toEqual({
      verdict: { held: false, reasons: [] },
      holds: [],
    });
  });

  it.each<[string, Partial<Weights["planned"]>, Partial<Weights>, object]>([
    ["too many deactivations", { deactivations: 51 }, {}, { kind: "deactivations" }],
    ["too large a share", { deactivations: 4 }, { active: 30 }, { kind: "deactivations" }],
    [
      "a slow leak",
      { deactivations: 1 },
      { recent: { ...none, deactivations: 50 } },
      { kind: "deactivations" },
    ],
    ["too many renames", { renames: 51 }, {}, { kind: "renames" }],
    [
      "an attribute lost by many",
      { clears: new Map([["title", 21]]) },
      {},
      { kind: "clears", attribute: "title" },
    ],
  ])("holds %s", (_what, planned, more, hold) => {
    const { verdict, holds } = weigh(planned, more);
    expect(holds).toEqual([hold]);
    expect(verdict.held).toBe(true);
  });

  it("lets the floor pass the per cent, but not the absolute limit", () => {
    expect(weigh({ deactivations: 3 }, { active: 5 }).verdict.held).toBe(false);
    const tight = { ...defaults, maxDeactivations: 1 };
    const weights = {
      planned: { ...none, deactivations: 2 },
      recent: none,
      active: 5,
      holders: () => 0,
      alarms: [],
      emptyDirectory: false,
    };
    expect(weighPlan(weights, tight).verdict.reasons).toEqual([
      "2 of 5 active accounts would be deactivated, more than guard.maxDeactivations (1)",
    ]);
  });

  it("holds nothing where it is off", () => {
    const weights = {
      planned: { ...none, deactivations: 999 },
      recent: none,
      active: 999,
      holders: () => 0,
      alarms: [],
      emptyDirectory: false,
    };
    expect(weighPlan(weights, { ...defaults, enabled: false }).holds).toEqual([]);
    // That is no matter of limits.
    const empty = { ...weights, planned: none, emptyDirectory: true };
    expect(weighPlan(empty, { ...defaults, enabled: false }).verdict.held).toBe(true);
  });
});
