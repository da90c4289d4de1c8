import { familyOf } from "../families.ts";
import { playHistories } from "../play.ts";
import type { Defect } from "./defect.ts";
import { defects } from "./defects.ts";

// Run with `--import with-defect.ts`: gives the product each defect in turn and plays histories until one breaks a promise.
// Prints a line of JSON a defect: its name, and the promise that was broken, or `null`; and why it could not be played, or
// `null`.

/** Histories within which a defect must be noticed. */
const runs = 1_000;

for (const defect of defects) {
  const played = await play(defect).then(
    (broken) => ({ broken, fault: null }),
    (error: unknown) => ({ broken: null, fault: error instanceof Error ? error.message : String(error) }),
  );
  process.stdout.write(`${JSON.stringify({ name: defect.name, ...played })}\n`);
}

/** @returns the promise that was broken; `null` if none was */
async function play({ name, seed, history, family = "everyday" }: Defect): Promise<string | null> {
  globalThis.useDefect(name);
  const failure = await playHistories(familyOf(family), { runs, seed, path: String(history), first: true });
  return failure?.broken ?? null;
}
