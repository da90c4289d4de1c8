import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Defect, hasFunction } from "./defects/defect.ts";
import { defects } from "./defects/defects.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Histories within which a defect must be noticed. */
const runs = 1_000;

/** Plays histories on the sources with the defect. @returns the exit code and what was printed */
function simulateWith({ name, swaps, seed, history, family }: Defect): Promise<Ended> {
  // A defect that no longer fits the code would prove nothing.
  const source = (file: string): string => readFileSync(join(root, "src", file), "utf8");
  for (const one of swaps) {
    expect(hasFunction(source(one.module), one.name), `${one.module}: function ${one.name}`).toBe(true);
  }
  const options = ["--runs", String(runs), "--seed", String(seed), "--path", String(history), "--first"];
  return run([...options, ...(family === undefined ? [] : ["--family", family])], name);
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(options: readonly string[], defect: string): Promise<Ended> {
  const preload = join(root, "test/simulation/defects/with-defect.ts");
  return new Promise((resolve, reject) => {
    const script = join(root, "scripts/simulate.ts");
    const child = spawn(process.execPath, ["--import", preload, script, ...options], {
      stdio: ["ignore", "pipe", "ignore"],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: join(tmpdir(), "als-compile-cache"),
        DEFECT: defect,
      },
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
