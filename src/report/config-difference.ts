import type { ChangedRule, ChangedSetting, ConfigDifference } from "../config/config-difference.ts";
import { isSame } from "../config/config-difference.ts";
import { exitCode } from "../process/io.ts";
import { printable } from "./words.ts";

/** A job in two configurations. */
export type JobDifference =
  /** Only one of the two configurations has the job. */
  | { readonly kind: "added" }
  | { readonly kind: "removed" }
  /** One of the two configurations of the job has faults, in sentences. */
  | { readonly kind: "faulty"; readonly fault: string }
  | ComparedJob;

/** A job that both configurations have. */
interface ComparedJob {
  readonly kind: "compared";
  readonly difference: ConfigDifference;
  /** The next cycle reads everything and plans everybody, because mapping, scope, actions or matching differ. */
  readonly plansEverybodyAgain: boolean;
}

/** `true` if the two configurations of a job differ. */
export function differs(job: JobDifference): boolean {
  return job.kind !== "compared" || job.plansEverybodyAgain || !isSame(job.difference);
}

/** The value of `config diff --format json` for one job. */
export function differenceJson(job: JobDifference): object {
  const { kind: change } = job;
  if (job.kind === "faulty") return { change, error: job.fault, exitCode: exitCode.usage };
  if (job.kind !== "compared") return { change, different: true };
  const { settings } = job.difference;
  return {
    change: differs(job) ? "changed" : "none",
    different: differs(job),
    ...job.difference,
    plansEverybodyAgain: job.plansEverybodyAgain,
    needsRestart: settings.filter((one) => one.needsRestart).map(({ key }) => key),
  };
}

/** Headings by the beginning of a key, in the order in which they are shown; the first that fits counts. */
const areas: readonly (readonly [heading: string, prefix: string])[] = [
  ["Scope", "entra.scope."],
  ["Entra", "entra."],
  ["Lattice", "lattice."],
  ["Matching", "matching."],
  ["Actions", "actions."],
  ["Managers", "manager."],
  ["Guard", "guard."],
  ["Schedule", "schedule."],
  ["State", "state."],
  ["Notifications", "notify."],
  ["HTTP", "http."],
  ["Other", ""],
];

/** The differences of one job, in lines for people. */
export function differenceLines(job: JobDifference): readonly string[] {
  if (job.kind === "added") return ["The job is new: its first cycle reads everything and plans everybody."];
  if (job.kind === "removed")
    return [
      "The job is removed: nothing is sent for it any more. Its accounts and its state stay as they are.",
    ];
  if (job.kind === "faulty")
    return ["It cannot be compared:", ...job.fault.split("\n").map((line) => `  ${line}`)];
  if (!differs(job)) return ["Nothing differs."];
  const { settings, mapping, mappingReordered } = job.difference;
  const blocks: string[][] = [];
  const rest = new Set(settings);
  for (const [heading, prefix] of areas) {
    const here = [...rest].filter(({ key }) => key.startsWith(prefix));
    for (const one of here) rest.delete(one);
    if (here.length > 0) blocks.push([heading, ...here.map((one) => `  ${settingText(one)}`)]);
  }
  if (mapping.length > 0) blocks.push(["Mapping", ...mapping.flatMap(ruleLines)]);
  if (mappingReordered) blocks.push(["Mapping", "  The same attribute mappings are in another order."]);
  return [...blocks.flatMap((lines) => [...lines, ""]), ...effects(job)];
}

/** The effects of the differences, one sentence a line. */
function effects({ difference, plansEverybodyAgain }: ComparedJob): readonly string[] {
  const { settings, anotherTenant, anotherLattice } = difference;
  const restart = settings.filter((one) => one.needsRestart).map(({ key }) => key);
  return [
    ...(anotherTenant
      ? [
          "Another Entra tenant is named: a cycle refuses a state of another tenant, so this needs a new state.",
        ]
      : []),
    ...(anotherLattice
      ? ["Another Lattice is named: the next cycle stops unless Lattice knows the linked accounts there."]
      : []),
    plansEverybodyAgain
      ? "Everybody is planned again: the next cycle reads Entra and Lattice in full. sync --dry-run shows the plan."
      : "No person is planned again because of this.",
    ...(restart.length > 0 ? [`A running daemon must be restarted for ${restart.join(", ")}.`] : []),
  ];
}

function settingText({ key, secret, before, after }: ChangedSetting): string {
  if (secret) return `${key}: changed`;
  if (Array.isArray(before) && Array.isArray(after)) return `${key}: ${listText(before, after)}`;
  return `${key}: ${text(before)} → ${text(after)}`;
}

function listText(before: readonly unknown[], after: readonly unknown[]): string {
  const [old, next] = [before.map(text), after.map(text)];
  const parts = [
    ...next.filter((one) => !old.includes(one)).map((one) => `added ${one}`),
    ...old.filter((one) => !next.includes(one)).map((one) => `removed ${one}`),
  ];
  return parts.length > 0 ? parts.join(", ") : "in another order";
}

function ruleLines({ target, change, keys }: ChangedRule): readonly string[] {
  const parts = keys.map(({ key, before, after }) => {
    if (change === "added") return `${key} ${text(after)}`;
    if (change === "removed") return `${key} ${text(before)}`;
    return `${key} ${text(before)} → ${text(after)}`;
  });
  const name = printable(target);
  return change === "changed"
    ? [`  ${name}: ${parts.join("; ")}`]
    : [`  ${name} ${change}: ${parts.join("; ")}`];
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "(not set)";
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}
