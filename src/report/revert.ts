import type { RevertedPerson, RevertReport } from "../cycle/revert-report.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import { count } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { changeLines } from "./change-lines.ts";
import { indented, type Layout } from "./terminal.ts";
import type { Write } from "./view.ts";
import { printable } from "./words.ts";

/** Minor versions add, major versions break, as in a plan. */
const formatVersion = "1.0";

/** Writes what a revert would do as one JSON document. */
export async function writeRevertJson(report: RevertReport, write: Write): Promise<void> {
  const { cycleId, planId, changedSince, cannot } = report;
  const reverts = report.reverts.map(({ changes, ...person }) => ({
    ...person,
    changes: shownChanges(changes),
  }));
  const document = { formatVersion, dryRun: true, cycleId, planId, reverts, changedSince, cannot };
  await write(`${jsonText(document)}\n`);
}

/** Writes what a revert would do for people to read: three lists. */
export async function writeRevertTable(report: RevertReport, write: Write, layout: Layout): Promise<void> {
  const { cycleId, planId, reverts, changedSince, cannot } = report;
  await write(`Dry run of the revert of cycle ${cycleId} (plan ${printable(planId)}): nothing was written\n`);
  await write(heading("Would be taken back", reverts.length, layout));
  for (const { changes, ...person } of reverts) {
    await write(lines([nameOf(person), ...changeLines(shownChanges(changes), layout)]));
  }
  for (const [title, list] of [
    ["Changed since, and left", changedSince],
    ["Cannot be undone", cannot],
  ] as const) {
    if (list.length > 0) await write(heading(title, list.length, layout));
    for (const { what, ...person } of list) {
      const reasons = what.flatMap(({ attribute, reason }) =>
        indented(printable(`${shortPath(attribute)}: ${reason}`), 4, layout),
      );
      await write(lines([nameOf(person), ...reasons]));
    }
  }
}

type Changes = RevertReport["reverts"][number]["changes"];

function shownChanges(changes: Changes): Changes {
  return withoutRedacted({ changes }).changes;
}

function heading(title: string, people: number, { paint }: Layout): string {
  return `\n${paint("bold", `${title}: ${count(people, "person", "people")}`)}\n`;
}

function nameOf({ userName }: RevertedPerson): string {
  return `  ${printable(userName)}`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
