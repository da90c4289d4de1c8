import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { createRandom, type Random } from "../../src/sandbox/random.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { compareEverybody } from "../e2e/expectation.ts";
import { editAtRandom } from "./edits.ts";
import { type Front, type Passing, startFront } from "./front.ts";
import { accountFaults, writeFault } from "./invariants.ts";

/** The events that happen to the daemons of a fleet. */
export interface Fire {
  /** The command line: arguments of Node. */
  readonly program: string;
  /** Of a database of its own. */
  readonly databaseUrl: string;
  /** Restarts the server of the database; resolves when it answers again. */
  readonly restart?: (() => Promise<void>) | undefined;
  readonly seed: number;
  readonly jobs: number;
  readonly workers: number;
  readonly people: number;
  readonly kills: number;
  readonly stops: number;
  readonly restarts: number;
  /** Pause between two events, milliseconds at most. */
  readonly pauseMs: number;
  /** Longest time for which a worker is stopped, milliseconds. */
  readonly longestStopMs: number;
  readonly note: (text: string) => void;
}

/** The outcome of a `Fire`. `faults`: promises that were broken; empty if all is well. */
export interface AfterFire {
  readonly faults: readonly string[];
  readonly kills: number;
  readonly stops: number;
  readonly restarts: number;
  /** Writes that reached Lattice, and how many of them were compared with the lease. */
  readonly writes: number;
  readonly compared: number;
  /** The longest time between two starts of a job's cycle, milliseconds. */
  readonly longestGapMs: number;
}

const intervalMs = 60_000;
const longestLookMs = 1_000;
const token = "one-token-for-all-replicas";
const schema = "azure_lattice_sync";

interface Company {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly front: Front;
  readonly everybody: Set<string>;
}

interface Worker {
  readonly number: number;
  child: ChildProcess;
  url: string;
  log: string;
  stopped: boolean;
}

/**
 * Lets workers share jobs while they are killed and stopped at random, the database is restarted, and the directories change. In the end
 * each job must be equal to its directory.
 */
