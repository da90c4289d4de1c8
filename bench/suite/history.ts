import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { history } from "../../src/commands/history.ts";
import type { LogQuery } from "../../src/domain/store.ts";
import { openDatabase } from "../../src/state/database.ts";
import { storeOn } from "../../src/state/sqlite-store.ts";

// How long each filter of the provisioning log takes, page by page, beside a reference: reading every row once.

const rows = Number(process.argv[3] ?? 1_000_000);
const people = 20_000;
const cycles = 3_000;
const start = Date.UTC(2026, 0, 1);
const intervalMs = 45 * 60_000;
const end = start + cycles * intervalMs;

const folder = mkdtempSync(join(tmpdir(), "als-bench-"));
const path = join(folder, "state.db");
const db = openDatabase(path);
fill();
const store = storeOn(db, path);

const day = 86_400_000;
const queries: { readonly [name: string]: Partial<LogQuery> } = {
  newest: {},
  "a page from the middle": { before: rows / 2 },
  "person by object id": { person: objectId(77) },
  "person by user name": { person: "PERSON.77@example.com" },
  "nobody of that name": { person: "nobody@example.com" },
  "frequent action": { actions: ["update"] },
  "rare action": { actions: ["reactivate"] },
  "rare outcome": { outcomes: ["failed"] },
  "outcome of no entry": { outcomes: ["sending"] },
  "since a week": { since: end - 7 * day },
  "until the first week": { until: start + 7 * day },
  "a day in the middle": { since: start + 40 * day, until: start + 41 * day },
  "since the beginning": { since: start },
  "one cycle": { cycleId: cycles / 2 },
  "text of everybody": { text: "example.com" },
  "text of some": { text: "person.77" },
  "text of nobody": { text: "nowhere" },
  "failed creates of a week": { actions: ["create"], outcomes: ["failed"], since: end - 7 * day },
  "rare action, a person": { actions: ["reactivate"], person: objectId(77) },
};

try {
  process.stdout.write(
    `${rows.toLocaleString("en")} rows, pages of 50, milliseconds: the first time, and the best of five\n`,
  );
  for (const [name, query] of Object.entries(queries)) {
    await measure(name, async () => (await store.history({ limit: 50, ...query })).length);
  }
  await measure("daily counts of 30 days", async () => (await store.dailyCounts(end - 30 * day)).length);
  await measure("daily counts of everything", async () => (await store.dailyCounts(0)).length);
  await exportAll();
  await measure("reference: every row", async () => {
    let read = 0;
    for (const _row of db.prepare("SELECT * FROM operation").iterate()) read += 1;
    return read;
  });
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

async function measure(name: string, work: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round < 5; round += 1) {
    const startedAt = performance.now();
    found = await work();
    times.push(performance.now() - startedAt);
  }
  const [first] = times;
  process.stdout.write(
    `${name.padEnd(28)} ${(first ?? 0).toFixed(1).padStart(8)} ${Math.min(...times)
      .toFixed(1)
      .padStart(8)}   ${found} found\n`,
  );
}

/** The command itself, beside the open database, with what memory grows by meanwhile. */
async function exportAll(): Promise<void> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 50);
  const startedAt = performance.now();
  const out = join(folder, "log.csv");
  await history(
    { all: true, limit: 50, format: "csv", out },
    {
      env: { ALS_STATE: path },
      cwd: folder,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      signal: new AbortController().signal,
    },
  );
  clearInterval(watch);
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stdout.write(
    `everything as CSV: ${seconds.toFixed(1)} s, ${Math.round(statSync(out).size / 1e6)} MB, memory grew by ${Math.round((most - before) / 1e6)} MB\n`,
  );
}

function objectId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

function fill(): void {
  const cycle = db.prepare(
    "INSERT INTO cycle (id, plan_id, kind, started_at, finished_at, outcome) VALUES (?, ?, 'incremental', ?, ?, 'done')",
  );
  const operation = db.prepare(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, changes, adopts, status, at, started_at, finished_at)
     VALUES (?, ?, ?, ?, ?, 'title changed', ?, 0, ?, ?, ?, ?)`,
  );
  const changes = JSON.stringify([
    { attribute: "title", before: "Analyst", after: "Senior Analyst" },
    { attribute: "name.familyName", before: "Example", after: "Example-Sample" },
  ]);
  db.transaction(() => {
    for (let id = 1; id <= cycles; id += 1) {
      const at = start + id * intervalMs;
      cycle.run(id, `plan-${id}`, at, at + 60_000);
    }
    for (let index = 0; index < rows; index += 1) {
      const cycleId = 1 + Math.floor((index * cycles) / rows);
      const person = (index * 7919) % people;
      const action = index % 50_000 === 0 ? "reactivate" : index % 10 === 0 ? "create" : "update";
      const at = start + cycleId * intervalMs + (index % 60_000);
      const status = index % 5_000 === 3 ? "failed" : "done";
      operation.run(
        cycleId,
        objectId(person),
        `person.${person}@example.com`,
        `lattice-${person}`,
        action,
        changes,
        status,
        at,
        at - 200,
        at,
      );
    }
  })();
}
