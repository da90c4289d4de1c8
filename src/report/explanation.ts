import { styleText } from "node:util";
import type {
  AccountExplanation,
  Explanation,
  HistoryEntry,
  MappingExplanation,
  ScopeExplanation,
  SourceExplanation,
} from "../cycle/person/explanation.ts";
import { decisionText } from "../domain/decision.ts";
import type { Json } from "../domain/json.ts";
import type { Change } from "../domain/plan.ts";
import { secondText, timeText } from "../domain/sentence.ts";
import type { TraceStep } from "../mapping/language/trace.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { peopleLines } from "./people.ts";
import { changeText, printable } from "./words.ts";

type Paint = (color: Parameters<typeof styleText>[0], text: string) => string;

/** An explanation for a terminal: the main facts first, then everything they rest on. */
export function explanationText(explanation: Explanation, options: { readonly color: boolean }): string {
  const paint: Paint = (color, text) =>
    options.color ? styleText(color, text, { validateStream: false }) : text;
  const { source, scope, mappings, account, decision, history } = explanation;
  const sections = [
    [
      paint("bold", heading(explanation)),
      ...explanation.summary.map((sentence) => `  ${printable(sentence)}`),
    ],
    section(
      paint("bold", "People with this in their names"),
      peopleLines(explanation.candidates, explanation.moreCandidates),
    ),
    section(paint("bold", "Last known data"), pictureLines(explanation)),
    source === null ? [] : section(paint("bold", "In Entra"), sourceLines(source)),
    scope === null ? [] : section(paint("bold", "Scope"), scopeLines(scope)),
    section(
      paint("bold", "Mapping"),
      mappings.flatMap((mapping) => mappingLines(mapping, paint)),
    ),
    account === null ? [] : section(paint("bold", "In Lattice"), accountLines(account, mappings)),
    decision === null
      ? []
      : section(paint("bold", "Pending change"), [
          ...changeLines(decision.changes),
          ...(decision.evidence === null ? [] : [`Evidence: ${printable(decision.evidence.detail)}`]),
          ...(decision.deferred === null ? [] : changeLines(decision.deferred.changes)),
          ...(decision.reported === null ? [] : changeLines(decision.reported)),
        ]),
    section(
      paint("bold", "Decisions about what was held"),
      (explanation.decisions ?? []).map((one) => printable(decisionText(one))),
    ),
    section(
      paint("bold", "Decisions about the account"),
      (explanation.linkDecisions ?? []).map(
        ({ what, latticeId, userName, by, at, reason }) =>
          `${printable(`${latticeId} (${userName})`)}: ${what} by ${printable(by)} on ${timeText(at)}: ${printable(reason)}`,
      ),
    ),
    section(paint("bold", "Last entries of the log"), history.flatMap(historyLines)),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function heading({ asked, source, account }: Explanation): string {
  const name = source?.userPrincipalName ?? account?.userName ?? asked;
  const displayName = source?.displayName ?? null;
  return printable(displayName === null ? name : `${displayName} <${name}>`);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function pictureLines({ pictures }: Explanation): readonly string[] {
  const { live, explainedAt, entraReadAt, latticeListedAt, lastCycle } = pictures;
  const age = (time: string | null): string =>
    time === null
      ? "never"
      : `${timeText(time)} (${ageText(Date.parse(explainedAt) - Date.parse(time))} ago)`;
  const lines = live
    ? [`Entra and Lattice were asked for this person now, ${timeText(explainedAt)}; nothing was written`]
    : [`Entra last read      ${age(entraReadAt)}`, `Lattice last listed  ${age(latticeListedAt)}`];
  if (lastCycle !== null) {
    lines.push(
      `Last cycle: ${lastCycle.cycle}, ${age(lastCycle.startedAt)}: ${lastCycle.outcome ?? "running, or its process died"}`,
    );
  }
  return lines;
}

function ageText(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

function sourceLines({ objectId, presence, attributes, manager }: SourceExplanation): readonly string[] {
  const managerText =
    manager === null
      ? "(none)"
      : `${manager.userPrincipalName ?? manager.objectId}${manager.latticeId === null ? " (no Lattice account)" : ""}${manager.presence === "present" ? "" : ` (${manager.presence ?? "not in the last read"})`}`;
  const rows: [string, string][] = [
    ["objectId", objectId],
    ["presence", presence],
    ...attributes
      .filter(({ name }) => name !== "id")
      .map(({ name, value }): [string, string] => [name, valueText(value)]),
    ["manager", printable(managerText)],
  ];
  return aligned(rows);
}

function scopeLines(scope: ScopeExplanation): readonly string[] {
  const { mode, configured, nested, member, through, guest, guestsAllowed, filters, decidedBy } = scope;
  const names = configured.map((name) => `"${printable(name)}"`).join(", ");
  const made = {
    all: "everyone",
    assigned: `assigned to ${names}${nested ? ", nested groups count" : ", direct members of groups only"}`,
    groups: `members of ${names}${nested ? ", nested groups count" : ", direct members only"}`,
  }[mode];
  const by = through === null || through.length === 0 ? "" : ` through ${through.map(printable).join(", ")}`;
  return [
    `${mark(scope.inScope)} in scope`,
    `${mark(member)} member (mode ${mode}: ${made})${by}`,
    ...(guest ? [`${mark(guestsAllowed)} is a guest; guests are ${guestsAllowed ? "" : "not "}allowed`] : []),
    ...(decidedBy === "include" || decidedBy === "exclude"
      ? [`decided by the list entra.scope.${decidedBy}, regardless of the filters`]
      : []),
    ...filters.flatMap(({ name, passes, clauses }, index) => [
      `${mark(passes)} filter ${name === null ? index + 1 : `"${printable(name)}"`}`,
      ...clauses.map(({ attribute, operator, expected, actual, holds, changesAt }) => {
        const wanted = expected === null ? "" : ` ${JSON.stringify(printable(expected))}`;
        const has = actual === null ? "has no value" : `is ${JSON.stringify(printable(actual))}`;
        const until = changesAt === null ? "" : `; this changes at ${timeText(changesAt)}`;
        if (attribute === "memberOf") {
          return `  ${mark(holds)} ${operator}${wanted}: is ${actual === null ? "not " : ""}a member`;
        }
        return `  ${mark(holds)} ${printable(attribute)} ${operator}${wanted}: ${has}${until}`;
      }),
    ]),
  ];
}

function mark(holds: boolean): string {
  return holds ? "yes" : "no ";
}

function mappingLines(mapping: MappingExplanation, paint: Paint): readonly string[] {
  const { attribute, origin, apply, value, leftAsIs, leftToLattice, problem, steps } = mapping;
  const once = apply === "onCreate" ? " (sent once, on create)" : "";
  const left = leftToLattice ? " (left to Lattice: not sent)" : "";
  const result = problem ?? (leftAsIs ? "not changed" : valueText(value));
  const head = `${paint("cyan", shortPath(attribute))} = ${printable(result)}${once}${left}`;
  // A plain attribute or a constant needs no explanation.
  if (steps === null || steps.parts.length === 0)
    return [`${head}  ${paint("dim", `from ${printable(origin)}`)}`];
  return [head, ...stepLines(steps, 1)];
}

/** One step a line, its parts below it and indented. */
function stepLines(step: TraceStep, depth: number): readonly string[] {
  const indent = "  ".repeat(depth);
  const expression = printable(step.expression);
  if (!step.evaluated) return [`${indent}${expression}  not evaluated`];
  const result =
    step.problem !== undefined
      ? printable(step.problem)
      : step.ignored === true
        ? "not changed"
        : valueText(step.value, true);
  if (step.kind === "constant") return [];
  return [`${indent}${expression} → ${result}`, ...step.parts.flatMap((part) => stepLines(part, depth + 1))];
}

function accountLines(
  account: AccountExplanation,
  mappings: readonly MappingExplanation[],
): readonly string[] {
  const whose = (attribute: string): string => {
    const name = mappings.find((one) => one.attribute === attribute)?.currentUserName;
    return name === undefined ? "" : ` (${printable(name)})`;
  };
  const rows: [string, string][] = [
    ["latticeId", account.latticeId],
    ["linked to", account.linkedTo ?? "(no one)"],
    ...(account.protection === null
      ? []
      : [["protected", protectionOf(account.protection)] satisfies [string, string]]),
    ["active", account.active === null ? "(unknown)" : String(account.active)],
    ...account.values
      .filter(({ attribute }) => attribute !== "active")
      .map((row): [string, string] => [
        shortPath(row.attribute),
        `${valueText(row.value)}${whose(row.attribute)}${row.confirmed === undefined ? "" : `  edited by hand: was ${valueText(row.confirmed)}`}${row.sent === undefined ? "" : `  Lattice's form of ${valueText(row.sent)}`}`,
      ]),
  ];
  return aligned(rows);
}

function protectionOf({ by, reason, at }: NonNullable<AccountExplanation["protection"]>): string {
  if (reason === undefined || at === undefined) return "by the configuration (matching.protected)";
  return printable(`by ${by} since ${timeText(at)}: ${reason}`);
}

function changeLines(changes: readonly Change[]): readonly string[] {
  return aligned(
    changes.map((change): [string, string] => [shortPath(change.attribute), changeText(change)]),
  );
}

function historyLines(entry: HistoryEntry): readonly string[] {
  const changed = entry.changes.map(({ attribute }) => shortPath(attribute)).join(", ");
  const answer = [
    ...(entry.httpStatus === null ? [] : [`HTTP ${entry.httpStatus}`]),
    ...(entry.requestId === null ? [] : [`request ${entry.requestId}`]),
  ].join(", ");
  return [
    `${secondText(entry.at)}  ${entry.status.padEnd(9)} ${entry.action}: ${printable(entry.reason)}`,
    ...(changed === "" ? [] : [`    ${printable(changed)}`]),
    ...(entry.error === null ? [] : [`    ${printable(entry.error)}`]),
    ...(answer === "" ? [] : [`    ${printable(answer)}`]),
    ...(entry.decision === undefined ? [] : [`    ${printable(decisionText(entry.decision))}`]),
  ];
}

function aligned(rows: readonly [string, string][]): readonly string[] {
  const column = Math.min(28, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.map(([name, text]) => `${printable(name).padEnd(column)}  ${text}`);
}

/** @param quoted texts in quotation marks, so that an empty one and blanks can be seen */
function valueText(value: Json, quoted = false): string {
  if (value === null) return "(none)";
  if (typeof value === "string")
    return quoted && value !== "[Redact]" ? printable(JSON.stringify(value)) : printable(value);
  return printable(JSON.stringify(value));
}
