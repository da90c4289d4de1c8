import type { GuardVerdict } from "../domain/plan.ts";
import type { GuardedCounts, Hold } from "../domain/store.ts";
import { shortPath } from "../mapping/target-attributes.ts";
import type { Alarm } from "./alarms.ts";
import type { GuardLimits } from "./settings.ts";

/** What a plan is weighed by: its own operations, and those done in the window before it. */
export interface Weights {
  readonly planned: GuardedCounts;
  readonly recent: GuardedCounts;
  /** Accounts that are active before the plan: linked ones, and those that the plan links. */
  readonly active: number;
  /** The same that have a value for the attribute; asked for those of `clearsToWeigh` alone. */
  readonly holders: (attribute: string) => number;
  /** What was seen while reading that makes deactivations doubtful, however few. */
  readonly alarms: readonly Alarm[];
  /** The directory answered that it has nobody. */
  readonly emptyDirectory: boolean;
}

export interface Weighed {
  readonly verdict: GuardVerdict;
  readonly holds: readonly Hold[];
}

/**
 * Weighs a plan before it is sent. A limit that is met holds back every operation of its kind, not the first few.
 * Limits can be switched off; that a directory which answers with nobody is not believed cannot.
 */
export function weighPlan(weights: Weights, limits: GuardLimits): Weighed {
  const found = limits.enabled || weights.emptyDirectory ? findings(weights, limits) : [];
  return {
    verdict: { held: found.length > 0, reasons: found.map(({ reason }) => reason) },
    holds: uniqueHolds(found.map(({ hold }) => hold)),
  };
}

function findings(weights: Weights, limits: GuardLimits): Finding[] {
  return [
    ...alarms(weights),
    ...deactivations(weights, limits),
    ...renames(weights, limits),
    ...clearsToWeigh(weights, limits).flatMap((attribute) => clears(attribute, weights, limits)),
  ];
}

interface Finding {
  readonly hold: Hold;
  readonly reason: string;
}

function alarms({ planned, alarms: raised, emptyDirectory }: Weights): Finding[] {
  if (emptyDirectory) {
    const reason =
      "Entra answered that it has no user at all; nobody was taken to be gone, and nothing is sent until it lists people again: check the application's permissions";
    return [{ hold: { kind: "deactivations" }, reason }];
  }
  return raised.flatMap(({ evidence, reason }) => {
    const count = concerned({ evidence }, planned);
    return count === 0 ? [] : [{ hold: { kind: "deactivations" as const, evidence }, reason: reason(count) }];
  });
}

/** Deactivations of the plan that an alarm concerns. */
export function concerned({ evidence }: Pick<Alarm, "evidence">, planned: GuardedCounts): number {
  return evidence.reduce((sum, kind) => sum + (planned.evidence.get(kind) ?? 0), 0);
}

function deactivations({ planned, recent, active }: Weights, limits: GuardLimits): Finding[] {
  return overLimits({
    hold: { kind: "deactivations" },
    planned: planned.deactivations,
    recent: recent.deactivations,
    // Who was switched off within the window was active at its start.
    base: active + recent.deactivations,
    what: (base) => `of ${base} active accounts would be deactivated`,
    max: { value: limits.maxDeactivations, key: "maxDeactivations" },
    percent: { value: limits.maxDeactivationPercent, key: "maxDeactivationPercent" },
    floor: limits.deactivationFloor,
  });
}

function renames({ planned, recent, active }: Weights, limits: GuardLimits): Finding[] {
  return overLimits({
    hold: { kind: "renames" },
    planned: planned.renames,
    recent: recent.renames,
    base: active,
    what: (base) => `of ${base} active accounts would get another userName`,
    max: { value: limits.maxRenames, key: "maxRenames" },
    percent: { value: limits.maxRenamePercent, key: "maxRenamePercent" },
    floor: limits.renameFloor,
  });
}

/** Attributes of which more values would go than the floor lets go: to count a company's values is worth it for these alone. */
export function clearsToWeigh(
  { planned, recent }: Pick<Weights, "planned" | "recent">,
  { clearFloor }: Pick<GuardLimits, "clearFloor">,
): readonly string[] {
  return [...planned.clears].flatMap(([attribute, count]) =>
    count > 0 && count + (recent.clears.get(attribute) ?? 0) > clearFloor ? [attribute] : [],
  );
}

function clears(attribute: string, weights: Weights, limits: GuardLimits): Finding[] {
  const { planned, recent, holders } = weights;
  const before = recent.clears.get(attribute) ?? 0;
  return overLimits({
    hold: { kind: "clears", attribute },
    planned: planned.clears.get(attribute) ?? 0,
    recent: before,
    base: holders(attribute) + before,
    what: (base) => `of ${base} accounts with ${shortPath(attribute)} would lose it`,
    max: null,
    percent: { value: limits.maxClearsPercent, key: "maxClearsPercent" },
    floor: limits.clearFloor,
  });
}

interface Measure {
  readonly hold: Hold;
  readonly planned: number;
  readonly recent: number;
  readonly base: number;
  readonly what: (base: number) => string;
  readonly max: { readonly value: number; readonly key: keyof GuardLimits } | null;
  readonly percent: { readonly value: number; readonly key: keyof GuardLimits };
  readonly floor: number;
}

function overLimits({ hold, planned, recent, base, what, max, percent, floor }: Measure): Finding[] {
  if (planned === 0) return [];
  const total = planned + recent;
  const window = recent === 0 ? "" : ` (${recent} of them within the last guard.window)`;
  const share = base === 0 ? 100 : (total / base) * 100;
  const findings: Finding[] = [];
  if (max !== null && total > max.value) {
    findings.push({
      hold,
      reason: `${total} ${what(base)}${window}, more than guard.${max.key} (${max.value})`,
    });
  }
  if (total > floor && share > percent.value) {
    findings.push({
      hold,
      reason: `${total} ${what(base)}${window}, ${share.toFixed(1)} %, more than guard.${percent.key} (${percent.value} %)`,
    });
  }
  return findings;
}

function uniqueHolds(holds: readonly Hold[]): Hold[] {
  return [...new Map(holds.map((hold) => [JSON.stringify(hold), hold])).values()];
}
