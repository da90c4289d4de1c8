import type { GuardVerdict, Hold } from "../../domain/plan.ts";
import { count } from "../../domain/sentence.ts";
import type { WeightKind } from "../../domain/weight.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import type { WeightCounts } from "../operations/weights.ts";
import type { GuardLimits } from "../ports/settings.ts";
import type { Alarm } from "./alarms.ts";

/** The numbers that a plan is weighed by: its own operations, and those done in the window before it. */
export interface Weights {
  readonly planned: WeightCounts;
  readonly recent: WeightCounts;
  /** Accounts that are active before the plan: linked ones, and those that the plan links. */
  readonly active: number;
  /** Accounts that are linked before the plan. */
  readonly linked: number;
  /** Accounts, linked or to be linked, that have a value for the attribute; only for attributes of `holdersToCount`. */
  readonly holders: (attribute: string) => number;
  /** Alarms about the scope: deactivations that they concern are held, even if they are few. */
  readonly alarms: readonly Alarm[];
  /** Entra answered that the directory has no people. */
  readonly emptyDirectory: boolean;
}

export interface Weighed {
  readonly verdict: GuardVerdict;
  readonly holds: readonly Hold[];
}

type LimitKey = Exclude<keyof GuardLimits, "enabled" | "windowMs">;

/** The limits for one kind of change. Operations of the plan and of the window count together. */
interface Row {
  readonly kind: WeightKind;
  /** The keys of the absolute limit, of the share in per cent, and of the floor up to which the share does not count. */
  readonly max: LimitKey | null;
  readonly percent: LimitKey | null;
  readonly floor: LimitKey | null;
  /** The number that the share is of; `holders`: each attribute by itself, of the accounts that have a value. */
  readonly base: "active" | "linked" | "holders";
  /** The changes that would happen, in words, with their number. */
  readonly what: (total: number, base: number, attribute: string) => string;
}

const rows: readonly Row[] = [
  {
    kind: "deactivate",
    max: "maxDeactivations",
    percent: "maxDeactivationPercent",
    floor: "deactivationFloor",
    base: "active",
    what: (total, base) => `${ofActive(total, base)} would be deactivated`,
  },
  {
    kind: "reactivate",
    max: "maxReactivations",
    percent: "maxReactivationPercent",
    floor: "reactivationFloor",
    base: "active",
    what: (total, base) => `${count(total, "account")} would be reactivated (${number(base)} are active now)`,
  },
  {
    kind: "create",
    max: "maxCreates",
    percent: "maxCreatePercent",
    floor: "createFloor",
    base: "linked",
    what: (total, base) => `${count(total, "new account")} would be created (${number(base)} are linked now)`,
  },
  {
    kind: "link",
    max: "maxLinks",
    percent: "maxLinkPercent",
    floor: "linkFloor",
    base: "linked",
    what: (total, base) =>
      `${count(total, "existing account")} would be linked (${number(base)} are linked now)`,
  },
  {
    kind: "doubtfulLink",
    max: "maxDoubtfulLinks",
    percent: null,
    floor: null,
    base: "linked",
    what: (total) =>
      `${count(total, "existing account")} would be linked although other values point to another person`,
  },
  {
    kind: "rename",
    max: "maxRenames",
    percent: "maxRenamePercent",
    floor: "renameFloor",
    base: "active",
    what: (total, base) => `${ofActive(total, base)} would get another userName`,
  },
  {
    kind: "clear",
    max: null,
    percent: "maxClearsPercent",
    floor: "clearFloor",
    base: "holders",
    what: (total, base, attribute) => `${ofHolders(total, base, attribute)} would lose it`,
  },
  {
    kind: "replacement",
    max: null,
    percent: "maxReplacementPercent",
    floor: "replacementFloor",
    base: "holders",
    what: (total, base, attribute) => `${ofHolders(total, base, attribute)} would get another one`,
  },
  {
    kind: "manager",
    max: "maxManagerChanges",
    percent: "maxManagerChangePercent",
    floor: "managerChangeFloor",
    base: "holders",
    what: (total, base) =>
      `${number(total)} of ${count(base, "account")} with a manager would lose the manager or get another one`,
  },
  {
    kind: "email",
    max: "maxEmailChanges",
    percent: "maxEmailChangePercent",
    floor: "emailChangeFloor",
    base: "active",
    what: (total, base) => `${ofActive(total, base)} would get another e-mail address`,
  },
];

function number(value: number): string {
  return value.toLocaleString("en");
}

function ofActive(total: number, base: number): string {
  return `${number(total)} of ${count(base, "active account")}`;
}

function ofHolders(total: number, base: number, attribute: string): string {
  return `${number(total)} of ${count(base, "account")} with a value for ${shortPath(attribute)}`;
}

/**
 * Weighs a plan before it is sent. If a limit is exceeded, all operations of its kind are held, not only those above the
 * limit. The limits can be switched off. One check cannot: an empty directory is never believed.
 */
export function weighPlan(weights: Weights, limits: GuardLimits): Weighed {
  const found = limits.enabled || weights.emptyDirectory ? findings(weights, limits) : [];
  const held = found.length > 0;
  return {
    verdict: {
      held,
      reasons: found.map(({ reason }) => reason),
      ...(held ? { holds: found.map(({ hold, reason }) => ({ ...hold, reason })) } : {}),
    },
    holds: uniqueHolds(found.map(({ hold }) => hold)),
  };
}

