import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { optionsAndNamesOf } from "../scripts/options.ts";
import type { Bench, BenchOptions, Finding } from "./bench.ts";
import { closeCompanies } from "./company.ts";
import { accept, fallen } from "./gate.ts";
import { type MeasuredBench, machine, markdown, row, versions, withOlder } from "./results.ts";

/** A bench that fell is measured again: something else may have run on the machine, or the reference was faster than ever. */
const timesMeasured = 3;

const suite = readdirSync(join(import.meta.dirname, "suite"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replace(/\.ts$/, ""));
const { values, names: wanted } = optionsAndNamesOf({
  about: `Measures how fast the program is: npm run bench -- [NAME …] [options]. Without a name, all: ${suite.join(", ")}.`,
  options: {
    "up-to": { type: "string", default: "1000000", about: "leaves larger sizes out" },
    ci: {
      type: "boolean",
      default: false,
      about: "the small suite (npm run bench:ci), whose ratios are held against bench/ci.json",
    },
    accept: { type: "boolean", default: false, about: "with --ci: the next one is held against this one" },
    document: {
      type: "boolean",
      default: false,
      about: "puts the table into docs/performance.md as well",
    },
    json: {
      type: "string",
      default: join(import.meta.dirname, "../node_modules/.cache/als-bench/results.json"),
      about: "where the results go; those of benches that did not run this time stay in it",
    },
  },
});

const documentFile = join(import.meta.dirname, "../docs/performance.md");
const unknown = wanted.filter((name) => !suite.includes(name));

if (unknown.length > 0) {
  process.stderr.write(`There is no bench ${unknown.join(", ")}; there are ${suite.join(", ")}.\n`);
  process.exitCode = 64;
} else {
  process.exitCode = await run(wanted.length === 0 ? suite : wanted);
}

async function run(names: readonly string[]): Promise<number> {
  const benches: MeasuredBench[] = [];
  const faults: string[] = [];
  for (const name of names) {
    const { bench }: { bench: Bench } = await import(`./suite/${name}.ts`);
    if (values.ci && !bench.inCI) continue;
    const measured = await measure(name, bench);
    benches.push(measured);
    if (!values.ci) continue;
    if (values.accept) accept(name, measured.findings);
    else faults.push(...(await fallenEachTime(name, bench, measured)));
  }
  await closeCompanies();
  const results = withOlder(values.json, { machine: machine(), versions: versions(), benches });
  writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  if (values.document) writeFileSync(documentFile, markdown(readFileSync(documentFile, "utf8"), results));
  for (const fault of faults) process.stdout.write(`FALLEN  ${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function fallenEachTime(
  name: string,
  bench: Bench,
  measured: MeasuredBench,
): Promise<readonly string[]> {
  let found = fallen(name, measured.findings);
  for (let times = 1; times < timesMeasured && found.length > 0; times += 1) {
    found = fallen(name, (await measure(name, bench)).findings);
  }
  return found;
}

async function measure(name: string, bench: Bench): Promise<MeasuredBench> {
  const options: BenchOptions = {
    small: values.ci,
    upTo: Number(values["up-to"]),
    note: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
    },
  };
  process.stdout.write(`${name}: ${bench.about}\n`);
  const startedAt = performance.now();
  const findings: Finding[] = [];
  for await (const finding of bench.measure(options)) {
    findings.push(finding);
    process.stdout.write(`${row(finding)}\n`);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  process.stdout.write(`  (${seconds} s)\n`);
  return { name, about: bench.about, at: new Date().toISOString(), seconds, findings };
}
