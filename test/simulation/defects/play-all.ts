import { familyOf } from "../families.ts";
import { playHistories } from "../play.ts";
import { defects } from "./defects.ts";

// Run with `--import with-defect.ts`: gives the product each defect in turn and plays histories until one breaks a promise.
// Prints a line of JSON a defect: its name, and the promise that was broken, or `null`.

/** Histories within which a defect must be noticed. */
const runs = 1_000;

for (const { name, seed, history, family = "everyday" } of defects) {
  globalThis.useDefect(name);
  const failure = await playHistories(familyOf(family), { runs, seed, path: String(history), first: true });
  process.stdout.write(`${JSON.stringify({ name, broken: failure?.broken ?? null })}\n`);
}
