import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const manifestName = "package.json";

/** The folder that holds package.json: the checkout's or the installed package's, whether the sources run or what they are built to. */
export const packageRoot = nearestPackage(import.meta.dirname);

/** The version that the package says it has. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, manifestName), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

function nearestPackage(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    // The root of the file system at last: what is read from there is then said to be missing.
    if (existsSync(join(folder, manifestName)) || dirname(folder) === folder) return folder;
  }
}
