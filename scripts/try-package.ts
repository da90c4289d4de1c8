import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { exitCode } from "../src/process/io.ts";
import { type Ended, ended, tryPostgres } from "./try-postgres.ts";

// Packs the package, installs it in an empty folder, and runs it there on the oldest Node that is supported, on the newest,
// and on one that is too old. Each Node comes from the package registry. Its state is in a file, and in a real PostgreSQL.

const root = dirname(import.meta.dirname);
const supported = ["22.18.0", "24"];
const tooOld = ["20", "16"];

const folder = mkdtempSync(join(tmpdir(), "als-package-"));
try {
  const packed = join(folder, "packed");
  mkdirSync(packed);
  npm(root, "pack", "--pack-destination", packed);
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  // The package that was built is installed from its file; the registry is not asked, because the name may belong to others there.
  const npx = spawnSync("npx", ["--offline", name, "--version"], { cwd: root, encoding: "utf8" });
  expect(`npx ${name} in the built checkout`, npx.stdout.trim() === version, `${npx.stdout}${npx.stderr}`);
  const place = emptyProject("installed");
  npm(place, "install", "--engine-strict=false", join(packed, `${name}-${version}.tgz`));
  const installed = Object.keys(
    JSON.parse(readFileSync(join(place, "node_modules/.package-lock.json"), "utf8")).packages,
  );
  expect("is installed with what it loads and nothing else", installed.length <= 3, installed.join(" "));
  for (const node of supported) {
    for (const [code, ...args] of [
      [exitCode.done, "--version"],
      [exitCode.done, "config", "schema"],
      [exitCode.done, "sync", "--sandbox", "--people", "30", "--dry-run"],
      [exitCode.done, "sync", "--sandbox"],
      [exitCode.done, "sync", "--sandbox", "--dry-run"],
      [exitCode.done, "status", "--sandbox"],
    ] as const) {
      runOn(node, code, ...args);
    }
    rmSync(join(place, "state"), { recursive: true });
    await tryPostgres(folder, (args, environment) => startOn(node, args, environment));
  }
  for (const node of tooOld) runOn(node, exitCode.usage, "sync", "--sandbox", "--dry-run");

  function startOn(
    node: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    const PATH = [nodeOf(node), process.env.PATH].join(delimiter);
    return ended(join(place, "node_modules/.bin", name), args, { cwd: place, env: { PATH, ...environment } });
  }

  function runOn(node: string, code: number, ...args: readonly string[]): void {
    const PATH = [nodeOf(node), process.env.PATH].join(delimiter);
    const command = join(place, "node_modules/.bin", name);
    const ended = spawnSync(command, args, { cwd: place, env: { PATH }, encoding: "utf8" });
    const said = `${ended.stdout}${ended.stderr}`.slice(-2_000);
    expect(
      `Node ${node}: ${[name, ...args].join(" ")}`,
      ended.status === code,
      `exit ${ended.status}\n${said}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The folder with the executable of that version. */
function nodeOf(version: string): string {
  const place = join(folder, `node-${version}`);
  const bin = join(place, "node_modules/node/bin");
  try {
    readFileSync(join(place, "package.json"));
  } catch {
    emptyProject(`node-${version}`);
    npm(place, "install", `node@${version}`);
  }
  return bin;
}

function emptyProject(name: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  // npm asks before it lets a package run a script; that of Node fetches the executable.
  writeFileSync(join(place, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  return place;
}

function npm(cwd: string, ...args: readonly string[]): void {
  execFileSync("npm", [...args, "--no-fund", "--no-audit", "--loglevel", "error"], { cwd, stdio: "pipe" });
}

function expect(what: string, holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`the package fails: ${what}: ${otherwise}`);
  process.stdout.write(`ok ${what}\n`);
}
