import type { LoggedOperation } from "../domain/operation.ts";
import { count } from "../domain/sentence.ts";
import { commandLine } from "../process/command-name.ts";

import { changeLines, signs } from "./change-lines.ts";
import { stepLine } from "./steps.ts";
import { indented, type Layout, wrapped } from "./terminal.ts";

import type { PlanView, Write } from "./view.ts";
import { actionOrder, driftText, headline, printable, sentText } from "./words.ts";

export interface TableOptions extends Layout {
  /** People shown in full; the rest is only counted. */
  readonly limit: number;
}

/** Writes a plan for a terminal: each person with what changes, then who is skipped, then the totals. */
export async function writeTable(view: PlanView, write: Write, options: TableOptions): Promise<void> {
  for (const step of view.steps ?? []) await write(`${stepLine(step, { user: true })}\n`);
  if ((view.steps ?? []).length > 0) await write("\n");
  const title = wrapped(headline(view), options).map((line) => options.paint("bold", line));
  await write(`${title.join("\n")}\n`);

  let shownPeople = 0;
  let left = 0;
  for (const action of actionOrder) {
    for await (const operation of view.operations(action)) {
      if (shownPeople >= options.limit) {
        left += 1;
        continue;
      }
      shownPeople += 1;
      await write(`\n${person(operation, options)}`);
    }
  }
  if (left > 0)
    await write(
      shownPeople === 0
        ? `\n  ${count(left, "change")}. Use --format json to see everyone.\n`
        : `\n  … and ${count(left, "more person", "more people")}. Use --format json to see everyone.\n`,
    );
  await writeDrift(view, write, options);
  await writeSkipped(view, write, options);
  await write(`\n${totals(view, options)}`);
}

function person(operation: LoggedOperation, layout: Layout): string {
  const { columnsOf, paint, width } = layout;
  const { sign, color } = signs[operation.action];
  const title = wrapped(`${sign} ${operation.action.padEnd(10)} ${printable(operation.userName)}`, layout);
  const mark = operation.status === "held" || operation.status === "failed" ? `[${operation.status}]` : "";
  const reason = printable(operation.reason);
  // The text after the title is on the same line if there is room, else below.
  const after = [paint("dim", reason), ...(mark === "" ? [] : [paint("magenta", mark)])].join(" ");
  const beside = columnsOf(`${title.at(-1)}  ${reason} ${mark}`) <= width;
  const lines = title.map((line) => paint(color, line));
  if (beside) {
    lines[lines.length - 1] += `  ${after}`;
  } else {
    if (mark !== "") lines.push(`    ${paint("magenta", mark)}`);
    lines.push(...indented(reason, 4, layout).map((line) => paint("dim", line)));
  }
  lines.push(...changeLines(operation.changes, layout));
  if (operation.error !== null) {
    lines.push(...indented(printable(operation.error), 4, layout).map((line) => paint("red", line)));
  }
  return `${lines.join("\n")}\n`;
}

async function writeDrift(view: PlanView, write: Write, options: TableOptions): Promise<void> {
  const { paint, limit } = options;
  let number = 0;
  for await (const operation of view.drift()) {
    if (number === 0) await write(`\n${paint("bold", "Drift: changed by hand in Lattice")}\n`);
    number += 1;
    if (number > limit) continue;
    const treatment = operation.status === "reported" ? "only reported" : "to be corrected";
    await writeLine(
      `${printable(operation.userName)}  ${driftText(operation)} [${treatment}]`,
      write,
      options,
    );
  }
  if (number > limit) await write(`  … and ${number - limit} more\n`);
}

async function writeSkipped(view: PlanView, write: Write, options: TableOptions): Promise<void> {
  const { paint, limit } = options;
  let number = 0;
  for await (const skipped of view.skipped()) {
    if (number === 0) await write(`\n${paint("bold", "Skipped")}\n`);
    number += 1;
    if (number > limit) continue;
    const name = printable(skipped.userName || skipped.objectId);
    await writeLine(`${name}  ${printable(skipped.reason)}`, write, options);
  }
  if (number > limit) {
    await write(
      limit === 0
        ? `  ${count(number, "person is", "people are")} skipped; see why with sync --dry-run.\n`
        : `  … and ${number - limit} more\n`,
    );
  }
}

async function writeLine(text: string, write: Write, layout: Layout): Promise<void> {
  const [first = "", ...more] = indented(text, 2, layout);
  await write(`${[first, ...more.map((line) => `  ${line}`)].join("\n")}\n`);
}

function totals(view: PlanView, layout: Layout): string {
  const { header, result, dryRun, flags = "" } = view;
  const { paint } = layout;
  const { summary, guard } = header;
  const parts = [
    `${summary.create} to create`,
    `${summary.link} to link`,
    `${summary.update} to update`,
    `${summary.reactivate} to reactivate`,
    `${summary.deactivate} to deactivate`,
  ];
  const out = summary.outOfScope === undefined ? "" : `, ${summary.outOfScope} out of scope or deleted`;
  const due = actionOrder.some((action) => summary[action] > 0) ? parts.join(", ") : "nothing to do";
  const plan = `Plan: ${due}; ${summary.unchanged} unchanged, ${summary.skipped} skipped${out}.`;
  const lines = [...wrapped(plan, layout)];
  lines[0] = lines[0]?.replace("Plan:", paint("bold", "Plan:")) ?? "";
  const sent = sentText(view);
  if (sent !== null) {
    const [first = "", ...more] = wrapped(`Sent: ${sent}.`, layout);
    lines.push(first.replace("Sent:", paint("bold", "Sent:")), ...more);
  }
  for (const sentence of header.notes) {
    lines.push(...wrapped(`Note: ${printable(sentence)}`, layout).map((line) => paint("magenta", line)));
  }
  if (guard.held) {
    lines.push(paint(["bold", "magenta"], "Held by the guard:"));
    for (const reason of guard.reasons) lines.push(...indented(printable(reason), 2, layout));
    // If Entra's answer is not trusted, the guard may hold a plan without operations: there is nothing to release.
    const next = dryRun
      ? "A sync holds the changes marked [held], and sends everything else."
      : result !== null && result.held > 0
        ? `Changes marked [held] wait for your decision; everything else was sent. To release them: ${commandLine(`release ${header.planId}${flags}`)}`
        : null;
    if (next !== null) lines.push(...indented(next, 2, layout));
  }
  const notes = guard.notes ?? [];
  if (notes.length > 0) lines.push(paint("bold", "What this costs in Lattice:"));
  for (const note of notes) lines.push(...indented(printable(note), 2, layout));
  return `${lines.join("\n")}\n`;
}
