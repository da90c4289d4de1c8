import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { hasFunction } from "./defects/defect.ts";
import { defects } from "./defects/defects.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Plays histories with each defect, all in one process: to start it takes longer than to find a defect.
 * @returns the promise that each defect was seen to break, by its name; `null` if none was
 */
async function playAll(): Promise<ReadonlyMap<string, string | null>> {
  const folder = join(root, "test/simulation/defects");
  const player = ["--import", join(folder, "with-defect.ts"), join(folder, "play-all.ts")];
  const child = spawn(process.execPath, player, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "als-compile-cache") },
  });
  const broken = new Map<string, string | null>();
  for await (const line of createInterface({ input: child.stdout })) {
    const one = JSON.parse(line) as { readonly name: string; readonly broken: string | null };
    broken.set(one.name, one.broken);
  }
  return broken;
}

describe("the simulation notices", () => {
  let broken: ReadonlyMap<string, string | null> = new Map();
  beforeAll(async () => {
    broken = await playAll();
  }, 400_000);

  it.each(defects.map((defect) => [defect.name, defect] as const))("that %s", (name, { swaps }) => {
    // A defect that no longer fits the code would prove nothing.
    for (const one of swaps) {
      const source = readFileSync(join(root, "src", one.module), "utf8");
      expect(hasFunction(source, one.name), `${one.module}: function ${one.name}`).toBe(true);
    }
    expect(broken.get(name)).toEqual(expect.any(String));
    // A program that only falls over would be found by anybody.
    expect(broken.get(name)).not.toContain("the engine fell over");
  });
});
