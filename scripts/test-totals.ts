import { readFileSync } from "node:fs";

// Prints the totals of vitest's JSON report in one plain line.

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Report;
const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : "";
process.stdout.write(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped}\n`);
