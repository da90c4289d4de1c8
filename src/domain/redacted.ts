import type { Json } from "./json.ts";
import type { Change, Operation } from "./plan.ts";

/** The operation without the values that are for Lattice only. */
export function withoutRedacted<T extends Pick<Operation, "changes">>(operation: T): T {
  if (!operation.changes.some((change) => change.redacted === true)) return operation;
  return { ...operation, changes: operation.changes.map(hidden) };
}

function hidden(change: Change): Change {
  if (change.redacted !== true) return change;
  const hide = (value: Json): Json => (value === null ? null : "[Redact]");
  return { ...change, before: hide(change.before), after: hide(change.after) };
}
