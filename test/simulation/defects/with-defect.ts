import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { swapStatement } from "./defect.ts";
import { defects } from "./defects.ts";

// Loaded before the simulation: gives the product one defect at a time, without a copy of its sources, so that what Node has
// compiled of all other modules before holds. A module can set a function of its own anew, and whoever imports the function
// then has the new one. With DEFECT in the environment the product has this defect from the start.

declare global {
  /** Gives the product a defect by its name, in place of the one before; `undefined`: none. */
  var useDefect: (name: string | undefined) => void;
  /** A function that is the original, or another version of it while the product has a defect that swaps it. */
  var defective: (
    module: string,
    name: string,
    original: (...terms: unknown[]) => unknown,
  ) => (...terms: unknown[]) => unknown;
}

type Version = (...terms: unknown[]) => unknown;

let current = defects.find(({ name }) => name === process.env.DEFECT);
let versions = new Map<string, Version>();
globalThis.useDefect = (name) => {
  current = defects.find((one) => one.name === name);
  versions = new Map();
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

const swapped = new Map(
  defects.flatMap(({ swaps }) => swaps).map((one) => [`${one.module} ${one.name}`, one] as const),
);
const sources = new Map<string, string>();
for (const one of swapped.values()) {
  const url = new URL(`../../../src/${one.module}`, import.meta.url).href;
  const source = sources.get(url) ?? readFileSync(fileURLToPath(url), "utf8");
  sources.set(url, source + swapStatement(one));
}

registerHooks({
  load: (url, context, nextLoad) => {
    const source = sources.get(url);
    return source === undefined
      ? nextLoad(url, context)
      : { format: "module-typescript", source, shortCircuit: true };
  },
});
