import type { ChildProcess } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  freePort,
  initialise,
  networkSettings,
  password,
  programsFor,
  startServer,
  testSettings,
  userForServer,
} from "./programs.ts";

// A PostgreSQL server for as long as another process runs: node keeper.ts FOLDER PID [durable]. All that it makes is in the folder, which goes
// when the process has ended, however it ends, or when this one is asked to end.

const [folder = "", pid = "", kind = ""] = process.argv.slice(2);
const watched = Number(pid);
let server: ChildProcess | undefined;

function end(): void {
  server?.removeAllListeners("exit");
  server?.kill("SIGQUIT");
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit();
  };
  if (server === undefined || server.exitCode !== null) remove();
  else server.once("exit", remove);
}

function isRunning(): boolean {
  try {
    return process.kill(watched, 0);
  } catch {
    return false;
  }
}

/** @param file appears at once, with all of its content */
function publish(file: string, content: string): void {
  writeFileSync(join(folder, `${file}.new`), content);
  renameSync(join(folder, `${file}.new`), join(folder, file));
}

process.on("SIGTERM", end);
publish("keeper", String(process.pid));
setInterval(() => {
  if (!isRunning()) end();
}, 200);
try {
  const as = userForServer();
  const native = programsFor(as, folder);
  const data = initialise(native, folder, as);
  const port = await freePort();
  const settings = { ...(kind === "durable" ? networkSettings : testSettings), max_connections: "200" };
  const started = startServer({ native, data, as }, port, settings);
  server = started.process;
  await started.ready;
  publish("url", `postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
} catch (error) {
  publish("fault", String(error));
  setTimeout(end, 5_000);
}
