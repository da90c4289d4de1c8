import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobView } from "../../src/daemon/http/daemon-view.ts";
import { startHttp } from "../../src/daemon/http/server.ts";
import { createWorks } from "../../src/daemon/works.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { openDatabase } from "../../src/state/sqlite/files/database.ts";
import { openReader } from "../../src/state/sqlite/reader.ts";
import { type Bench, type BenchOptions, type Finding, grouped, median } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";

const people = 300;
const requestsPerSecond = 1_000;
/** Bytes of the first view, uncompressed. */
const mostBytes = 150_000;

export const bench: Bench = {
  about:
    "what the dashboard's first view weighs, how long its views take with a large log, and what 1,000 requests a second to /healthz and /metrics cost a first cycle at Lattice's default pace; where daemon, ends and this process share few cores, they take time from each other",
  inCI: false,
  async *measure({ small, upTo, note }) {
    const folder = mkdtempSync(join(tmpdir(), "als-bench-"));
    try {
      yield* views(folder, Math.min(small ? 100_000 : 1_000_000, upTo), note);
      yield await load(folder, small ? 1 : 3, note);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function* views(folder: string, rows: number, note: BenchOptions["note"]): AsyncGenerator<Finding> {
  const path = join(folder, "log.db");
  const everyRow = fill(path, rows);
  const reader = openReader(path);
  const scheduler = { nextCronAt: () => null, intervalMs: () => 45 * 60_000 };
  const view: JobView = {
    name: "default",
    reader,
    glance: reader,
    schedule: () => ({ kind: "every", everyMs: 45 * 60_000, timezone: "UTC" }),
    scheduler,
    nextLookAt: () => null,
    waitsFor: () => null,
    standsAside: () => null,
    looksEveryMs: () => null,
    works: createWorks(Date.now),
    now: Date.now,
    startCycle: async () => "busy",
    startDryRun: async () => "busy",
    startRelease: async () => "busy",
    startRevert: async () => "busy",
    concealed: () => [],
    pause: () => Promise.reject(new Error("not measured")),
    resume: () => Promise.reject(new Error("not measured")),
    protect: () => Promise.reject(new Error("not measured")),
    accounts: () => Promise.reject(new Error("not measured")),
    unprotect: () => Promise.reject(new Error("not measured")),
    decideLink: () => Promise.reject(new Error("not measured")),
    newConfiguration: () => null,
    explain: () => Promise.reject(new Error("not asked for here")),
  };
  const job = { name: view.name, view, fault: null };
  const server = await startHttp(
    { host: "127.0.0.1", port: 0 },
    { trustedProxies: [], hosts: [] },
    {
      version: "bench",
      jobs: { named: false, all: () => [job], find: (name) => (name === job.name ? job : undefined) },
      metrics: createMetrics("bench"),
      now: Date.now,
      log: { error: () => {}, warn: () => {}, info: () => {} },
    },
  );
  try {
    const html = await (await fetch(server.url)).text();
    const folderOf = /\/assets\/[\w-]+/.exec(html)?.[0] ?? "";
    const modules = [
      "app",
      "api",
      "dom",
      "words",
      "watch",
      "connection",
      "header",
      "patch",
      "pager",
      "decide",
      "operation-row",
      "plan-choose",
      "left-alone",
      "now-state",
      "person-scope",
      "person-mapping",
      "view-dry-run",
      "view-rejected",
      "work-card",
      "view-now",
      "view-log",
      "view-plan",
      "view-people",
      "view-person",
      "view-sign-in",
      "view-trends",
      "chart",
    ];
    const files = [
      "/",
      `${folderOf}/style.css`,
      `${folderOf}/icon.svg`,
      ...modules.map((name) => `${folderOf}/${name}.js`),
    ];
    const first = [...files, "/api/session", "/api/now"];
    let bytes = 0;
    for (const file of first)
      bytes += (
        await (await fetch(server.url + file, { headers: { "accept-encoding": "identity" } })).arrayBuffer()
      ).byteLength;
    yield {
      what: "first view, uncompressed",
      measured: `${(bytes / 1_000).toFixed(1)} kB`,
      reference: `${mostBytes / 1_000} kB allowed`,
      ratio: bytes / mostBytes,
      wanted: { atMost: 1 },
      figures: { requests: first.length, bytes },
    };
    let slowest: readonly [string, number] = ["", 0];
    for (const asked of [
      "/",
      "/api/now",
      "/api/log",
      "/api/log?outcome=failed",
      "/api/log?text=person77",
      "/api/days",
      "/metrics",
    ]) {
      const took: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        const before = performance.now();
        await (await fetch(server.url + asked)).text();
        took.push(performance.now() - before);
      }
      const ms = median(took);
      note(`${asked}: first ${(took[0] ?? 0).toFixed(1)} ms, median ${ms.toFixed(1)} ms`);
      if (ms > slowest[1]) slowest = [asked, ms];
    }
    yield {
      what: "slowest view",
      measured: `${slowest[1].toFixed(1)} ms (${slowest[0]})`,
      reference: `every one of ${grouped(rows)} rows ${everyRow.toFixed(0)} ms`,
      ratio: slowest[1] / everyRow,
      wanted: { atMost: 0.1 },
      figures: { rows },
    };
  } finally {
    await server.close();
    await reader.close();
  }
}

/** A first cycle alone and one under load, this many times each. */
async function load(folder: string, pairs: number, note: BenchOptions["note"]): Promise<Finding> {
  const alone: number[] = [];
  const pressed: number[] = [];
  const rates: number[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    alone.push((await firstCycle(folder, `alone-${pair}`, false)).durationMs);
    const loaded = await firstCycle(folder, `loaded-${pair}`, true);
    pressed.push(loaded.durationMs);
    rates.push(loaded.answered / (loaded.durationMs / 1_000));
    note(`pair ${pair}: ${alone.at(-1)} ms alone, ${loaded.durationMs} ms under load`);
  }
  return {
    what: `first cycle of ${people} people under load : alone`,
    measured: `${grouped(median(pressed))} ms at ${grouped(median(rates))}/s`,
    reference: `alone ${grouped(median(alone))} ms`,
    ratio: median(pressed) / median(alone),
    wanted: { atMost: 1.05 },
    figures: { people, pairs, requestsPerSecond: median(rates) },
  };
}

/** The first cycle of a new daemon with new ends. */
async function firstCycle(
  folder: string,
  name: string,
  pressed: boolean,
): Promise<{ durationMs: number; answered: number }> {
  using ends = await startEnds({ people });
  const { entra, lattice } = ends.configuration;
  const config = join(folder, `${name}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({
      entra,
      lattice: { ...lattice, token: "bench" },
      guard: { enabled: false },
      state: { path: join(folder, `${name}.db`) },
      http: { listen: "127.0.0.1:0", local: "open" },
      log: { level: "info", format: "json" },
    }),
  );
  const program = join(import.meta.dirname, "../../src/cli.ts");
  const daemon = spawn(process.execPath, [program, "daemon", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      daemon.stderr.on("data", (chunk) => {
        const found = /"http":"(?<url>[^"]+)"/.exec(String(chunk))?.groups?.url;
        if (found !== undefined) resolve(found);
      });
    });
    let answered = 0;
    const stop = pressed
      ? press(url, () => {
          answered += 1;
        })
      : null;
    const durationMs = await ended(url, () => {
      answered = 0;
    });
    const counted = answered;
    await stop?.();
    return { durationMs, answered: counted };
  } finally {
    daemon.kill("SIGTERM");
  }
}

/** The duration of the first cycle, once it has ended. */
async function ended(url: string, onStart: () => void): Promise<number> {
  for (let started = false; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const answer = await fetch(`${url}/api/works`);
    const { works } = (await answer.json()) as { works: { startedAt: string; finishedAt: string | null }[] };
    const [work] = works;
    if (work === undefined) continue;
    if (!started) onStart();
    started = true;
    if (work.finishedAt !== null) return Date.parse(work.finishedAt) - Date.parse(work.startedAt);
  }
}

/** Sends requests at an even pace, whether they are answered or not. */
function press(url: string, onAnswer: () => void): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const perTick = requestsPerSecond / 100;
  let sent = 0;
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 10) * perTick);
    for (; sent < due; sent += 1) {
      get(`${url}/${sent % 2 === 0 ? "healthz" : "metrics"}`, { agent }, (answer) => {
        answer.resume();
        answer.once("end", onAnswer);
      }).on("error", () => {});
    }
  }, 10);
  return async () => {
    clearInterval(timer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    agent.destroy();
  };
}

/** @returns milliseconds in which every row is read once */
function fill(path: string, rows: number): number {
  const db = openDatabase(path);
  db.pragma("synchronous = OFF");
  const cycles = 2_880;
  const each = Math.ceil(rows / cycles);
  const start = Date.now() - cycles * 45 * 60_000;
  db.exec(`
    INSERT INTO cycle (id, plan_id, kind, started_at, finished_at, outcome, summary, guard, outcomes)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${cycles})
      SELECT i, 'plan-' || i, 'incremental', ${start} + i * 2700000, ${start} + i * 2700000 + 60000, 'done',
        '{"create":0,"update":${each},"deactivate":0,"reactivate":0,"link":0,"unchanged":20000,"skipped":0}',
        '{"held":false,"reasons":[]}', '[{"action":"update","outcome":"done","count":${each}}]' FROM n;
    INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, adopts, status, at, started_at, finished_at)
      WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})
      SELECT 1 + i / ${each}, 'object-' || (i % 20000), 'person' || (i % 20000) || '@example.com', 'lattice-' || (i % 20000), 'update',
        'title changed', 0, iif(i % 100 = 0, 'failed', 'done'),
        ${start} + (1 + i / ${each}) * 2700000, ${start} + (1 + i / ${each}) * 2700000, ${start} + (1 + i / ${each}) * 2700000 + 500 FROM n;
    INSERT INTO operation_changes
      SELECT id, '[{"attribute":"title","before":"Analyst","after":"Senior Analyst"}]' FROM operation;
    ANALYZE;`);
  const startedAt = performance.now();
  for (const _row of db.prepare("SELECT * FROM operation JOIN operation_changes USING (id)").iterate());
  const everyRow = performance.now() - startedAt;
  db.close();
  return everyRow;
}
