import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const manifestName = "package.json";

/** The folder with package.json: that of the checkout or of the installed package, for the sources as for the built program. */
export const packageRoot = nearestPackage(import.meta.dirname);

/** The version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, manifestName), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

function nearestPackage(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    // The search ends at the root of the file system. Reading package.json there reports that it is missing.
    if (existsSync(join(folder, manifestName)) || dirname(folder) === folder) return folder;
  }
}
