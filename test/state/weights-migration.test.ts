import { readdirSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { weightsOf } from "../../src/cycle/weights.ts";
import type { Operation } from "../../src/domain/plan.ts";

const folder = new URL("../../src/state/migrations/", import.meta.url);
const files = readdirSync(folder).sort();
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

it("a database of an earlier version goes on counting what the guard counted, and has its first run behind it", () => {
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

it("a database in which nobody is linked has its first run before it", () => {
  const db = new Database(":memory:");
  apply(db, files.slice(0, own + 1));
  expect(db.prepare("SELECT count(*) FROM meta").pluck().get()).toBe(0);
  db.close();
});
