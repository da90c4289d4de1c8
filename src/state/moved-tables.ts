import type { Json } from "../domain/json.ts";

// The state of a job as rows, for moving it between stores. A row has the columns that both stores have in common; what a store derives
// from them (counts, copies of a value to find rows by) it makes again. The lease does not move.

/** `flag`: true or false. `object`: JSON, `null` if it is empty. */
type ColumnKind = "text" | "number" | "flag" | "json" | "object";

/** A table that both stores have, without the columns that one of them derives. */
export interface MovedTable {
  readonly name: string;
  /** The kind of each column, by its name in both stores. */
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** The columns by whose order its rows move. */
  readonly order: string;
}

/** A row by the names of its columns; JSON taken apart. */
export type MovedRow = Readonly<Record<string, Json>>;

/** The newest id that was given to each kind of rows, also if that row is gone: the next ones follow on it. */
export interface NewestIds {
  readonly cycle: number;
  readonly operation: number;
  readonly decision: number;
  readonly failure: number;
}

/** The content of a state that moves, in numbers. */
export interface MovedContent {
  readonly people: number;
  readonly linked: number;
  readonly cycles: number;
  readonly operations: number;
  /** Operations that the guard holds. */
  readonly held: number;
  /** Start of the last cycle, milliseconds since the epoch; `null` if none ran. */
  readonly lastCycleAt: number | null;
}

/** Rows of `meta` that are a file's own. `logNewestIds` holds the `NewestIds` of the job that was written to the file. */
export const fileNotes = { checkedAt: "checkedAt", newestIds: "logNewestIds" } as const;

/** Tables in the order in which they can be written: those that others refer to first. */
export const movedTables: readonly MovedTable[] = [
  { name: "meta", order: "key", columns: { key: "text", value: "text" } },
  {
    name: "cycle",
    order: "id",
    columns: {
      id: "number",
      plan_id: "text",
      kind: "text",
      started_at: "number",
      finished_at: "number",
      outcome: "text",
      error: "text",
      summary: "json",
      guard: "json",
      notes: "json",
      outcomes: "json",
    },
  },
  {
    name: "source_user",
    order: "object_id",
    columns: {
      object_id: "text",
      attributes: "json",
      manager_id: "text",
      presence: "text",
      unshown: "json",
      user_name_key: "text",
      external_id_key: "text",
      always_in_scope: "flag",
      read_in: "number",
      pending: "flag",
      reference_pending: "number",
      account_removed: "flag",
      skip_code: "text",
      skip_reason: "text",
      look_again_at: "number",
    },
  },
  { name: "scope_member", order: "object_id", columns: { object_id: "text" } },
  {
    name: "filter_group_member",
    order: "object_id, group_name",
    columns: { object_id: "text", group_name: "text" },
  },
  {
    name: "target_user",
    // In the order in which people are planned.
    order: "object_id, lattice_id",
    columns: {
      lattice_id: "text",
      object_id: "text",
      user_name: "text",
      user_name_key: "text",
      external_id: "text",
      active: "flag",
      active_known: "flag",
      manager: "text",
      attributes: "json",
      acknowledged: "object",
      drifted: "object",
      read_in: "number",
      read_again: "json",
      missing_since: "number",
    },
  },
  {
    name: "lost_link",
    order: "lattice_id",
    columns: {
      lattice_id: "text",
      object_id: "text",
      external_id: "text",
      user_name: "text",
      missing_since: "number",
      dissolved_at: "number",
      reason: "text",
    },
  },
  {
    name: "decision",
    order: "id",
    columns: { id: "number", plan_id: "text", at: "number", actor: "json", reason: "text" },
  },
  {
    name: "decided_person",
    order: "object_id, decision_id, what",
    columns: { object_id: "text", decision_id: "number", what: "text" },
  },
  {
    name: "released_change",
    order: "object_id, attribute",
    columns: {
      object_id: "text",
      attribute: "text",
      fingerprint: "text",
      plan_id: "text",
      released_at: "number",
    },
  },
  {
    name: "rejected_change",
    order: "object_id, attribute, fingerprint",
    columns: {
      object_id: "text",
      attribute: "text",
      fingerprint: "text",
      evidence: "text",
      plan_id: "text",
      rejected_at: "number",
      decision_id: "number",
    },
  },
  {
    name: "protected_account",
    order: "lattice_id",
    columns: { lattice_id: "text", user_name: "text", actor: "json", reason: "text", at: "number" },
  },
  { name: "nobodys_account", order: "lattice_id", columns: { lattice_id: "text" } },
  {
    name: "link_decision",
    order: "object_id, lattice_id",
    columns: {
      object_id: "text",
      lattice_id: "text",
      what: "text",
      user_name: "text",
      actor: "json",
      reason: "text",
      at: "number",
    },
  },
  {
    name: "operation",
    order: "id",
    columns: {
      id: "number",
      cycle_id: "number",
      object_id: "text",
      user_name: "text",
      lattice_id: "text",
      action: "text",
      reason: "text",
      evidence: "json",
      changes: "json",
      weights: "text",
      adopts: "flag",
      manager_object_id: "text",
      drift: "text",
      doubtful: "text",
      former_owner: "text",
      wave: "number",
      status: "text",
      held_since: "number",
      attempt: "number",
      at: "number",
      started_at: "number",
      finished_at: "number",
      http_status: "number",
      request_id: "text",
      error: "text",
    },
  },
  {
    name: "intent",
    order: "object_id",
    columns: {
      object_id: "text",
      operation_id: "number",
      action: "text",
      user_name: "text",
      lattice_id: "text",
      started_at: "number",
    },
  },
  {
    name: "retry",
    order: "object_id",
    columns: {
      object_id: "text",
      attempts: "number",
      first_failed_at: "number",
      last_failed_at: "number",
      next_try_at: "number",
      code: "text",
      message: "text",
      paths: "json",
    },
  },
  {
    name: "leaving_event",
    order: "object_id, event",
    columns: { object_id: "text", event: "text", since: "number" },
  },
  {
    name: "event",
    // The order in which they were kept, by which those of one moment are sent. It is not a column of both stores.
    order: "",
    columns: { id: "text", once: "text", at: "number", data: "json", addressed: "flag" },
  },
  {
    name: "delivery",
    order: "receiver, event_id",
    columns: {
      event_id: "text",
      receiver: "text",
      attempts: "number",
      next_try_at: "number",
      claimed_until: "number",
    },
  },
  {
    name: "failure_change",
    order: "id",
    columns: {
      id: "number",
      object_id: "text",
      change: "text",
      since: "number",
      code: "text",
      message: "text",
    },
  },
];
