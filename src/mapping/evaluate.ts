import { closest } from "fastest-levenshtein";
import { type Expression, expressionError } from "./expression.ts";
import { expressionFunctions } from "./functions.ts";
import { isEmpty, toText, type Value } from "./value.ts";

/** Reads a source attribute of the person at hand. */
export type AttributeReader = (name: string) => Value;
export type Evaluator = (read: AttributeReader) => Value;

/**
 * Turns a tree into a function that can be called for each person. Evaluation always sees the whole source user.
 * @throws UsageError for an unknown function or a wrong number of arguments
 */
export function compileExpression(tree: Expression, text: string): Evaluator {
  switch (tree.kind) {
    case "attribute":
      return (read) => read(tree.name);
    case "constant":
      return () => tree.value;
    case "omitted":
      return () => null;
    case "condition": {
      const left = compileExpression(tree.left, text);
      const right = compileExpression(tree.right, text);
      return (read) => compare(tree.operator, left(read), right(read));
    }
    case "call":
      return compileCall(tree, text);
  }
}

function compileCall(tree: Extract<Expression, { kind: "call" }>, text: string): Evaluator {
  const definition = expressionFunctions.get(tree.name);
  if (definition === undefined) {
    const nearest = closest(tree.name, [...expressionFunctions.keys()]);
    throw expressionError(text, tree.offset, `unknown function "${tree.name}"; did you mean "${nearest}"?`);
  }
  const count = tree.arguments.length;
  if (count < definition.minArguments || count > definition.maxArguments) {
    throw expressionError(text, tree.offset, `wrong number of arguments (${count}): ${definition.signature}`);
  }
  if (tree.name === "Switch" && count % 2 !== 0) {
    throw expressionError(text, tree.offset, `a key without a value: ${definition.signature}`);
  }
  const parts = tree.arguments.map((argument) =>
    argument.kind === "omitted" ? undefined : compileExpression(argument, text),
  );
  return (read) => definition.evaluate(...parts.map((part) => part?.(read)));
}

/** A condition on an attribute without a value is false, whatever the operator (Entra's rule for IIF). */
function compare(operator: string, left: Value, right: Value): boolean {
  if (isEmpty(left)) return false;
  const numeric = typeof left === "number" && typeof right === "number";
  const order = numeric ? left - right : compareText(toText(left), toText(right));
  switch (operator) {
    case "=":
      return order === 0;
    case "<>":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
