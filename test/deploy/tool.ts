import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The path of a tool: the one that `scripts/cluster-tools.ts` or `.ci/run` installed below node_modules, or the machine's own. `null` if there is none: tests that need
 * it are then left out. On CI it must be there.
 */
export function toolPath(name: "helm" | "kubectl" | "promtool"): string | null {
  const installed = join(import.meta.dirname, "../../node_modules/.cache/cluster-tools", name);
  if (existsSync(installed)) return installed;
  return spawnSync(name, ["--help"]).status === 0 || process.env.CI !== undefined ? name : null;
}
