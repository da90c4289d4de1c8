import { readFileSync } from "node:fs";

// Says whether the package that `npm pack --dry-run --json` described holds what it needs and nothing else.

const required = [
  "dist/start.cjs",
  "dist/start-program.cjs",
  "dist/cli.js",
  "dist/azure-lattice-sync.cdx.json",
  "dist/THIRD-PARTY-LICENCES.txt",
  "src/state/postgres/schema/migrations/001-initial.sql",
  "src/state/sqlite/migrations/001-initial.sql",
  "src/state/sqlite/migrations/newest.sql",
  "src/report/page/report.css",
  "src/report/page/report.js",
  "src/daemon/http/page/index.html",
  "dist/reader-thread.js",
  "dist/uPlot.iife.min.js",
  "config/default-mapping.yaml",
  "config/default-mapping.mapping-test.example.yaml",
  "config/azure-lattice-sync.example.yaml",
  "man/azure-lattice-sync.1",
  "package.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "SECURITY.md",
  "npm-shrinkwrap.json",
  "docs/setup.md",
  "docs/operating.md",
  "deploy/azure/app.bicep",
  "deploy/azure/foundation.bicep",
  "deploy/compose.yaml",
  "deploy/compose.postgres.yaml",
  "deploy/helm/azure-lattice-sync/Chart.yaml",
  "deploy/helm/azure-lattice-sync/templates/_helpers.tpl",
  "deploy/helm/azure-lattice-sync/values.schema.json",
  "deploy/systemd/als",
  "deploy/systemd/als.env",
  "deploy/systemd/azure-lattice-sync.service",
  "deploy/prometheus/alerts.yaml",
  "deploy/gitops/plan.yml",
  "deploy/grafana/dashboard.json",
];
const allowed =
  /^(dist\/[\w.-]+.(cjs|css|js|json|txt)|src\/state\/(sqlite|postgres\/schema)\/migrations\/[\w.-]+\.sql|src\/(report|daemon\/http)\/page\/[\w.-]+\.(css|html|js|svg)|config\/[\w.-]+\.yaml|man\/azure-lattice-sync\.1|docs\/(decisions\/)?[\w.-]+\.md|deploy\/systemd\/als|deploy\/[\w./-]+\.(ya?ml|json|service|timer|env|tpl|txt|md|bicep|bicepparam)|(package|npm-shrinkwrap)\.json|(README|CHANGELOG|SECURITY)\.md|LICENSE)$/;

const described: unknown = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const files = pathsOf(described);
const missing = required.filter((path) => !files.includes(path));
const foreign = files.filter((path) => !allowed.test(path));
for (const path of missing) process.stderr.write(`missing from the package: ${path}\n`);
for (const path of foreign) process.stderr.write(`does not belong in the package: ${path}\n`);
process.stdout.write(`package: ${files.length} files\n`);
process.exitCode = missing.length + foreign.length === 0 ? 0 : 1;

/** npm prints a list of packages; newer versions print them by name. */
function pathsOf(value: unknown): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("path" in node && "size" in node && typeof node.path === "string") found.push(node.path);
    for (const child of Object.values(node)) visit(child);
  };
  visit(value);
  return found;
}
