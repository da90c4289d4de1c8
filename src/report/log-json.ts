import { decisionDocument } from "../domain/decision.ts";
import type { LogEntry } from "../domain/log.ts";
import { iso } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { evidenceDocument } from "./evidence.ts";
import type { Write } from "./view.ts";

/** Minor versions add, major versions break, as in a plan. */
const formatVersion = "1.0";

/** Writes entries of the provisioning log as JSON, one line each. */
export async function writeLogJson(entries: AsyncIterable<LogEntry>, write: Write): Promise<void> {
  await write(`{\n  "formatVersion": "${formatVersion}",\n  "entries": [`);
  let separator = "\n    ";
  for await (const entry of entries) {
    await write(separator + jsonText(entryDocument(entry)));
    separator = ",\n    ";
  }
  await write(separator.startsWith(",") ? "\n  ]\n}\n" : "]\n}\n");
}

/** An entry in its public form: times in ISO 8601. */
function entryDocument(entry: LogEntry): object {
  return {
    id: entry.id,
    at: iso(entry.at),
    cycleId: entry.cycleId,
    planId: entry.planId,
    cycle: entry.cycle,
    action: entry.action,
    outcome: entry.status,
    objectId: entry.objectId,
    userName: entry.userName,
    latticeId: entry.latticeId,
    reason: entry.reason,
    ...(entry.evidence === null ? {} : { evidence: evidenceDocument(entry.evidence) }),
    ...(entry.adopts ? { adopts: true } : {}),
    ...(entry.drift === undefined ? {} : { drift: entry.drift }),
    ...(entry.error === null ? {} : { error: entry.error }),
    httpStatus: entry.httpStatus,
    requestId: entry.requestId,
    startedAt: iso(entry.startedAt),
    finishedAt: iso(entry.finishedAt),
    durationMs: entry.durationMs,
    attempt: entry.attempt,
    changes: entry.changes,
    ...(entry.decision === undefined ? {} : { decision: decisionDocument(entry.decision) }),
  };
}
