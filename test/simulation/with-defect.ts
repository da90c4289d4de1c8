import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Defect } from "./defects.ts";

// Loaded before the simulation: gives the sources of the product the defect that DEFECT names as JSON, without a copy of
// them, so that what Node has compiled of all others before holds.

const edits = JSON.parse(process.env.DEFECT ?? "[]") as Defect["edits"];
const edited = new Map<string, string>();
for (const { file, find, replace } of edits) {
  const url = new URL(`../../src/${file}`, import.meta.url).href;
  const text = edited.get(url) ?? readFileSync(fileURLToPath(url), "utf8");
  edited.set(
    url,
    text.replace(find, () => replace),
  );
}

registerHooks({
  load: (url, context, nextLoad) => {
    const source = edited.get(url);
    return source === undefined
      ? nextLoad(url, context)
      : { format: "module-typescript", source, shortCircuit: true };
  },
});
