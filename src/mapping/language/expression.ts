import { UsageError } from "../../domain/errors.ts";
import { parse } from "./grammar/expression-parser.js";

/** A parsed expression. `offset` counts characters from the start of the text. */
export type Expression =
  | {
      readonly kind: "call";
      readonly name: string;
      readonly arguments: readonly Expression[];
      readonly offset: number;
    }
  | { readonly kind: "attribute"; readonly name: string; readonly offset: number }
  | { readonly kind: "constant"; readonly value: string | number | boolean; readonly offset: number }
  | {
      readonly kind: "condition";
      readonly operator: "=" | "<>" | "<" | "<=" | ">" | ">=";
      readonly left: Expression;
      readonly right: Expression;
      readonly offset: number;
    }
  | { readonly kind: "omitted"; readonly offset: number };

/** Entra's own limit (known issues for provisioning). */
const maxLength = 10_000;

/** @throws UsageError with the column and a caret line */
export function parseExpression(text: string): Expression {
  if (text.length > maxLength) {
    throw new UsageError(
      `the expression has ${text.length} characters; Entra and this program allow ${maxLength}`,
    );
  }
  try {
    return parse(text) as Expression;
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    const sentence = error.message.replace(/ but .* found\.$/, "");
    throw expressionError(
      text,
      error.location.start.offset,
      `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`,
    );
  }
}

/** A message with the expression and a caret under the column of the fault. */
export function expressionError(text: string, offset: number, sentence: string): UsageError {
  const window = 60;
  const start = Math.max(0, offset - window);
  const line = text.slice(start, offset + window).replaceAll(/\s/g, " ");
  return new UsageError(`column ${offset + 1}: ${sentence}\n    ${line}\n    ${" ".repeat(offset - start)}^`);
}

/** Calls `see` for each part of the tree, the outer ones first, in the order of the text. */
export function visit(tree: Expression, see: (node: Expression) => void): void {
  see(tree);
  if (tree.kind === "call") for (const argument of tree.arguments) visit(argument, see);
  if (tree.kind === "condition") {
    visit(tree.left, see);
    visit(tree.right, see);
  }
}

/** The source attributes that the expression reads, each with the offset of its first use. */
export function attributesOf(tree: Expression): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  visit(tree, (node) => {
    if (node.kind === "attribute" && !names.has(node.name)) names.set(node.name, node.offset);
  });
  return names;
}

/** Names of the source attributes that are read within `Redact`. */
export function concealedIn(tree: Expression): readonly string[] {
  switch (tree.kind) {
    case "call":
      return tree.name === "Redact" ? [...attributesOf(tree).keys()] : tree.arguments.flatMap(concealedIn);
    case "condition":
      return [...concealedIn(tree.left), ...concealedIn(tree.right)];
    default:
      return [];
  }
}

/** Names of the called functions, one entry for each call. */
export function callsOf(tree: Expression): readonly string[] {
  const names: string[] = [];
  visit(tree, (node) => {
    if (node.kind === "call") names.push(node.name);
  });
  return names;
}

/** The tree as text. Parsing it gives the same tree. */
export function printExpression(tree: Expression): string {
  switch (tree.kind) {
    case "call":
      // A call whose single argument is omitted is a call without arguments.
      return `${tree.name}(${tree.arguments.map(printExpression).join(", ")})`;
    case "attribute":
      return `[${tree.name}]`;
    case "constant":
      return printConstant(tree.value);
    case "condition":
      return `${printExpression(tree.left)} ${tree.operator} ${printExpression(tree.right)}`;
    case "omitted":
      return "";
  }
}

function printConstant(value: string | number | boolean): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return String(value);
  return `"${value.replaceAll(/[\\"]/g, "\\$&")}"`;
}

function isSyntaxError(error: unknown): error is Error & { location: { start: { offset: number } } } {
  return error instanceof Error && "location" in error;
}
