import type { PlanHeader } from "../../domain/plan.ts";
import { shown } from "../words.ts";
import type { AttributeDifference, PersonDifference, PersonInPlan } from "./people.ts";

/** One of two plans that are compared. */
export interface PlanSide {
  /** The configuration file. */
  readonly file: string;
  readonly header: PlanHeader;
}

/** Two plans from the same data, for a report. */
export interface ComparisonView {
  /** With the configuration in force. */
  readonly first: PlanSide;
  /** With the other one. */
  readonly second: PlanSide;
  /** Planned from the last known data: nothing was read. */
  readonly offline: boolean;
  readonly people: readonly PersonDifference[];
}

/** One sentence that says what the report is about. */
export function comparisonHeadline({ first, second, offline, people }: ComparisonView): string {
  const from = offline ? "the last known data" : "the data that was just read";
  return `${second.file} compared with ${first.file}: ${people.length === 0 ? "both plan the same" : `${people.length} ${people.length === 1 ? "person is" : "people are"} planned otherwise`} (from ${from}; nothing was written)`;
}

/** The treatment of a person in a plan, in words. */
export function treatment({ operations, skipped }: PersonInPlan): string {
  const parts = operations.map(({ action, held }) => (held ? `${action} (held)` : action));
  if (skipped !== null) parts.push(`skipped: ${skipped.reason}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** The value that a plan gives an attribute, in words. */
export function planned(difference: AttributeDifference, side: "first" | "second"): string {
  const value = difference[side];
  return value === undefined ? "not changed" : shown(value);
}

/** The verdict of the guard about a plan, one sentence each. */
export function verdictOf({ header: { guard } }: PlanSide): readonly string[] {
  return guard.held ? guard.reasons : ["The guard holds nothing."];
}
