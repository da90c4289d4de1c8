/**
 * Makes the databases of this folder again: `npx node test/state/corpus/make.ts COMMIT…`, see README.md. Each commit is
 * checked out outside the project, its packages are installed, and its own engine is played until it is killed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { dumpOf } from "./dump.ts";
import { type Ends, situations } from "./situations.ts";

const root = join(import.meta.dirname, "../../..");

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}

/** @returns the report of the killed process, and its database */
function play(checkout: string, situation: string): { readonly ends: Ends; readonly path: string } {
  const out = join(checkout, "ends.json");
  const { signal, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "play.ts"), checkout, situation, out],
    { encoding: "utf8" },
  );
  if (signal !== "SIGKILL") throw new Error(`the situation ${situation} did not come to its end: ${stderr}`);
  return JSON.parse(readFileSync(out, "utf8"));
}

function make(commit: string): void {
  const checkout = mkdtempSync(join(tmpdir(), "als-corpus-"));
  try {
    run("sh", ["-c", `git archive "$0" | tar -x -C "$1"`, commit, checkout], root);
    run("npm", ["ci", "--no-fund", "--no-audit"], checkout);
    const decides = existsSync(join(checkout, "src/cycle/person/link.ts"));
    for (const situation of situations) {
      if (situation === "decisions" && !decides) continue;
      const { ends, path } = play(checkout, situation);
      // The log of the killed process is read here, as the next run would read it.
      const db = new Database(path);
      const schema = String(db.pragma("user_version", { simple: true })).padStart(3, "0");
      const folder = join(import.meta.dirname, `${schema}-${commit}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${situation}.sql`), dumpOf(db));
      writeFileSync(join(folder, `${situation}.json`), `${JSON.stringify(ends, null, 1)}\n`);
      db.close();
      rmSync(dirname(path), { recursive: true });
    }
  } finally {
    rmSync(checkout, { recursive: true });
  }
}

for (const commit of process.argv.slice(2)) make(commit);
run("npx", ["biome", "format", "--write", import.meta.dirname], root);
