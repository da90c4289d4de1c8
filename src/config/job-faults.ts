/** A line that begins with a place: `config/x.yaml:12:3: …`, or a variable. */
const placed = /^(?:\S.*?:\d+:\d+: |job [a-z0-9-]+: |[A-Z][A-Z0-9_]*(?:[:=]| (?:and|names) ))/;

/** The faults of a job, one a line: each names the job, unless it begins with its place. */
export function ofJob(name: string, faults: string): string {
  return faults
    .split("\n")
    .map((line) => (placed.test(line) || line.startsWith("  ") ? line : `job ${name}: ${line}`))
    .join("\n");
}
