import { readdirSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { rejectedChanges, rejectionOf } from "../../../../src/cycle/operations/fingerprint.ts";
import { weightsOf } from "../../../../src/cycle/operations/weights.ts";
import type { Operation } from "../../../../src/domain/plan.ts";

const folder = new URL("../../../../src/state/sqlite/migrations/", import.meta.url);
const files = readdirSync(folder)
  .filter((name) => /^\d/.test(name))
  .sort();
const own = files.findIndex((name) => name.endsWith("-weights.sql"));

function apply(db: Database.Database, names: readonly string[]): void {
  for (const name of names) db.exec(readFileSync(new URL(name, folder), "utf8"));
}

const base = { objectId: "a", userName: "a@example.com", latticeId: "l", reason: "", adopts: false };
const operations: readonly Operation[] = [
  {
    ...base,
    action: "deactivate",
    evidence: { kind: "leftScope", detail: "gone" },
    changes: [
      { attribute: "active", before: true, after: false },
      { attribute: "title", before: "Lead", after: null },
    ],
  },
  {
    ...base,
    action: "update",
    evidence: null,
    changes: [
      { attribute: "userName", before: "a@example.com", after: "b@example.com" },
      { attribute: "title", before: "Lead", after: null, released: true },
    ],
  },
  {
    ...base,
    action: "update",
    evidence: null,
    changes: [{ attribute: "title", before: null, after: "Lead" }],
  },
];

it("a database of an earlier version keeps the guard's counts, and its first run counts as ended", () => {
  const db = new Database(":memory:");
  apply(db, files.slice(0, own));
  const now = Date.now();
  db.prepare(
    "INSERT INTO cycle (id, plan_id, kind, started_at, finished_at, outcome) VALUES (1, 'p', 'initial', ?, ?, 'done')",
  ).run(now, now);
  db.exec(
    `INSERT INTO target_user (lattice_id, object_id, user_name, user_name_key, active, attributes, siblings, acknowledged, read_in)
     VALUES ('l', 'a', 'a@example.com', 'a@example.com', 1, '{}', '{}', '{}', 1)`,
  );
  const insert = db.prepare(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, adopts, status, finished_at, at)
     VALUES (1, 'a', 'a@example.com', 'l', ?, '', ?, ?, 0, 'done', ?, ?)`,
  );
  for (const { action, evidence, changes } of operations) {
    insert.run(
      action,
      evidence === null ? null : JSON.stringify(evidence),
      JSON.stringify(changes),
      now,
      now,
    );
  }
  apply(db, files.slice(own, own + 1));
  const rows = db.prepare<[], string | null>("SELECT weights FROM operation ORDER BY id").pluck().all();
  expect(rows.map((row) => (row === null ? [] : JSON.parse(row)))).toEqual(
    operations.map((operation) => weightsOf(operation, { firstRun: false })),
  );
  expect(db.prepare("SELECT value FROM meta WHERE key = 'establishedAt'").pluck().get()).toBe(String(now));
  db.close();
});

it("a database in which no one is linked still has its first run ahead", () => {
  const db = new Database(":memory:");
  apply(db, files.slice(0, own + 1));
  expect(db.prepare("SELECT count(*) FROM meta").pluck().get()).toBe(0);
  db.close();
});

it("rejections of whole people become rejections of what their plan held, or else of a deactivation with any evidence", () => {
  const db = new Database(":memory:");
  const rejected = files.findIndex((name) => name.endsWith("-rejected-changes.sql"));
  apply(db, files.slice(0, rejected));
  const manager = { attribute: "manager", before: 'o"é@example.com', after: "n@example.com" };
  const held: readonly Operation[] = [
    {
      ...base,
      action: "deactivate",
      evidence: { kind: "filteredOut", detail: 'fails: department EQUALS "Sales"' },
      changes: [
        { attribute: "active", before: true, after: false },
        { attribute: "title", before: "Lead", after: null },
        { ...manager, reference: { beforeId: 'l"1', afterObjectId: "n" } },
        { ...manager, attribute: "cleared", after: null, reference: { beforeId: "l1", afterObjectId: null } },
      ],
    },
  ];
  db.exec("INSERT INTO cycle (id, plan_id, kind, started_at) VALUES (1, 'p', 'incremental', 1)");
  for (const id of ["a", "b"]) {
    db.exec(
      `INSERT INTO source_user (object_id, attributes, presence, read_in) VALUES ('${id}', '{}', 'present', 1);
       INSERT INTO rejection VALUES ('${id}', 'p', 7)`,
    );
  }
  const insert = db.prepare(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, evidence, changes, adopts, status)
     VALUES (1, 'a', 'a@example.com', 'l', ?, '', ?, ?, 0, 'held')`,
  );
  for (const { action, evidence, changes } of held) {
    insert.run(action, JSON.stringify(evidence), JSON.stringify(changes));
  }
  apply(db, files.slice(rejected, rejected + 1));
  const rows = db
    .prepare(
      "SELECT object_id AS objectId, attribute, fingerprint, evidence FROM rejected_change WHERE object_id = 'a'",
    )
    .all();
  const byAttribute = (one: { attribute: string }, other: { attribute: string }) =>
    one.attribute < other.attribute ? -1 : 1;
  expect(rows).toEqual(held.flatMap(rejectedChanges).sort(byAttribute));
  const other = db.prepare("SELECT attribute, fingerprint FROM rejected_change WHERE object_id = 'b'").all();
  expect(other).toEqual([{ attribute: "active", fingerprint: "*" }]);
  const operation = held[0];
  const [active = null] = operation?.changes ?? [];
  if (operation === undefined || active === null) throw new Error("made up above");
  const any = {
    objectId: "a",
    attribute: "active",
    fingerprint: "*",
    evidence: null,
    planId: "p",
    rejectedAt: 7,
  };
  expect(rejectionOf(operation, active, [any])).toBe(any);
  db.close();
});

it("duplicates of held operations are removed, and operations that no plan holds any more are not held", () => {
  const db = new Database(":memory:");
  const since = files.findIndex((name) => name.endsWith("-held-since.sql"));
  apply(db, files.slice(0, since));
  db.exec("INSERT INTO meta VALUES ('heldPlan', 'p3')");
  for (const id of [1, 2, 3]) {
    db.exec(
      `INSERT INTO cycle (id, plan_id, kind, started_at) VALUES (${id}, 'p${id}', 'incremental', ${id})`,
    );
  }
  const insert = db.prepare(
    `INSERT INTO operation (cycle_id, object_id, user_name, action, reason, changes, adopts, status)
     VALUES (?, ?, '', 'update', '', ?, 0, 'held')`,
  );
  for (const [cycle, person, changes] of [
    [1, "a", "[1]"],
    [1, "b", "[1]"],
    [2, "a", "[1]"],
    [2, "c", "[1]"],
    [3, "a", "[1]"],
    [3, "c", "[2]"],
  ]) {
    insert.run(cycle, person, changes);
  }
  apply(db, files.slice(since, since + 1));
  const rows = db.prepare("SELECT cycle_id, object_id, status FROM operation ORDER BY id").raw().all();
  expect(rows).toEqual([
    [1, "b", "cancelled"],
    [2, "c", "cancelled"],
    [3, "a", "held"],
    [3, "c", "held"],
  ]);
  db.close();
});