export async function underFire(fire: Fire): Promise<AfterFire> {
  await using stack = new AsyncDisposableStack();
  const random = createRandom(fire.seed, "fire");
  const folder = mkdtempSync(join(tmpdir(), "als-fire-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const companies: Company[] = [];
  for (let number = 1; number <= fire.jobs; number += 1) {
    const sandbox = stack.adopt(
      await startSandbox({ file: ":memory:", people: fire.people, seed: fire.seed * 1_000 + number }),
      (one) => one.close(),
    );
    const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
    const everybody = new Set([...sandbox.directory.users()].map(({ id }) => id));
    companies.push({ name: `job-${String(number).padStart(2, "0")}`, sandbox, front, everybody });
  }
  const admin = stack.adopt(
    new pg.Pool({ connectionString: fire.databaseUrl, options: `-c search_path=${schema}`, max: 4 }),
    (pool) => pool.end(),
  );
  admin.on("error", () => {});
  const workers: Worker[] = [];
  stack.defer(async () => {
    for (const { child } of workers) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await sleep(200);
  });
  const file = join(folder, "config.yaml");
  writeFileSync(file, JSON.stringify(configurationOf(companies, fire)), { mode: 0o600 });

  const faults: string[] = [];
  const blame = (fault: string): void => {
    faults.push(fault);
    fire.note(fault);
  };
  const counts = { kills: 0, stops: 0, restarts: 0, writes: 0, compared: 0 };
  for (const company of companies) {
    company.front.before = async (request) => {
      if (request.method === "GET") return undefined;
      counts.writes += 1;
      const wrong = writeFault(company.sandbox, request);
      if (wrong !== undefined)
        blame(
          `${company.name}: ${wrong} by ${senderOf(request, Number(new URL(company.front.origin).port), workers)}`,
        );
      const to = Number(new URL(company.front.origin).port);
      const pid = senderOf(request, to, workers);
      await sleep(random.int(20));
      if (pid === undefined) return undefined;
      // A request that is kept for longer looks lost, and is sent again: a database that does not answer must not keep it.
      const holder = await Promise.race([holderOf(admin, company.name), sleep(longestLookMs, undefined)]);
      if (holder === undefined || senderOf(request, to, workers) !== pid) return undefined;
      counts.compared += 1;
      if (holder.pid !== pid) {
        blame(
          `${company.name}: process ${pid} writes, and ${holder.pid ?? "nobody"} has the lease (term ${holder.term}): ${request.method} ${request.body.slice(0, 200)}`,
        );
      }
      return undefined;
    };
  }

  for (let number = 1; number <= fire.workers; number += 1) {
    const worker = start(number, fire.program, file, folder);
    workers.push(worker);
    await ready(worker);
  }
  const watch = watchTurns(admin);
  const until = fire.kills + fire.stops + fire.restarts;
  let edits = 0;
  for (let event = 0; event < until; ) {
    await sleep(random.int(fire.pauseMs));
    const left = [
      ["kill", fire.kills - counts.kills],
      ["stop", fire.stops - counts.stops],
      ["restart", fire.restarts - counts.restarts],
    ] as const;
    const what = pickOf(random, left);
    edits += 1;
    edit(companies, random, edits);
    if (what === "restart") {
      fire.note("the database is restarted");
      await fire.restart?.();
      counts.restarts += 1;
    } else {
      const worker = random.pick(workers);
      // A worker that is being stopped stays as it is.
      if (worker.stopped) continue;
      fire.note(`${what} of worker ${worker.number}, process ${worker.child.pid}`);
      if (what === "kill") {
        worker.child.kill("SIGKILL");
        const next = start(worker.number, fire.program, file, folder);
        Object.assign(worker, { child: next.child, url: "", log: "" });
        follow(worker);
        counts.kills += 1;
      } else {
        void stopFor(worker, 500 + random.int(fire.longestStopMs));
        counts.stops += 1;
      }
    }
    event += 1;
    if (event % 20 === 0)
      fire.note(`${event} of ${until} events, ${counts.writes} writes, ${faults.length} faults`);
  }
  for (const worker of workers) worker.child.kill("SIGCONT");
  await Promise.all(workers.map(ready));
  const longestGapMs = await watch.end();
  if (longestGapMs > 2 * intervalMs)
    faults.push(`a job was not run for ${Math.round(longestGapMs / 1000)} s`);
  faults.push(...(await settle(companies, workers, admin, fire.note)));
  return { ...counts, faults: [...new Set(faults)], longestGapMs };
}

function configurationOf(companies: readonly Company[], fire: Fire): object {
  const jobs = companies.map(({ name, sandbox, front }) => [
    name,
    {
      entra: {
        tenantId: sandbox.tenantId,
        clientId: sandbox.clientId,
        clientSecret: sandbox.clientSecret,
        authorityHost: sandbox.authorityHost,
        graphUrl: sandbox.graphUrl,
        scope: { mode: "all" },
      },
      lattice: {
        url: `${front.origin}/scim/v2`,
        token: sandbox.latticeToken,
        maxRequestsPerSecond: null,
        maxConcurrency: 4,
        timeout: "2s",
      },
    },
  ]);
  return {
    schedule: { every: "1m" },
    guard: { enabled: false },
    state: { url: fire.databaseUrl },
    http: { listen: "127.0.0.1:0", token },
    log: { level: "info", format: "json" },
    workers: { lease: "6s", maxJobsAtOnce: Math.max(2, Math.ceil(fire.jobs / fire.workers)) },
    jobs: Object.fromEntries(jobs),
  };
}

function start(number: number, program: string, file: string, folder: string): Worker {
  const child = spawn(process.execPath, [program, "daemon", "--config", file], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: join(folder, "compiled") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const worker: Worker = { number, child, url: "", log: "", stopped: false };
  follow(worker);
  return worker;
}

function follow(worker: Worker): void {
  const { child } = worker;
  child.stderr?.removeAllListeners("data");
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (worker.child !== child) return;
    worker.log = (worker.log + text).slice(-20_000);
    worker.url = /"http":"(?<url>[^"]+)"/.exec(worker.log)?.groups?.url ?? worker.url;
  });
}

async function ready(worker: Worker): Promise<void> {
  for (let waitedMs = 0; worker.url === ""; waitedMs += 50) {
    if (worker.child.exitCode !== null)
      throw new Error(`worker ${worker.number} ended: ${worker.log.slice(-2_000)}`);
    if (waitedMs > 60_000)
      throw new Error(`worker ${worker.number} does not start: ${worker.log.slice(-2_000)}`);
    await sleep(50);
  }
}

async function stopFor(worker: Worker, ms: number): Promise<void> {
  const { child } = worker;
  worker.stopped = true;
  child.kill("SIGSTOP");
  await sleep(ms);
  child.kill("SIGCONT");
  worker.stopped = false;
}

function pickOf<What extends string>(random: Random, left: readonly (readonly [What, number])[]): What {
  const all = left.flatMap(([what, times]) => Array.from({ length: Math.max(0, times) }, () => what));
  return random.pick(all);
}

function edit(companies: readonly Company[], random: Random, number: number): void {
  const { sandbox, everybody, name } = random.pick(companies);
  editAtRandom(sandbox, random, everybody, { mark: `${name}x${number}`, count: 3 });
}

