import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { underFire } from "../test/process/fleet-under-fire.ts";
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

// Lets daemons share jobs while they are killed and stopped, and their database is restarted. Promises that were broken are printed.

const values = optionsOf({
  about: "Lets daemons share jobs while they are killed and stopped, and their database is restarted.",
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 31), about: "the events follow from it" },
    jobs: { type: "string", default: "20", about: "jobs" },
    workers: { type: "string", default: "4", about: "daemons" },
    people: { type: "string", default: "40", about: "people of each job" },
    kills: { type: "string", default: "200", about: "daemons that are killed" },
    stops: { type: "string", default: "50", about: "daemons that are stopped" },
    restarts: { type: "string", default: "10", about: "restarts of the database" },
    pause: { type: "string", default: "4000", about: "milliseconds between two events, at most" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "als-fleet-"));
chmodSync(folder, 0o755);
let server: ChildProcess | undefined;
const say = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);
try {
  const root = join(import.meta.dirname, "..");
  const program = join(root, "node_modules/.cache", `als-fleet-${process.pid}`);
  await bundle(join(program, "dist"));
  copyFileSync(join(root, "package.json"), join(program, "package.json"));
  for (const part of ["config", "src"]) symlinkSync(join(root, part), join(program, part));
  const as = userForServer();
  const native = programsFor(as, folder);
  const data = initialise(native, folder, as);
  const port = await freePort();
  const start = async (): Promise<void> => {
    const settings = { ...networkSettings, max_connections: "300" };
    const started = startServer({ native, data, as }, port, settings);
    server = started.process;
    await started.ready;
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = server === undefined ? undefined : once(server, "exit");
    server?.kill(signal);
    await ended;
  };
  await start();
  const seed = Number(values.seed);
  say(`seed ${seed}`);
  const startedAt = performance.now();
  let restarts = 0;
  const after = await underFire({
    program: join(program, "dist/start.cjs"),
    databaseUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    restart: async () => {
      restarts += 1;
      // In turn an orderly end, and one as after a loss of power.
      await stop(restarts % 2 === 0 ? "SIGQUIT" : "SIGINT");
      await start();
    },
    seed,
    jobs: Number(values.jobs),
    workers: Number(values.workers),
    people: Number(values.people),
    kills: Number(values.kills),
    stops: Number(values.stops),
    restarts: Number(values.restarts),
    pauseMs: Number(values.pause),
    longestStopMs: 20_000,
    note: say,
  }).finally(async () => {
    await stop("SIGQUIT");
    rmSync(program, { recursive: true, force: true });
  });
  const { faults, ...counts } = after;
  say(`${JSON.stringify(counts)} in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  for (const fault of faults) say(fault);
  say(
    faults.length === 0 ? "no promise was broken" : `${faults.length} promises were broken (--seed ${seed})`,
  );
  if (faults.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
