import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { swapStatement } from "./defect.ts";
import { defects } from "./defects.ts";

// Loaded before the simulation: gives the product the defect that DEFECT names, without a copy of its sources, so that what
// Node has compiled of all other modules before holds. A module can set a function of its own anew, and whoever imports
// the function then has the new one.

declare global {
  /** The version of a function that has the defect. */
  var defective: (module: string, name: string, original: unknown) => unknown;
}

const { swaps } = defects.find(({ name }) => name === process.env.DEFECT) ?? { swaps: [] };
globalThis.defective = (module, name, original) => {
  const found = swaps.find((one) => one.module === module && one.name === name);
  return found === undefined ? original : found.version(original as never);
};

const sources = new Map<string, string>();
for (const one of swaps) {
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
