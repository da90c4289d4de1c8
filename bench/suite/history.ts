import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Database } from "better-sqlite3";
import { history } from "../../src/commands/history.ts";
import type { LogQuery } from "../../src/domain/log.ts";
import { openDatabase } from "../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../src/state/sqlite/store.ts";
import { type Bench, type Finding, grouped } from "../bench.ts";

const people = 20_000;
const cycles = 3_000;
const start = Date.UTC(2026, 0, 1);
const intervalMs = 45 * 60_000;
const end = start + cycles * intervalMs;
const day = 86_400_000;

/** Each filter of the log alone, and some together. */
function queriesOf(rows: number): { readonly [name: string]: Partial<LogQuery> } {
  return {
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
    "failed creates of a week": { actions: ["create"], outcomes: ["failed"], since: end - 7 * day },
    "rare action, a person": { actions: ["reactivate"], person: objectId(77) },
  };
}

/** A text is looked for in everybody's names, which takes the same time however long the log is: a line of its own. */
const texts = ["example.com", "person.77", "nowhere"];

export const bench: Bench = {
  about:
    "pages of 50 of the provisioning log, its daily counts and its export, against reading every row once",
  inCI: true,
  async *measure({ small, upTo, note }) {
    const rows = Math.min(small ? 100_000 : 1_000_000, upTo);
    const folder = mkdtempSync(join(tmpdir(), "als-bench-"));
    const path = join(folder, "state.db");
    const db = openDatabase(path);
    const store = storeOn(db, path);
    try {
      fill(db, rows);
      const everyRow = await best(async () => {
        for (const _row of db.prepare("SELECT * FROM operation JOIN operation_changes USING (id)").iterate());
      });
      const against = (what: string, ms: number, wanted: number, which = ""): Finding => ({
        what,
        measured: `${ms.toFixed(1)} ms${which === "" ? "" : ` (${which})`}`,
        reference: `every one of ${grouped(rows)} rows ${everyRow.toFixed(0)} ms`,
        ratio: ms / everyRow,
        wanted: { atMost: wanted },
        figures: { rows, ms, everyRowMs: everyRow },
      });
      const pageOf = (query: Partial<LogQuery>) => best(() => store.history({ limit: 50, ...query }));
      const slowest = async (queries: readonly (readonly [string, Partial<LogQuery>])[]) => {
        let most: readonly [string, number] = ["", 0];
        for (const [name, query] of queries) {
          const ms = await pageOf(query);
          note(`${name}: ${ms.toFixed(1)} ms`);
          if (ms > most[1]) most = [name, ms];
        }
        return most;
      };
      const [name, ms] = await slowest(Object.entries(queriesOf(rows)));
      yield against(`slowest page of ${Object.keys(queriesOf(rows)).length} filters`, ms, 0.1, name);
      const [text, textMs] = await slowest(texts.map((value) => [value, { text: value }]));
      yield against("slowest page with a text", textMs, 0.4, text);
      yield against("daily counts of 30 days", await best(() => store.dailyCounts(end - 30 * day)), 0.2);
      const exported = await exportAll(folder, path);
      yield { ...against("everything as CSV", exported.ms, 10), figures: { rows, ...exported } };
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  },
};

/** Milliseconds of the best of five. */
async function best(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round += 1) {
    const startedAt = performance.now();
    await work();
    least = Math.min(least, performance.now() - startedAt);
  }
  return least;
}

/** The command itself, next to the open database, with the growth of memory during it. */
async function exportAll(folder: string, path: string) {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 50);
  const startedAt = performance.now();
  const out = join(folder, "log.csv");
  const quiet = new PassThrough().resume();
  await history(
    { all: true, limit: 50, format: "csv", out },
    {
      env: { ALS_STATE: path },
      cwd: folder,
      stdin: process.stdin,
      stdout: quiet,
      stderr: quiet,
      signal: new AbortController().signal,
    },
  );
  clearInterval(watch);
  return {
    ms: performance.now() - startedAt,
    megabytes: statSync(out).size / 1e6,
    grewByMegabytes: (most - before) / 1e6,
  };
}

function objectId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

function fill(db: Database, rows: number): void {
  const cycle = db.prepare(
    "INSERT INTO cycle (id, plan_id, kind, started_at, finished_at, outcome) VALUES (?, ?, 'incremental', ?, ?, 'done')",
  );
  const operation = db.prepare(
    `INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, adopts, status, at, started_at, finished_at)
     VALUES (?, ?, ?, ?, ?, 'title changed', 0, ?, ?, ?, ?)`,
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
        status,
        at,
        at - 200,
        at,
      );
    }
    db.prepare("INSERT INTO operation_changes SELECT id, ? FROM operation").run(changes);
  })();
}
