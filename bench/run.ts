import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, type BenchOptions, type Finding, hasFallen } from "./bench.ts";
import { closeCompanies } from "./company.ts";
import { machine, markdown, type Results, row, versions } from "./results.ts";

// npm run bench                 the whole suite
// npm run bench -- NAME ...     some of it
// npm run bench:ci              a small one, whose ratios are held against those of bench/ci.json

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ci: { type: "boolean", default: false },
    /** Sizes above this are left out. */
    "up-to": { type: "string", default: "1000000" },
    /** Where the results go as JSON. */
    json: {
      type: "string",
      default: join(import.meta.dirname, "../node_modules/.cache/als-bench/results.json"),
    },
    /** Puts the table into docs/performance.md as well. */
    document: { type: "boolean", default: false },
    /** Makes the results what the next `bench:ci` is held against. */
    accept: { type: "boolean", default: false },
  },
});

const acceptedFile = join(import.meta.dirname, "ci.json");
const documentFile = join(import.meta.dirname, "../docs/performance.md");
const known = readdirSync(join(import.meta.dirname, "suite")).map((file) => file.replace(/\.ts$/, ""));
const unknown = positionals.filter((name) => !known.includes(name));

if (unknown.length > 0) {
  process.stderr.write(`There is no bench ${unknown.join(", ")}; there are ${known.join(", ")}.\n`);
  process.exitCode = 64;
} else {
  process.exitCode = await run(positionals.length === 0 ? known : positionals);
}

async function run(names: readonly string[]): Promise<number> {
  const options: BenchOptions = {
    small: values.ci,
    upTo: Number(values["up-to"]),
    note: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
    },
  };
  const benches: Results["benches"][number][] = [];
  for (const name of names) {
    const { bench }: { bench: Bench } = await import(`./suite/${name}.ts`);
    if (values.ci && !bench.inCI) continue;
    process.stdout.write(`${name}: ${bench.about}\n`);
    const startedAt = performance.now();
    const findings: Finding[] = [];
    for await (const finding of bench.measure(options)) {
      findings.push(finding);
      process.stdout.write(`${row(finding)}\n`);
    }
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    process.stdout.write(`  (${seconds} s)\n`);
    benches.push({ name, about: bench.about, seconds, findings });
  }
  await closeCompanies();
  const results: Results = {
    at: new Date().toISOString(),
    machine: machine(),
    versions: versions(),
    benches,
  };
  const json = `${JSON.stringify(results, null, 2)}\n`;
  writeFileSync(values.json, json);
  if (values.accept) writeFileSync(acceptedFile, json);
  if (values.document) writeFileSync(documentFile, markdown(readFileSync(documentFile, "utf8"), results));
  return values.ci && !values.accept ? compare(results) : 0;
}

/** @returns 1 where a ratio has fallen by more than a third */
function compare({ benches }: Results): number {
  const accepted: Results = JSON.parse(readFileSync(acceptedFile, "utf8"));
  const before = new Map(
    accepted.benches.flatMap(({ name, findings }) =>
      findings.map(({ what, ratio }): [string, number] => [`${name}: ${what}`, ratio]),
    ),
  );
  const fallen = benches.flatMap(({ name, findings }) =>
    findings.flatMap(({ what, ratio, wanted }) => {
      const known = before.get(`${name}: ${what}`);
      if (known === undefined || wanted === undefined || !hasFallen(ratio, known, wanted)) return [];
      return [`${name}: ${what}: ${ratio.toFixed(3)} where ${known.toFixed(3)} was accepted`];
    }),
  );
  for (const line of fallen) process.stdout.write(`FALLEN BY MORE THAN A THIRD  ${line}\n`);
  return fallen.length === 0 ? 0 : 1;
}
