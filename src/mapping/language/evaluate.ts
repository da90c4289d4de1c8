import { closest } from "fastest-levenshtein";
import { MappingError } from "../../domain/errors.ts";
import { callsOf, type Expression, expressionError, visit } from "./expression.ts";
import {
  argumentCount,
  type Environment,
  type ExpressionFunction,
  instant,
  number,
  type Parameter,
  signature,
} from "./functions/definition.ts";
import { expressionFunctions } from "./functions/table.ts";
import { isEmpty, isInstant, lengthOf, toText, type Value } from "./value.ts";

/** Reads a source attribute of the current person. */
export type AttributeReader = (name: string) => Value;
/** @throws MappingError if a value of this person has the wrong type */
export type Evaluator = (read: AttributeReader, environment: Environment) => Value;

type Call = Extract<Expression, { kind: "call" }>;

/** Wraps the evaluator of each part of an expression, for example to note its result. */
export type Around = (node: Expression, evaluator: Evaluator) => Evaluator;

/**
 * Turns a tree into a function that can be called for each person. Evaluation always sees the whole source user.
 * @param around for a trace. Without it the evaluators are not wrapped, so that tracing costs a cycle nothing
 * @throws UsageError for an unknown function, a wrong number of arguments, or a constant of the wrong type
 */
export function compileExpression(tree: Expression, text: string, around?: Around): Evaluator {
  const evaluator = compileNode(tree, text, around);
  return around === undefined ? evaluator : around(tree, evaluator);
}

function compileNode(tree: Expression, text: string, around: Around | undefined): Evaluator {
  switch (tree.kind) {
    case "attribute":
      return (read) => read(tree.name);
    case "constant":
      return () => tree.value;
    case "omitted":
      return () => null;
    case "condition": {
      const left = compileExpression(tree.left, text, around);
      const right = compileExpression(tree.right, text, around);
      return (read, environment) => compare(tree.operator, left(read, environment), right(read, environment));
    }
    case "call":
      return compileCall(tree, text, around);
  }
}

/** The name of a function in the tree whose value differs with each call, if there is one. */
export function unsteadyCall(tree: Expression): string | undefined {
  return callsOf(tree).find((name) => expressionFunctions.get(name)?.varies === "each");
}

function compileCall(tree: Call, text: string, around: Around | undefined): Evaluator {
  const definition = functionOf(tree, text);
  checkCount(tree, definition, text);
  tree.arguments.forEach((argument, index) => {
    checkArgument(argument, parameterAt(definition, index), definition, text);
  });
  const parts = tree.arguments.map((argument) =>
    argument.kind === "omitted" ? undefined : charged(compileExpression(argument, text, around)),
  );
  if ("choose" in definition) {
    return (read, environment) => definition.choose(parts.map((part) => () => part?.(read, environment)));
  }
  return (read, environment) =>
    definition.evaluate(
      parts.map((part) => part?.(read, environment)),
      environment,
    );
}

/** An evaluator that charges for the length of its value, because a function that takes the value has to handle it. */
function charged(evaluate: Evaluator): Evaluator {
  return (read, environment) => {
    const value = evaluate(read, environment);
    environment.charge?.(lengthOf(value));
    return value;
  };
}

function functionOf(tree: Call, text: string): ExpressionFunction {
  const definition = expressionFunctions.get(tree.name);
  if (definition === undefined) {
    const name = tree.name.slice(0, 60);
    const nearest = closest(name, [...expressionFunctions.keys()]);
    throw expressionError(text, tree.offset, `unknown function "${name}"; did you mean "${nearest}"?`);
  }
  if (definition.refused !== undefined) {
    throw expressionError(text, tree.offset, `${tree.name} cannot be used: ${definition.refused}`);
  }
  return definition;
}

function checkCount(tree: Call, definition: ExpressionFunction, text: string): void {
  const count = tree.arguments.length;
  const { least, most } = argumentCount(definition);
  if (count < least || count > most) {
    throw expressionError(
      text,
      tree.offset,
      `wrong number of arguments (${count}): ${signature(definition)}`,
    );
  }
  if (definition.pairs === true && count % 2 !== 0) {
    throw expressionError(text, tree.offset, `a key without a value: ${signature(definition)}`);
  }
}

function parameterAt({ parameters, pairs }: ExpressionFunction, index: number): Parameter | undefined {
  // Keys and values alternate.
  if (pairs === true && index >= parameters.length) return parameters[index % 2 === 0 ? 2 : 3];
  return parameters[index] ?? parameters.at(-1);
}

function checkArgument(
  argument: Expression,
  parameter: Parameter | undefined,
  definition: ExpressionFunction,
  text: string,
): void {
  if (parameter === undefined) return;
  const where = `${parameter.name} of ${definition.name}`;
  if (argument.kind === "omitted") {
    const mayBe = parameter.optional === true || parameter.repeats === true || definition.pairs === true;
    if (!mayBe) throw expressionError(text, argument.offset, `${where} is missing: ${signature(definition)}`);
    return;
  }
  if (argument.kind === "condition" && parameter.type !== "condition") {
    const sentence = `${where} is not a condition; comparisons are allowed only in IIF and CBool`;
    throw expressionError(text, argument.offset, sentence);
  }
  if (parameter.group === true) checkGroup(argument, where, text);
  if (argument.kind !== "constant") return;
  try {
    if (parameter.type === "number") number(argument.value, where);
    if (parameter.type === "date") instant(argument.value, where);
    parameter.check?.(argument.value);
  } catch (error) {
    if (error instanceof MappingError) throw expressionError(text, argument.offset, error.message);
    throw error;
  }
}

/** The groups that the tree names, each once. Its functions and their arguments are checked already. */
export function groupsIn(tree: Expression): readonly string[] {
  const groups = new Set<string>();
  visit(tree, (node) => {
    if (node.kind !== "call") return;
    const definition = expressionFunctions.get(node.name);
    node.arguments.forEach((argument, index) => {
      if (definition === undefined || argument.kind !== "constant") return;
      if (parameterAt(definition, index)?.group === true) groups.add(toText(argument.value));
    });
  });
  return [...groups];
}

function checkGroup(argument: Expression, where: string, text: string): void {
  if (argument.kind === "constant" && typeof argument.value === "string" && argument.value.trim() !== "")
    return;
  const sentence = `${where} must be the display name or object id of a group, in quotation marks`;
  throw expressionError(text, argument.offset, sentence);
}

/** A condition on an attribute without a value is false, whatever the operator (Entra's rule for IIF). */
function compare(operator: string, left: Value, right: Value): boolean {
  if (isEmpty(left)) return false;
  const order = orderOf(left, right);
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

/** Compares numbers as numbers (one of the two may be a text), dates as dates, anything else as text. */
function orderOf(left: Value, right: Value): number {
  if (isInstant(left) && isInstant(right)) return left.epochMs - right.epochMs;
  if (typeof left === "number" || typeof right === "number") {
    const [first, second] = [numeric(left), numeric(right)];
    if (first !== null && second !== null) return first - second;
  }
  return compareText(toText(left), toText(right));
}

function numeric(value: Value): number | null {
  if (typeof value === "number") return value;
  const written = toText(value).trim();
  return /^-?\d+(\.\d+)?$/.test(written) ? Number(written) : null;
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
