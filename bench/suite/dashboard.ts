import { fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHttp } from "../../src/daemon/http/server.ts";
import { createMetrics } from "../../src/daemon/metrics.ts";
import { createWorks } from "../../src/daemon/works.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { openDatabase } from "../../src/state/database.ts";
import { openReader } from "../../src/state/reader.ts";

// What the dashboard's views weigh and how long they take with a large log; and what a thousand requests a second to
// /healthz and /metrics cost a cycle at Lattice's default pace, beside the same cycle without them. The sandbox runs in a
// process of its own; where daemon, sandbox and this process share few cores, they take time from each other.

const rows = 1_000_000;
const people = 300;
const pairs = 2;
const requestsPerSecond = 1_000;
const folder = mkdtempSync(join(tmpdir(), "als-bench-"));

if (process.argv[2] === "sandbox") {
  const { tenantId, clientId, clientSecret, authorityHost, graphUrl, latticeUrl, latticeToken } =
    await startSandbox({ file: ":memory:", people, requestLogSize: 0 });
  process.send?.({ tenantId, clientId, clientSecret, authorityHost, graphUrl, latticeUrl, latticeToken });
} else {
  try {
    await views();
    await load();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function views(): Promise<void> {
  const path = join(folder, "log.db");
  fill(path);
  const reader = openReader(path);
  const busy = { busy: false, nextCronAt: () => null, intervalMs: () => 45 * 60_000 };
  const server = await startHttp(
    { host: "127.0.0.1", port: 0 },
    { trustedProxies: [] },
    {
      version: "bench",
      reader,
      schedule: { kind: "every", everyMs: 45 * 60_000, timezone: "UTC" },
      scheduler: busy,
      works: createWorks(Date.now),
      metrics: createMetrics("bench"),
      now: Date.now,
      startCycle: () => "busy",
      startDryRun: () => "busy",
      startRelease: async () => "busy",
      explain: () => Promise.reject(new Error("not asked for here")),
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
      "work-card",
      "view-now",
      "view-log",
      "view-plan",
      "view-person",
      "view-sign-in",
      "view-trends",
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
    say(`first view: ${first.length} requests, ${(bytes / 1000).toFixed(1)} kB uncompressed (limit 150)`);
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
      const [cold = 0] = took;
      say(`${asked.padEnd(28)} first ${cold.toFixed(1)} ms, median ${median(took).toFixed(1)} ms`);
    }
  } finally {
    await server.close();
    await reader.close();
  }
}

async function load(): Promise<void> {
  const quiet: number[] = [];
  const busy: number[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const alone = await firstCycle(`alone-${pair}`, false);
    const loaded = await firstCycle(`loaded-${pair}`, true);
    quiet.push(alone.durationMs);
    busy.push(loaded.durationMs);
    const rate = Math.round(loaded.answered / (loaded.durationMs / 1000));
    say(`  pair ${pair}: ${alone.durationMs} ms alone, ${loaded.durationMs} ms at ${rate} requests a second`);
  }
  const [alone, pressed] = [median(quiet), median(busy)];
  say(
    `a first cycle of ${people} people: ${alone} ms alone, ${pressed} ms under load: ${((pressed / alone - 1) * 100).toFixed(1)} % (limit 5)`,
  );
}

/** The first cycle of a new daemon on a new sandbox. */
async function firstCycle(name: string, pressed: boolean): Promise<{ durationMs: number; answered: number }> {
  const sandbox = fork(import.meta.filename, ["sandbox"]);
  const ends = await new Promise<{ [key: string]: string }>((resolve) =>
    sandbox.once("message", (message) => resolve(message as { [key: string]: string })),
  );
  const { tenantId, clientId, clientSecret, authorityHost, graphUrl, latticeUrl, latticeToken } = ends;
  const config = join(folder, `${name}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({
      entra: { tenantId, clientId, clientSecret, authorityHost, graphUrl, scope: { mode: "all" } },
      lattice: { url: latticeUrl, token: latticeToken },
      guard: { enabled: false },
      state: { path: join(folder, `${name}.db`) },
      http: { listen: "127.0.0.1:0" },
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
    sandbox.kill("SIGKILL");
  }
}

/** How long the first cycle took, once it has ended. */
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

function fill(path: string): void {
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
    INSERT INTO operation (cycle_id, object_id, user_name, lattice_id, action, reason, changes, adopts, status, at, started_at, finished_at)
      WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})
      SELECT 1 + i / ${each}, 'object-' || (i % 20000), 'person' || (i % 20000) || '@example.com', 'lattice-' || (i % 20000), 'update',
        'title changed', '[{"attribute":"title","before":"Analyst","after":"Senior Analyst"}]', 0, iif(i % 100 = 0, 'failed', 'done'),
        ${start} + (1 + i / ${each}) * 2700000, ${start} + (1 + i / ${each}) * 2700000, ${start} + (1 + i / ${each}) * 2700000 + 500 FROM n;
    ANALYZE;`);
  db.close();
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
