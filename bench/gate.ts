import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, hasFallen, isWorse } from "./bench.ts";
import { machine, versions } from "./results.ts";

/** The ratios that `bench:ci` is held against, by bench and finding. */
interface Accepted {
  readonly machine: object;
  readonly versions: object;
  readonly ratios: { readonly [name: string]: number };
}

const file = join(import.meta.dirname, "ci.json");

function accepted(): Accepted["ratios"] {
  if (!existsSync(file)) return {};
  const { ratios }: Accepted = JSON.parse(readFileSync(file, "utf8"));
  return ratios;
}

function keyOf(bench: string, { what }: Finding): string {
  return `${bench}: ${what}`;
}

/** The faults of these findings, a line for each: a ratio that has fallen by more than a third, or that no one has accepted. */
export function fallen(bench: string, findings: readonly Finding[]): readonly string[] {
  const before = accepted();
  return findings.flatMap((finding) => {
    const { ratio, wanted } = finding;
    if (wanted === undefined) return [];
    const known = before[keyOf(bench, finding)];
    if (known === undefined) {
      return [`${keyOf(bench, finding)}: not known yet (npm run bench:ci -- --accept)`];
    }
    if (!hasFallen(ratio, known, wanted)) return [];
    return [
      `${keyOf(bench, finding)}: ${ratio.toFixed(3)}, worse by more than a third than ${known.toFixed(3)}`,
    ];
  });
}

/**
 * Makes the ratios those that the next `bench:ci` is held against. Of a ratio that is known the worse is kept: some runs
 * tell what a machine is like. A file that is removed first begins anew.
 */
export function accept(bench: string, findings: readonly Finding[]): void {
  const ratios = { ...accepted() };
  for (const finding of findings) {
    const { ratio, wanted } = finding;
    if (wanted === undefined) continue;
    const known = ratios[keyOf(bench, finding)];
    if (known === undefined || isWorse(ratio, known, wanted)) ratios[keyOf(bench, finding)] = rounded(ratio);
  }
  const content: Accepted = { machine: machine(), versions: versions(), ratios };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

function rounded(ratio: number): number {
  return Math.round(ratio * 1_000) / 1_000;
}
