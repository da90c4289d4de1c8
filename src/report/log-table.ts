import { decisionDocument, decisionText } from "../domain/decision.ts";
import type { LogEntry } from "../domain/log.ts";
import type { OperationStatus } from "../domain/operation.ts";
import { secondText } from "../domain/sentence.ts";
import { changeLines, signs } from "./change-lines.ts";
import { indented, type Layout } from "./terminal.ts";
import type { Write } from "./view.ts";
import { printable } from "./words.ts";

const outcomeColors: { readonly [S in OperationStatus]?: Parameters<Layout["paint"]>[0] } = {
  failed: "red",
  held: "magenta",
  cancelled: "dim",
  reported: "dim",
};

/** Writes entries of the provisioning log for people to read. */
export async function writeLogTable(
  entries: AsyncIterable<LogEntry>,
  write: Write,
  layout: Layout,
): Promise<void> {
  let separator = "";
  for await (const entry of entries) {
    await write(separator + block(entry, layout));
    separator = "\n";
  }
}

function block(entry: LogEntry, layout: Layout): string {
  const { columnsOf, paint, width } = layout;
  const { sign, color } = signs[entry.action];
  const time = secondText(entry.at);
  const start = [
    paint("dim", time),
    paint(color, `${sign} ${entry.action.padEnd(10)}`),
    paint(outcomeColors[entry.status] ?? "reset", entry.status.padEnd(9)),
  ].join("  ");
  const taken = columnsOf(`${time}  ${sign} ${entry.action.padEnd(10)}  ${entry.status.padEnd(9)}  `);
  const name = printable(entry.userName);
  const reason = printable(entry.reason);
  const nameBeside = taken + columnsOf(name) <= width;
  const reasonBeside = nameBeside && taken + columnsOf(name) + 2 + columnsOf(reason) <= width;
  const lines = [
    `${start}${nameBeside ? `  ${name}` : ""}${reasonBeside ? `  ${paint("dim", reason)}` : ""}`,
    ...(nameBeside ? [] : indented(name, 4, layout)),
    ...(reasonBeside ? [] : indented(reason, 4, layout).map((line) => paint("dim", line))),
    ...changeLines(entry.changes, layout),
  ];
  if (entry.error !== null) {
    lines.push(...indented(printable(entry.error), 4, layout).map((line) => paint("red", line)));
  }
  if (entry.decision !== undefined) {
    lines.push(...indented(printable(decisionText(decisionDocument(entry.decision))), 4, layout));
  }
  lines.push(...indented(circumstances(entry), 4, layout).map((line) => paint("dim", line)));
  return `${lines.join("\n")}\n`;
}

function circumstances(entry: LogEntry): string {
  return [
    `cycle ${entry.cycleId} (${entry.cycle})`,
    ...(entry.httpStatus === null ? [] : [`HTTP ${entry.httpStatus}`]),
    ...(entry.durationMs === null ? [] : [`${entry.durationMs} ms`]),
    ...(entry.attempt > 1 ? [`try ${entry.attempt}`] : []),
    ...(entry.requestId === null ? [] : [`request ${printable(entry.requestId)}`]),
    ...(entry.drift === undefined ? [] : ["drift"]),
  ].join(", ");
}
