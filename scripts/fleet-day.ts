import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import {
  freePort,
  initialise,
  networkSettings,
  password,
  programsFor,
  startServer,
  userForServer,
} from "../test/state/postgres/programs.ts";
import { bundle } from "./bundle.ts";
import { optionsOf } from "./options.ts";

// A day of many jobs on one worker, with a real PostgreSQL server and the program as it is shipped. Time is not waited for: when all jobs have
// had a cycle, all that the state knows of the schedule is set back by the interval, so that all are due at the same time. That is harder than
// a real day, whose cycles are spread over the interval. Each round must last less than the interval.

const values = optionsOf({
  about:
    "Plays a day of many jobs on one worker, with a real PostgreSQL server and the program as it is shipped.",
  options: {
    jobs: { type: "string", default: "500", about: "jobs" },
    people: { type: "string", default: "200", about: "people of each job" },
    rounds: {
      type: "string",
      default: "32",
      about: "rounds after the first run; 32 are a day at 45 minutes",
    },
    changes: { type: "string", default: "2", about: "people of each job who change between two rounds" },
    scrape: { type: "string", default: "30", about: "seconds between two reads of /metrics" },
    memory: { type: "string", default: "400", about: "most megabytes of the worker" },
    profile: { type: "boolean", default: false, about: "lets the worker write a profile" },
  },
});
const [jobs, people, rounds, changes] = [values.jobs, values.people, values.rounds, values.changes].map(
  Number,
);
const intervalMs = 45 * 60_000;
const schema = "azure_lattice_sync";
const token = "a-token-for-reading-metrics";

const folder = mkdtempSync(join(tmpdir(), "als-day-"));
chmodSync(folder, 0o755);
const say = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);
const children: ChildProcess[] = [];
const faults: string[] = [];

/** The resources that a process has used so far: seconds of processor time, megabytes now and at most. */
function usageOf(pid: number): { readonly cpu: number; readonly now: number; readonly most: number } {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13).map(Number);
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (key: string): number =>
    Math.round(Number(new RegExp(`${key}:\\s*(\\d+)`).exec(status)?.[1]) / 1_024);
  return { cpu: ((user ?? 0) + (system ?? 0)) / 100, now: megabytes("VmRSS"), most: megabytes("VmHWM") };
}

interface Daemon {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly startMs: number;
}

