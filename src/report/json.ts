import type { LoggedOperation } from "../domain/operation.ts";
import type { Skipped } from "../domain/plan.ts";
import { jsonText } from "../domain/visible.ts";
import { evidenceDocument } from "./evidence.ts";
import type { PlanView, Write } from "./view.ts";
import { driftChanges } from "./words.ts";

/** Minor versions add, major versions break (as Terraform's plan format does). */
const formatVersion = "1.0";

/** Writes a plan as JSON, one line for each operation, without ever holding all of them. */
export async function writeJson(view: PlanView, write: Write): Promise<void> {
  const { header, result } = view;
  const head = {
    formatVersion,
    planId: header.planId,
    cycle: header.cycle,
    createdAt: new Date(header.createdAt).toISOString(),
    dryRun: view.dryRun,
    complete: true,
    summary: header.summary,
    guard: header.guard,
    notes: header.notes,
    ...(result === null ? {} : { result }),
    ...(view.steps === undefined ? {} : { steps: view.steps }),
  };
  await write(`${jsonText(head, 2).slice(0, -2)},\n  "operations": `);
  await writeArray(view.operations(), (operation) => operationDocument(operation, view.dryRun), write);
  await write(`,\n  "skipped": `);
  await writeArray(view.skipped(), skippedDocument, write);
  await write(`,\n  "drift": `);
  await writeArray(view.drift(), driftDocument, write);
  await write("\n}\n");
}

async function writeArray<T>(
  items: AsyncIterable<T>,
  toDocument: (item: T) => object,
  write: Write,
): Promise<void> {
  let separator = "[\n    ";
  for await (const item of items) {
    await write(separator + jsonText(toDocument(item)));
    separator = ",\n    ";
  }
  await write(separator.startsWith("[") ? "[]" : "\n  ]");
}

function operationDocument(operation: LoggedOperation, dryRun: boolean): object {
  return {
    action: operation.action,
    objectId: operation.objectId,
    userName: operation.userName,
    latticeId: operation.latticeId,
    reason: operation.reason,
    ...(operation.evidence === null ? {} : { evidence: evidenceDocument(operation.evidence) }),
    ...(operation.adopts ? { adopts: true } : {}),
    ...(operation.doubtful === undefined ? {} : { doubtful: operation.doubtful }),
    ...(operation.formerOwner === undefined ? {} : { formerOwner: operation.formerOwner }),
    ...(dryRun && operation.status !== "held" ? {} : { status: operation.status }),
    ...(operation.error === null ? {} : { error: operation.error }),
    changes: operation.changes,
  };
}

function driftDocument(operation: LoggedOperation): object {
  return {
    kind: operation.drift,
    treatment: operation.status === "reported" ? "reported" : "corrected",
    objectId: operation.objectId,
    userName: operation.userName,
    latticeId: operation.latticeId,
    changes: driftChanges(operation),
  };
}

function skippedDocument(skipped: Skipped): object {
  const { objectId, userName, code, reason } = skipped;
  return { objectId, userName, code, reason };
}