/** The process that has the connection; `undefined` if it is none of the workers, or gone. */
function senderOf({ from }: Passing, to: number, workers: readonly Worker[]): number | undefined {
  const inode = inodeOf(from, to);
  if (inode === undefined) return undefined;
  for (const { child } of workers) {
    const { pid } = child;
    if (pid === undefined) continue;
    try {
      const files = `/proc/${pid}/fd`;
      if (readdirSync(files).some((file) => linkOf(join(files, file)) === `socket:[${inode}]`)) return pid;
    } catch {
      // It has ended.
    }
  }
  return undefined;
}

/** The socket of a connection on loopback. Its own port alone does not tell: it can have several connections, to different ports. */
function inodeOf(from: number | undefined, to: number): string | undefined {
  const address = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const [own, other] = [address(from ?? 0), address(to)];
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === own && fields[2] === other) return fields[9];
  }
  return undefined;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** The holder of the lease of a job; `undefined` if the database does not say. */
async function holderOf(
  admin: pg.Pool,
  job: string,
): Promise<{ readonly pid: number | null; readonly term: string } | undefined> {
  try {
    const { rows } = await admin.query<{ owner: string | null; term: string }>(
      "SELECT l.owner, l.term FROM lease l JOIN job j ON j.id = l.job WHERE j.name = $1",
      [job],
    );
    const [row] = rows;
    return row === undefined
      ? undefined
      : { pid: row.owner === null ? null : Number(row.owner.split("/")[1]), term: row.term };
  } catch {
    return undefined;
  }
}

/** Watches how often the schedule starts each job. */
function watchTurns(admin: pg.Pool): { end(): Promise<number> } {
  const starts = new Map<number, number>();
  let longest = 0;
  let over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      try {
        const { rows } = await admin.query<{ job: number; at: string }>(
          "SELECT job, started_at AS at FROM turn",
        );
        for (const { job, at } of rows) {
          const before = starts.get(job);
          if (before !== undefined) longest = Math.max(longest, Number(at) - before);
          starts.set(job, Number(at));
        }
      } catch {
        // It is being restarted.
      }
      await sleep(1_000);
    }
  };
  const looking = look();
  return {
    end: async () => {
      over = true;
      await looking;
      return longest;
    },
  };
}

/** Has each job run until it is equal to its directory. @returns what is not */
async function settle(
  companies: readonly Company[],
  workers: readonly Worker[],
  admin: pg.Pool,
  note: (text: string) => void,
): Promise<readonly string[]> {
  let faults: readonly string[] = [];
  for (let round = 1; round <= 4; round += 1) {
    // A person who failed because a worker died is on the retry schedule.
    await admin.query("UPDATE retry SET next_try_at = 0");
    await Promise.all(
      companies.map(({ name }, index) => runNow(name, workers[index % workers.length]?.url ?? "")),
    );
    faults = (await Promise.all(companies.map((company) => compare(company, admin)))).flat();
    note(`settled ${round}: ${faults.length} differences`);
    if (faults.length === 0 && round > 1) break;
  }
  return faults;
}

async function runNow(job: string, url: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const deadline = performance.now() + 120_000;
  const ask = async (): Promise<string> => {
    for (;;) {
      const answer = await fetch(`${url}/api/jobs/${job}/cycles`, { method: "POST", headers, body: "{}" });
      if (answer.status === 202) return ((await answer.json()) as { readonly work: string }).work;
      if (performance.now() > deadline)
        throw new Error(`${job} cannot be run: ${answer.status} ${await answer.text()}`);
      await sleep(250);
    }
  };
  const work = await ask();
  for (;;) {
    const answer = await fetch(`${url}/api/jobs/${job}/works/${work}`, { headers });
    const { finishedAt } = (await answer.json()) as { readonly finishedAt: string | null };
    if (finishedAt !== null) return;
    if (performance.now() > deadline) throw new Error(`${job} does not end`);
    await sleep(100);
  }
}

async function compare({ name, sandbox, everybody }: Company, admin: pg.Pool): Promise<readonly string[]> {
  const { rows } = await admin.query<{ id: string }>(
    "SELECT s.object_id AS id FROM source_user s JOIN job j ON j.id = s.job WHERE j.name = $1 AND s.skip_code <> 'disabled'",
    [name],
  );
  const { differences } = compareEverybody(sandbox, new Set(rows.map(({ id }) => id)));
  const gone = [...everybody].filter((id) => sandbox.directory.get(id)?.softDeleted !== false);
  const active = gone.filter((id) => sandbox.lattice.byExternalId(id)?.active === true);
  return [
    ...differences,
    ...accountFaults(sandbox),
    ...active.map((id) => `${id} has left and is still active`),
  ].map((fault) => `${name}: ${fault}`);
}
