import type { Json } from "./json.ts";
import type { Change, Operation } from "./plan.ts";

/** The operation without the values that are for Lattice only, and without what only the engine needs. */
export function withoutRedacted<T extends Pick<Operation, "changes">>(operation: T): T {
  const { changes } = operation;
  if (!changes.some(({ redacted, rejects }) => redacted === true || rejects !== undefined)) return operation;
  return { ...operation, changes: changes.map(hidden) };
}

function hidden({ rejects: _, ...change }: Change): Change {
  if (change.redacted !== true) return change;
  const hide = (value: Json): Json => (value === null ? null : "[Redact]");
  return { ...change, before: hide(change.before), after: hide(change.after) };
}
