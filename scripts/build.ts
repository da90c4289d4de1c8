import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Makes dist/: what tsc emits, and beside it the files that tsc does not carry but the program reads at run time.

const root = dirname(import.meta.dirname);
const dist = join(root, "dist");
const carried = ["mapping/grammar/expression-parser.js", "state/migrations"];

rmSync(dist, { recursive: true, force: true });
if (compile()) {
  for (const path of carried) cpSync(join(root, "src", path), join(dist, path), { recursive: true });
  chmodSync(join(dist, "cli.js"), 0o755);
} else {
  process.exitCode = 1;
}

/** Runs the pinned compiler, which says itself what it does not like. */
function compile(): boolean {
  const tsc = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
  return status === 0;
}
