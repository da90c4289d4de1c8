import { actorText } from "../domain/actor.ts";
import type { Json } from "../domain/json.ts";
import type { LogEntry } from "../domain/log.ts";
import type { Change } from "../domain/plan.ts";
import { type Cell, csvField } from "./csv-field.ts";
import type { Write } from "./view.ts";
import { printable } from "./words.ts";

interface Column<Of extends readonly unknown[]> {
  readonly name: string;
  readonly of: (...of: Of) => Cell;
}

const beforeChange: readonly Column<[LogEntry]>[] = [
  { name: "at", of: (entry) => new Date(entry.at).toISOString() },
  { name: "id", of: (entry) => entry.id },
  { name: "cycleId", of: (entry) => entry.cycleId },
  { name: "planId", of: (entry) => entry.planId },
  { name: "cycle", of: (entry) => entry.cycle },
  { name: "action", of: (entry) => entry.action },
  { name: "outcome", of: (entry) => entry.status },
  { name: "objectId", of: (entry) => entry.objectId },
  { name: "userName", of: (entry) => entry.userName },
  { name: "latticeId", of: (entry) => entry.latticeId },
  { name: "reason", of: (entry) => entry.reason },
  { name: "evidence", of: (entry) => entry.evidence?.kind ?? null },
  { name: "drift", of: (entry) => entry.drift ?? null },
];
const ofChange: readonly Column<[Change | null]>[] = [
  { name: "attribute", of: (change) => change?.attribute ?? null },
  { name: "before", of: (change) => value(change?.before ?? null) },
  { name: "after", of: (change) => value(change?.after ?? null) },
];
const afterChange: readonly Column<[LogEntry]>[] = [
  { name: "httpStatus", of: (entry) => entry.httpStatus },
  { name: "requestId", of: (entry) => entry.requestId },
  { name: "durationMs", of: (entry) => entry.durationMs },
  { name: "attempt", of: (entry) => entry.attempt },
  { name: "error", of: (entry) => entry.error },
  { name: "decision", of: (entry) => entry.decision?.what ?? null },
  { name: "decidedBy", of: (entry) => (entry.decision === undefined ? null : actorText(entry.decision.by)) },
  { name: "decisionReason", of: (entry) => entry.decision?.reason ?? null },
];

/**
 * Writes entries of the provisioning log as CSV (RFC 4180, with a header), one row for each changed attribute; one row for
 * an entry without any. A text that a spreadsheet would treat as a formula gets an apostrophe before it, also after a
 * character at which spreadsheets of other languages split a cell.
 * @param toTerminal control characters are made visible: a terminal would act on them
 */
export async function writeLogCsv(
  entries: AsyncIterable<LogEntry>,
  write: Write,
  toTerminal: boolean,
): Promise<void> {
  const text = <Of extends readonly unknown[]>(columns: readonly Column<Of>[], ...of: Of): string =>
    columns
      .map((column) => column.of(...of))
      .map((cell) => csvField(typeof cell === "string" && toTerminal ? printable(cell) : cell))
      .join(",");
  const names = [...beforeChange, ...ofChange, ...afterChange].map(({ name }) => name);
  await write(`${names.join(",")}\r\n`);
  for await (const entry of entries) {
    const changes = entry.changes.length === 0 ? [null] : entry.changes;
    const [before, after] = [text(beforeChange, entry), text(afterChange, entry)];
    await write(changes.map((change) => `${before},${text(ofChange, change)},${after}\r\n`).join(""));
  }
}

function value(json: Json): Cell {
  return json === null || typeof json === "string" || typeof json === "number" ? json : JSON.stringify(json);
}
