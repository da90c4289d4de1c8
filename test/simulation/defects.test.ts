import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { defects } from "./defects/defects.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Played {
  readonly name: string;
  /** The promise that the defect was seen to break; `null` if none was. */
  readonly broken: string | null;
  /** Why the defect could not be played. */
  readonly fault: string | null;
}

/** Plays histories with each defect, all in one process: to start it takes longer than to find a defect. */
async function playAll(): Promise<ReadonlyMap<string, Played>> {
  const folder = join(root, "test/simulation/defects");
  const player = ["--import", join(folder, "with-defect.ts"), join(folder, "play-all.ts")];
  const child = spawn(process.execPath, player, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const played = new Map<string, Played>();
  for await (const line of createInterface({ input: child.stdout })) {
    const one = JSON.parse(line) as Played;
    played.set(one.name, one);
  }
  return played;
}

describe("the simulation notices", () => {
  let played: ReadonlyMap<string, Played> = new Map();
  beforeAll(async () => {
    played = await playAll();
  }, 400_000);

  it.each(defects.map(({ name }) => [name]))("that %s", (name) => {
    // A defect that no longer fits the code would prove nothing.
    expect(played.get(name)).toMatchObject({ fault: null, broken: expect.any(String) });
    // Any test would find a program that only falls over.
    expect(played.get(name)?.broken).not.toContain("the engine fell over");
  });
});
