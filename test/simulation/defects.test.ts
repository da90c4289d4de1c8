import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Defect, defects } from "./defects.ts";

const root = new URL("../../", import.meta.url).pathname;
/** Histories within which a defect must be noticed. */
const runs = 1_000;

/** Plays histories on a copy of the sources that has the defect. @returns the exit code and what was printed */
async function simulateWith({
  edits,
  seed,
  history,
  inDueTime,
}: Defect): Promise<{ code: number | null; output: string }> {
  const copy = mkdtempSync(join(tmpdir(), "als-defect-"));
  try {
    for (const part of [
      "src",
      "test/simulation",
      "test/state/tally.ts",
      "scripts/simulate.ts",
      "package.json",
    ]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const { file, find, replace } of edits) {
      const path = join(copy, "src", file);
      const text = readFileSync(path, "utf8");
      // A defect that no longer fits the code would prove nothing.
      expect(text.split(find).length - 1, `${file}: ${find}`).toBe(1);
      writeFileSync(
        path,
        text.replace(find, () => replace),
      );
    }
    return await run(join(copy, "scripts/simulate.ts"), [
      "--runs",
      String(runs),
      "--seed",
      String(seed),
      "--path",
      String(history),
      "--first",
      ...(inDueTime ? ["--in-due-time"] : []),
    ]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function run(script: string, options: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...options], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "als-compile-cache") },
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

describe("the simulation notices", () => {
  it.concurrent.each(defects.map((defect) => [defect.name, defect] as const))(
    "that %s",
    { timeout: 120_000 },
    async (_name, defect) => {
      const { code, output } = await simulateWith(defect);
      expect(output).toContain("A history breaks a promise");
      // A program that only falls over would be found by anybody.
      expect(output).not.toContain("the engine fell over");
      expect(code).toBe(1);
    },
  );
});
