import { MappingError } from "../../domain/errors.ts";
import { compileRegex } from "./dotnet-regex.ts";
import { type Around, compileExpression, type Evaluator } from "./evaluate.ts";
import { type Expression, expressionError, visit } from "./expression.ts";
import { toText } from "./value.ts";

/** The most characters that the functions of one expression may handle for one person. Real mappings handle a few thousand. */
const mostWork = 80_000;
/** The highest total weight of the regular expressions in one expression (see `regexSize`). */
const heaviestPatterns = 4_000;

/**
 * `compileExpression` with a limit on the cost of one evaluation, so that none takes noticeably long, whatever the expression
 * and the person's values are.
 * @throws UsageError as `compileExpression` does, and if the regular expressions are too large together
 */
export function compileBounded(tree: Expression, text: string, around?: Around): Evaluator {
  refuseHeavyPatterns(tree, text);
  const evaluate = compileExpression(tree, text, around);
  return (read, environment) => {
    let left = mostWork;
    const charge = (characters: number): void => {
      left -= characters;
      if (left < 0) throw new MappingError("the expression and its values are too long to be evaluated");
    };
    return evaluate(read, { ...environment, charge });
  };
}

function refuseHeavyPatterns(tree: Expression, text: string): void {
  let weight = 0;
  visit(tree, (node) => {
    const pattern = node.kind === "call" && node.name === "Replace" ? node.arguments[2] : undefined;
    if (pattern?.kind !== "constant") return;
    try {
      weight += compileRegex(toText(pattern.value)).weight;
    } catch (error) {
      if (error instanceof MappingError) throw expressionError(text, pattern.offset, error.message);
      throw error;
    }
    if (weight > heaviestPatterns) {
      const sentence = "the regular expressions up to here are too large in total; use fewer or simpler ones";
      throw expressionError(text, pattern.offset, sentence);
    }
  });
}
