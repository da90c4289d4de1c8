import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

// Writes npm-shrinkwrap.json for the package: who installs it gets the versions that were tested. It is the lock file without
// what only the development needs. It is there for as long as `npm pack` or `npm publish` runs; in a checkout npm would take
// it for the lock file.

const root = dirname(import.meta.dirname);
const file = join(root, "npm-shrinkwrap.json");

interface Locked {
  readonly dev?: boolean;
  readonly devDependencies?: unknown;
}

if (process.argv[2] === "write") write();
else rmSync(file, { force: true });

function write(): void {
  const { packages, ...lock } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const kept = Object.entries<Locked>(packages)
    .filter(([, locked]) => locked.dev !== true)
    .map(([path, { devDependencies, ...locked }]) => [path, locked]);
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(kept) }, null, 2)}\n`);
}
