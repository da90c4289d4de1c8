import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { defects } from "./defects.ts";
import { defectNamed, prepare } from "./prepare.ts";

// Loaded before the simulation: gives the product one defect at a time, without a copy of its sources, so that what Node has
// compiled of all other modules before holds. A module can replace a function of its own, and each module that imports
// the function then has the new one. With DEFECT in the environment the product has this defect from the start.

declare global {
  /**
   * Gives the product a defect by its name, in place of the one before; `undefined`: none.
   * @throws Error if there is no such defect, or it cannot be put in place
   */
  var useDefect: (name: string | undefined) => void;
  /** A function that is the original, or another version of it while the product has a defect that swaps it. */
  var defective: (
    module: string,
    name: string,
    original: (...terms: unknown[]) => unknown,
  ) => (...terms: unknown[]) => unknown;
}

type Version = (...terms: unknown[]) => unknown;

const urlOf = (module: string): string => new URL(`../../../src/${module}`, import.meta.url).href;

const prepared = prepare(defects, (module) => {
  try {
    return readFileSync(fileURLToPath(urlOf(module)), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
});

let current =
  process.env.DEFECT === undefined ? undefined : defectNamed(defects, process.env.DEFECT, prepared);
let versions = new Map<string, Version>();
globalThis.useDefect = (name) => {
  current = undefined;
  versions = new Map();
  if (name !== undefined) current = defectNamed(defects, name, prepared);
};
globalThis.defective = (module, name, original) => {
  const version = (): Version => {
    const found = current?.swaps.find((one) => one.module === module && one.name === name);
    return found === undefined ? original : (found.version(original as never) as Version);
  };
  const key = `${module} ${name}`;
  return (...terms) => {
    const chosen = versions.get(key) ?? version();
    versions.set(key, chosen);
    return chosen(...terms);
  };
};

const sources = new Map([...prepared.sources].map(([module, source]) => [urlOf(module), source]));

registerHooks({
  load: (url, context, nextLoad) => {
    const source = sources.get(url);
    return source === undefined
      ? nextLoad(url, context)
      : { format: "module-typescript", source, shortCircuit: true };
  },
});
