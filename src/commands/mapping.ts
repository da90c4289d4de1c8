import { type ExpressionFunction, signature } from "../mapping/functions/definition.ts";
import { expressionFunctions } from "../mapping/functions/table.ts";
import { type CommandIO, exitCode, print } from "./io.ts";

/** Lists the functions of the expression language, with an example each. */
export function mappingFunctions(options: { readonly format: "table" | "json" }, io: CommandIO): number {
  const all = [...expressionFunctions.values()];
  if (options.format === "json") {
    print(io, JSON.stringify(all.map(describe), null, 2));
    return exitCode.done;
  }
  for (const entry of all) {
    const { summary, expression, result } = describe(entry);
    print(io, `${signature(entry)}\n    ${summary}`);
    if (entry.refused === undefined) print(io, `    ${expression}${result === null ? "" : `  →  ${result}`}`);
  }
  return exitCode.done;
}

function describe(entry: ExpressionFunction) {
  return {
    name: entry.name,
    signature: signature(entry),
    summary: entry.summary,
    usable: entry.refused === undefined,
    expression: entry.example.expression,
    attributes: entry.example.attributes ?? {},
    result: entry.example.result,
  };
}
