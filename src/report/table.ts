import { styleText } from "node:util";
import type { Action } from "../domain/plan.ts";
import type { LoggedOperation } from "../domain/store.ts";
import { shortPath } from "../mapping/target-attributes.ts";
import type { PlanView, Write } from "./view.ts";
import { actionOrder, changeText, count, driftText, headline, printable } from "./words.ts";

export interface TableOptions {
  /** Characters in a line. */
  readonly width: number;
  readonly color: boolean;
  /** People shown in full before the rest is only counted. */
  readonly limit: number;
}

type Color = Parameters<typeof styleText>[0];
type Paint = (color: Color, text: string) => string;

const signs: { readonly [A in Action]: { readonly sign: string; readonly color: Color } } = {
  create: { sign: "+", color: "green" },
  link: { sign: "=", color: "cyan" },
  update: { sign: "~", color: "yellow" },
  reactivate: { sign: "↑", color: "green" },
  deactivate: { sign: "-", color: "red" },
};

/** Writes a plan for a terminal: each person with what changes, then what is left alone, then the totals. */
export async function writeTable(view: PlanView, write: Write, options: TableOptions): Promise<void> {
  const paint: Paint = (color, text) =>
    options.color ? styleText(color, text, { validateStream: false }) : text;
  await write(`${paint("bold", headline(view))}\n`);

  let shownPeople = 0;
  let left = 0;
  for (const action of actionOrder) {
    for await (const operation of view.operations(action)) {
      if (shownPeople >= options.limit) {
        left += 1;
        continue;
      }
      shownPeople += 1;
      await write(`\n${person(operation, paint, options.width)}`);
    }
  }
  if (left > 0)
    await write(`\n  … and ${count(left, "more person", "more people")}; --format json has everybody\n`);
  await writeDrift(view, write, paint, options);
  await writeSkipped(view, write, paint, options);
  await write(`\n${totals(view, paint)}`);
}

function person(operation: LoggedOperation, paint: Paint, width: number): string {
  const { sign, color } = signs[operation.action];
  const mark = operation.status === "held" ? "held" : operation.status === "failed" ? "failed" : "";
  const title = `${sign} ${operation.action.padEnd(10)} ${printable(operation.userName)}`;
  const lines = [
    `${paint(color, title)}  ${paint("dim", printable(operation.reason))}${mark === "" ? "" : ` ${paint("magenta", `[${mark}]`)}`}`,
  ];
  const named = operation.changes.map((change) => ({
    name: shortPath(change.attribute),
    text: changeText(change),
  }));
  const column = Math.min(24, Math.max(0, ...named.map(({ name }) => name.length)));
  for (const { name, text } of named) {
    lines.push(clip(`    ${name.padEnd(column)}  ${text}`, width));
  }
  if (operation.error !== null) lines.push(`    ${paint("red", printable(operation.error))}`);
  return `${lines.join("\n")}\n`;
}

async function writeDrift(view: PlanView, write: Write, paint: Paint, options: TableOptions): Promise<void> {
  let number = 0;
  for await (const operation of view.drift()) {
    if (number === 0) await write(`\n${paint("bold", "Drift: done by hand in Lattice")}\n`);
    number += 1;
    if (number > options.limit) continue;
    const treatment = operation.status === "reported" ? "only reported" : "to be corrected";
    const line = `  ${printable(operation.userName)}  ${driftText(operation)}`;
    await write(`${clip(line, options.width)} ${paint("dim", `[${treatment}]`)}\n`);
  }
  if (number > options.limit) await write(`  … and ${number - options.limit} more\n`);
}

async function writeSkipped(
  view: PlanView,
  write: Write,
  paint: Paint,
  options: TableOptions,
): Promise<void> {
  let number = 0;
  for await (const skipped of view.skipped()) {
    if (number === 0) await write(`\n${paint("bold", "Left alone")}\n`);
    number += 1;
    if (number > options.limit) continue;
    await write(
      `  ${printable(skipped.userName || skipped.objectId)}  ${paint("dim", printable(skipped.reason))}\n`,
    );
  }
  if (number > options.limit) {
    await write(
      options.limit === 0
        ? `  ${count(number, "person", "people")}\n`
        : `  … and ${number - options.limit} more\n`,
    );
  }
}

function totals({ header, result, dryRun }: PlanView, paint: Paint): string {
  const { summary, guard } = header;
  const parts = [
    `${summary.create} to create`,
    `${summary.link} to link`,
    `${summary.update} to update`,
    `${summary.reactivate} to reactivate`,
    `${summary.deactivate} to deactivate`,
  ];
  const lines = [
    `${paint("bold", "Plan:")} ${parts.join(", ")}; ${summary.unchanged} unchanged, ${summary.skipped} left alone.`,
  ];
  if (result !== null) {
    const held = result.held > 0 ? `, ${result.held} held` : "";
    lines.push(`${paint("bold", "Sent:")} ${result.done} done, ${result.failed} failed${held}.`);
  }
  if (guard.held) {
    lines.push(paint(["bold", "magenta"], "Held by the guard:"));
    for (const reason of guard.reasons) lines.push(`  ${reason}`);
    if (dryRun) lines.push("  A sync holds what is marked [held] and sends everything else.");
    // An answer that is not to be trusted holds a plan of nothing.
    if (result !== null && result.held > 0) {
      lines.push(
        `  What is marked [held] waits, everything else was sent. To let it go: azure-lattice-sync release ${header.planId}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function clip(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`;
}