interface Finding {
  readonly hold: Hold;
  readonly reason: string;
}

function findings(weights: Weights, limits: GuardLimits): Finding[] {
  return [...alarms(weights), ...rows.flatMap((row) => weighRow(row, weights, limits))];
}

function alarms({ planned, alarms: raised, emptyDirectory }: Weights): Finding[] {
  if (emptyDirectory) {
    const reason =
      "Entra's list of users is empty. No one is treated as a leaver, and nothing is sent until Entra lists people again. Check the application's permissions";
    return [{ hold: { kind: "deactivate" }, reason }];
  }
  return raised.flatMap(({ evidence, reason }) => {
    const count = concerned({ evidence }, planned);
    return count === 0
      ? []
      : [{ hold: { kind: "deactivate" as const, details: evidence }, reason: reason(count) }];
  });
}

/** The number of planned deactivations that an alarm concerns. */
export function concerned({ evidence }: Pick<Alarm, "evidence">, planned: WeightCounts): number {
  return planned.of("deactivate", evidence);
}

function weighRow(row: Row, weights: Weights, limits: GuardLimits): Finding[] {
  const { kind, base } = row;
  const { planned, recent } = weights;
  if (base === "holders") {
    return planned.detailsOf(kind).flatMap((attribute) => {
      const details = [attribute];
      // Accounts that lost the value within the window had it at its start.
      const before = weights.holders(attribute) + recent.of("clear", details);
      return overLimits(row, limits, {
        hold: { kind, details },
        planned: planned.of(kind, details),
        recent: recent.of(kind, details),
        base: before,
        attribute,
      });
    });
  }
  // Accounts that were deactivated within the window were active at its start.
  const before =
    base === "linked"
      ? weights.linked
      : weights.active + recent.of("deactivate") * Number(kind === "deactivate");
  return overLimits(row, limits, {
    hold: { kind },
    planned: planned.of(kind),
    recent: recent.of(kind),
    base: before,
    attribute: "",
  });
}

/** Kinds whose accounts are not among those that the base counts. */
const grows: ReadonlySet<WeightKind> = new Set(["create", "link", "doubtfulLink", "reactivate"]);

interface Measure {
  readonly hold: Hold;
  readonly planned: number;
  readonly recent: number;
  readonly base: number;
  readonly attribute: string;
}

function overLimits(
  row: Row,
  limits: GuardLimits,
  { hold, planned, recent, base, attribute }: Measure,
): Finding[] {
  if (planned === 0) return [];
  const total = planned + recent;
  // With more changes than accounts, some that were already sent were to the same accounts.
  const again = total > base && !grows.has(row.kind) ? ", some to the same accounts" : "";
  const window = recent === 0 ? "" : `, counting ${number(recent)} already sent within guard.window${again}`;
  const found = `${row.what(total, base, attribute)}${window}`;
  const share = base === 0 ? 100 : (total / base) * 100;
  const max = row.max === null ? null : limits[row.max];
  const percent = row.percent === null ? null : limits[row.percent];
  const floor = floorOf(row, limits);
  const reasons: string[] = [];
  if (max !== null && total > max)
    reasons.push(`${found}: more than the limit of ${number(max)} (guard.${row.max})`);
  if (percent !== null && total > floor && share > percent) {
    reasons.push(
      `${found}: ${share.toFixed(1)} % is more than the limit of ${percent} % (guard.${row.percent})`,
    );
  }
  return reasons.map((reason) => ({ hold, reason }));
}

function floorOf({ floor }: Row, limits: GuardLimits): number {
  return floor === null ? 0 : (limits[floor] ?? 0);
}

/** An attribute whose holders must be counted, and the number of holders with which the plan passes. */
export interface HoldersToCount {
  readonly attribute: string;
  readonly enough: number;
}

/**
 * Attributes with more changes than the floor allows. Only for these are the accounts with a value counted, and only up to the
 * number with which the share is small enough.
 */
export function holdersToCount(
  { planned, recent }: Pick<Weights, "planned" | "recent">,
  limits: GuardLimits,
): readonly HoldersToCount[] {
  const enough = new Map<string, number>();
  for (const row of rows.filter(({ base }) => base === "holders")) {
    for (const attribute of planned.detailsOf(row.kind)) {
      const total = planned.of(row.kind, [attribute]) + recent.of(row.kind, [attribute]);
      const percent = row.percent === null ? null : limits[row.percent];
      if (percent === null || total <= floorOf(row, limits)) continue;
      const most = percent === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil((total * 100) / percent);
      enough.set(attribute, Math.max(most, enough.get(attribute) ?? 0));
    }
  }
  return [...enough].map(([attribute, most]) => ({ attribute, enough: most }));
}

/**
 * `true` if the first run has ended: the creates and links that it did not complete are so few that a later run may do them
 * without a release by a person.
 */
export function endsFirstRun(
  { linked, missing }: { readonly linked: number; readonly missing: number },
  limits: GuardLimits,
): boolean {
  if (linked === 0) return false;
  return missing <= limits.createFloor || (missing / linked) * 100 <= limits.maxCreatePercent;
}

function uniqueHolds(holds: readonly Hold[]): Hold[] {
  return [...new Map(holds.map((hold) => [JSON.stringify(hold), hold])).values()];
}
