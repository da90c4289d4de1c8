import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, BenchOptions, Finding } from "./bench.ts";
import { closeCompanies } from "./company.ts";
import { accept, fallen } from "./gate.ts";
import { type MeasuredBench, machine, markdown, row, versions, withOlder } from "./results.ts";

/** A bench that fell is measured again: something else may have run on the machine, or the reference was faster than ever. */
const timesMeasured = 3;

// npm run bench                 the whole suite
// npm run bench -- NAME ...     some of it
// npm run bench:ci              a small one, whose ratios are held against those of bench/ci.json

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ci: { type: "boolean", default: false },
    /** Sizes above this are left out. */
    "up-to": { type: "string", default: "1000000" },
    /** Where the results go as JSON; those of benches that did not run this time stay in it. */
    json: {
      type: "string",
      default: join(import.meta.dirname, "../node_modules/.cache/als-bench/results.json"),
    },
    /** Puts the table into docs/performance.md as well. */
    document: { type: "boolean", default: false },
    /** With --ci: what the next `bench:ci` is held against. */
    accept: { type: "boolean", default: false },
  },
});

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
