import type { Json } from "../domain/json.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { Action, Change } from "../domain/plan.ts";
import type { CycleOutcome } from "../domain/state/cycles.ts";
import { visible } from "../domain/visible.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import type { PlanView } from "./view.ts";

export const actionOrder: readonly Action[] = ["create", "link", "update", "reactivate", "deactivate"];

/** Text of unknown origin as one line for a terminal or a page; invisible characters are made visible. */
export const printable = visible;

/** A value for people: `(none)` if there is none. */
export function shown(value: Json): string {
  if (value === null) return "(none)";
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}

export function changeText(change: Change): string {
  if (change.before === null) return shown(change.after);
  return `${shown(change.before)} → ${shown(change.after)}`;
}

/** The changes of an operation that correct drift; none for an account that was removed. */
export function driftChanges(operation: LoggedOperation): readonly Change[] {
  return operation.changes.filter((change) => change.drift === true);
}

/** A manual change in Lattice, for people: `title: Analyst → Chief`, the confirmed value and the one found. */
export function driftText(operation: LoggedOperation): string {
  if (operation.drift === "removed") return "the account was removed in Lattice";
  return driftChanges(operation)
    .map(({ attribute, before, after }) => `${shortPath(attribute)}: ${shown(after)} → ${shown(before)}`)
    .join("; ");
}

/** One sentence that says what the report is about. */
export function headline({ header, dryRun, result }: PlanView): string {
  const kind = header.cycle;
  if (dryRun || result === null) return `Dry run of the ${kind} cycle: nothing was written`;
  const seconds = (result.durationMs / 1000).toFixed(1);
  const paused = result.outcome === "paused" ? "done, and " : "";
  return `The ${kind} cycle is ${paused}${headlineOutcome(result.outcome)} (${seconds} s)`;
}

/** The outcome of a plan, complete, so that the numbers add up: `3 done, 1 failed, 2 held, 1 not sent (…)`; `null` if nothing was due. */
export function sentText({ header, result }: PlanView): string | null {
  if (result === null) return null;
  const { done, failed, held, notSent } = result;
  const planned = actionOrder.reduce((sum, action) => sum + header.summary[action], 0);
  const all = done + failed + held + notSent;
  if (planned === 0 && all === 0) return null;
  const twice = all - planned;
  const parts = [
    `${number(done)} done`,
    `${number(failed)} failed`,
    ...(held > 0 ? [`${number(held)} held`] : []),
    ...(notSent > 0 ? [`${number(notSent)} not sent (planned again by the next cycle if still due)`] : []),
  ].join(", ");
  if (twice <= 0) return parts;
  return twice === 1
    ? `${parts}; 1 operation is counted twice: the guard holds a part of it, and the rest was sent`
    : `${parts}; ${number(twice)} operations are counted twice: the guard holds a part of each, and the rest was sent`;
}

export function headlineOutcome(outcome: CycleOutcome): string {
  return {
    done: "done",
    held: "held by the guard",
    someFailed: "finished, but some people failed",
    failed: "failed",
    interrupted: "interrupted",
    paused: "sending is paused",
  }[outcome];
}

function number(value: number): string {
  return value.toLocaleString("en");
}
