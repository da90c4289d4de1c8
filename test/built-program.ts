import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundle } from "../scripts/bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The program as it is shipped, made of the sources for this run of the tests. */
    readonly program: string;
  }
}

const root = dirname(import.meta.dirname);
const parent = join(root, "node_modules/.cache/als-test");
const abandonedMs = 3_600_000;
let folder = "";

/** Builds the program once, for every test that starts a process: what they test is what is shipped, and it starts quickly. */
export async function setup(project: TestProject): Promise<void> {
  mkdirSync(parent, { recursive: true });
  for (const other of readdirSync(parent)) {
    const path = join(parent, other);
    if (Date.now() - statSync(path).mtimeMs > abandonedMs) rmSync(path, { recursive: true, force: true });
  }
  folder = mkdtempSync(join(parent, "run-"));
  await bundle(join(folder, "dist"));
  // As a package of its own, as it is installed: Node would look into each file for what kind of module it is.
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  for (const part of ["config", "src"]) symlinkSync(join(root, part), join(folder, part));
  project.provide("program", join(folder, "dist/start.cjs"));
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
