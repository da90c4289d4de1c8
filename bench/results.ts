import { existsSync, readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { type Bound, type Finding, isMet } from "./bench.ts";

/** The results that a run of the suite writes. */
export interface Results {
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
  };
  readonly versions: { readonly [name: string]: string };
  readonly benches: readonly MeasuredBench[];
}

export interface MeasuredBench {
  readonly name: string;
  readonly about: string;
  /** When it ended, ISO 8601. */
  readonly at: string;
  /** How long it took. */
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

/** The results with those of other benches that the file has from the same machine. */
export function withOlder(file: string, results: Results): Results {
  if (!existsSync(file)) return results;
  const older: Results = JSON.parse(readFileSync(file, "utf8"));
  if (JSON.stringify(older.machine) !== JSON.stringify(results.machine)) return results;
  const names = new Set(results.benches.map(({ name }) => name));
  const benches = [...older.benches.filter(({ name }) => !names.has(name)), ...results.benches];
  return { ...results, benches: benches.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

export function machine(): Results["machine"] {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
  };
}

export function versions(): Results["versions"] {
  const versionOf = (folder: string): string =>
    JSON.parse(readFileSync(join(import.meta.dirname, "..", folder, "package.json"), "utf8")).version;
  return {
    "azure-lattice-sync": versionOf("."),
    node: process.versions.node,
    axios: versionOf("node_modules/axios"),
    "better-sqlite3": versionOf("node_modules/better-sqlite3"),
  };
}

/** A finding as a line of text. */
export function row({ what, measured, reference, ratio, wanted }: Finding): string {
  const verdict = wanted === undefined ? "" : `  ${bound(wanted)}${isMet(ratio, wanted) ? "" : "  MISSED"}`;
  return `  ${what.padEnd(58)} ${measured.padStart(22)}  ${reference.padEnd(36)} ${ratio.toFixed(3).padStart(8)}${verdict}`;
}

const begin = "<!-- results: begin -->";
const end = "<!-- results: end -->";

/** The document with the table of these results in its place. */
export function markdown(document: string, results: Results): string {
  const [before, rest] = split(document, begin);
  const [, after] = split(rest, end);
  const { machine: host, versions: used } = results;
  const days = [...new Set(results.benches.map(({ at }) => at.slice(0, 10)))].sort();
  const lines = results.benches.flatMap(({ name, findings }) =>
    findings.map(
      ({ what, measured, reference, ratio, wanted }) =>
        `| \`${name}\` | ${what} | ${measured} | ${reference} | ${ratio.toFixed(3)} | ${wanted === undefined ? "" : bound(wanted)} | ${wanted === undefined ? "" : isMet(ratio, wanted) ? "yes" : "**no**"} |`,
    ),
  );
  return [
    `${before}${begin}`,
    `${days.at(0)}${days.length > 1 ? ` to ${days.at(-1)}` : ""}, ${host.processor}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}; ${Object.entries(
      used,
    )
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    "",
    "| bench | what | measured | reference, same run | ratio | wanted | reached |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    `${end}${after}`,
  ].join("\n");
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at === -1) throw new Error(`the document lacks the line ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function bound(wanted: Bound): string {
  return "atLeast" in wanted ? `>= ${wanted.atLeast}` : `<= ${wanted.atMost}`;
}