async function startDaemon(program: string, file: string): Promise<Daemon> {
  const startedAt = performance.now();
  const options = values.profile ? ["--cpu-prof", `--cpu-prof-dir=${process.cwd()}`] : [];
  const child = spawn(
    process.execPath,
    [...options, join(program, "dist/start.cjs"), "daemon", "--config", file],
    {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: join(folder, "compiled") },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  children.push(child);
  let log = "";
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the daemon ended with ${code}: ${log.slice(-2_000)}`)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (/"level":(50|"error")/.test(line)) say(line.slice(0, 500));
      log = (log + text).slice(-20_000);
      const url = /"http":"(?<url>[^"]+)"/.exec(log)?.groups?.url;
      if (url === undefined || child.pid === undefined) return;
      resolve({ child, pid: child.pid, url, startMs: Math.round(performance.now() - startedAt) });
    });
  });
}

try {
  const root = join(import.meta.dirname, "..");
  const program = join(root, "node_modules/.cache", `als-day-${process.pid}`);
  await bundle(join(program, "dist"));
  copyFileSync(join(root, "package.json"), join(program, "package.json"));
  for (const part of ["config", "src"]) symlinkSync(join(root, part), join(program, part));
  const as = userForServer();
  const native = programsFor(as, folder);
  const data = initialise(native, folder, as);
  const port = await freePort();
  const server = startServer({ native, data, as }, port, networkSettings);
  children.push(server.process);
  await server.ready;
  const databaseUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

  const ends = fork(join(import.meta.dirname, "fleet-ends.ts"), [JSON.stringify({ people, jobs })]);
  children.push(ends);
  const [{ entra, ports }] = (await once(ends, "message")) as [{ entra: object; ports: number[] }];
  const change = async (count: number): Promise<number> => {
    const answer = once(ends, "message");
    ends.send({ change: count });
    const [{ writes }] = (await answer) as [{ writes: number }];
    return writes;
  };
  const file = join(folder, "config.yaml");
  const configuration = {
    entra,
    state: { url: databaseUrl },
    schedule: { every: "45m" },
    // The same few people get another title in each round: in a day, more than the guard lets pass.
    guard: { maxReplacementPercent: 100 },
    http: { listen: "127.0.0.1:0", token },
    log: { level: "info", format: "json" },
    jobs: Object.fromEntries(
      ports.map((at, number) => [
        `company-${String(number).padStart(3, "0")}`,
        {
          lattice: {
            url: `http://127.0.0.1:${at}/scim/v2`,
            token: `key-of-company-${number}`,
            maxRequestsPerSecond: null,
          },
        },
      ]),
    ),
  };
  writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });

  const admin = new pg.Client({ connectionString: databaseUrl, options: `-c search_path=${schema}` });
  await admin.connect();
  const query = async (text: string): Promise<Record<string, number>> => (await admin.query(text)).rows[0];
  const cyclesDone = async (since: number): Promise<{ ended: number; good: number; last: number }> => {
    const row = await query(
      `SELECT count(*)::int AS ended, count(*) FILTER (WHERE outcome = 'done')::int AS good, coalesce(max(started_at), 0)::float8 AS last
       FROM cycle WHERE started_at >= ${since} AND finished_at IS NOT NULL`,
    );
    return row as { ended: number; good: number; last: number };
  };
  const allRun = async (daemon: Daemon, what: string): Promise<void> => {
    const since = Date.now() - 1;
    const before = usageOf(daemon.pid);
    const startedAt = performance.now();
    for (;;) {
      await sleep(500);
      const { ended, good, last } = await cyclesDone(since);
      if (ended < (jobs ?? 0)) {
        if (performance.now() - startedAt < intervalMs) continue;
        faults.push(`${what}: ${ended} of ${jobs} jobs had a cycle within 45 minutes`);
        return;
      }
      const usage = usageOf(daemon.pid);
      const { count } = await query(
        "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name LIKE 'azure-lattice-sync%'",
      );
      if (good !== ended) faults.push(`${what}: ${ended - good} cycles did not end well`);
      say(
        `${what}: ${ended} cycles in ${Math.round((performance.now() - startedAt) / 1_000)} s, the last began after ${Math.round((last - since) / 1_000)} s; ${Math.round((1_000 * (usage.cpu - before.cpu)) / ended)} ms of processor time each; ${usage.now} MB, at most ${usage.most} MB; ${count} connections`,
      );
      if (usage.most > Number(values.memory)) faults.push(`${what}: the worker had ${usage.most} MB`);
      return;
    }
  };
  const first = await startDaemon(program, file);
  say(`the daemon started in ${first.startMs} ms, ${usageOf(first.pid).now} MB`);
  await allRun(first, "first run");
  first.child.removeAllListeners("exit");
  const ended = once(first.child, "exit");
  first.child.kill("SIGTERM");
  await ended;

  const daemon = await startDaemon(program, file);
  say(`the daemon started again in ${daemon.startMs} ms, ${usageOf(daemon.pid).now} MB`);
  const timer = setInterval(() => {
    fetch(`${daemon.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
      .then((answer) => answer.text())
      .catch((error: unknown) => faults.push(`/metrics: ${String(error)}`));
  }, Number(values.scrape) * 1_000);
  for (let round = 1; round <= (rounds ?? 0); round += 1) {
    const before = await change(changes ?? 0);
    await admin.query(
      `BEGIN;
       UPDATE turn SET started_at = started_at - ${intervalMs}, ended_at = ended_at - ${intervalMs}, again_at = again_at - ${intervalMs};
       UPDATE cycle SET started_at = started_at - ${intervalMs}, finished_at = finished_at - ${intervalMs};
       UPDATE meta SET value = (value::bigint - ${intervalMs})::text WHERE key = 'reconciledAt';
       COMMIT`,
    );
    await allRun(daemon, `round ${round}`);
    const writes = (await change(0)) - before;
    say(`round ${round}: ${writes} writes`);
    const wanted = (changes ?? 0) * (jobs ?? 0);
    if (writes !== wanted) faults.push(`round ${round}: ${writes} writes instead of ${wanted}`);
  }
  clearInterval(timer);
  daemon.child.removeAllListeners("exit");
  const stopped = once(daemon.child, "exit");
  daemon.child.kill("SIGTERM");
  await stopped;
  await admin.end();
  rmSync(program, { recursive: true, force: true });
  for (const fault of faults) say(fault);
  say(faults.length === 0 ? "all on time" : `${faults.length} faults`);
  if (faults.length > 0) process.exitCode = 1;
} finally {
  for (const child of children.reverse()) {
    child.removeAllListeners("exit");
    child.kill(child.spawnfile.includes("postgres") ? "SIGINT" : "SIGTERM");
  }
  await sleep(1_000);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
