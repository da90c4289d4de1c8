import { MappingError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import { compileBounded } from "./bounded.ts";
import type { AttributeReader } from "./evaluate.ts";
import { callsOf, concealedIn, type Expression, printExpression } from "./expression.ts";
import type { Environment } from "./functions/definition.ts";
import { ignoreFlow, isInstant, toText, type Value } from "./value.ts";

/** One part of an expression as computed for one person: plain JSON. */
export interface TraceStep {
  readonly kind: Expression["kind"] | "source";
  /** The part as written. */
  readonly expression: string;
  /** `false` for an argument of a branch that was not taken; it has neither value nor parts. */
  readonly evaluated: boolean;
  /** Its result; `null` for no value, `[Redact]` for a value meant only for Lattice. */
  readonly value: Json;
  /** The value is IgnoreFlowIfNullOrEmpty's: the attribute is neither set nor cleared. */
  readonly ignored?: true;
  /** Why it could not be computed, in words. */
  readonly problem?: string;
  /** The arguments of a call, the two sides of a comparison. */
  readonly parts: readonly TraceStep[];
}

/** An expression's value, and how it was computed. */
export interface Traced {
  /** The result of the plain evaluation, or the error that it throws. */
  readonly outcome: Value | MappingError;
  readonly trace: TraceStep;
}

export const redactedValue = "[Redact]";

/**
 * Evaluates an expression for one person and notes every part. The expression is compiled again, by the same function as the
 * plain one, with a note around each part, so tracing costs a cycle nothing.
 * @param tree an expression that compiles
 */
export function traceExpression(
  tree: Expression,
  text: string,
  read: AttributeReader,
  environment: Environment,
): Traced {
  const seen = new Map<Expression, Value | MappingError>();
  const evaluate = compileBounded(tree, text, (node, evaluator) => (reader, world) => {
    try {
      const value = evaluator(reader, world);
      seen.set(node, value);
      return value;
    } catch (error) {
      if (error instanceof MappingError) seen.set(node, error);
      throw error;
    }
  });
  let outcome: Value | MappingError;
  try {
    outcome = evaluate(read, environment);
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    outcome = error;
  }
  return {
    outcome,
    trace: stepOf(tree, seen, {
      concealed: new Set(concealedIn(tree)),
      within: callsOf(tree).includes("Redact") ? "root" : "open",
    }),
  };
}

/** A constant or a plain attribute, as a trace of one step. */
export function singleStep(kind: "constant" | "source", expression: string, value: Value): TraceStep {
  return { kind, expression, evaluated: true, ...shownValue(value), parts: [] };
}

/** Reads a source attribute, as a trace of one step. */
export function traceSource(name: string, read: () => Value): Traced {
  try {
    const outcome = read();
    return { outcome, trace: singleStep("source", name, outcome) };
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    return { outcome: error, trace: { ...singleStep("source", name, null), problem: error.message } };
  }
}

interface Concealment {
  /** Attributes that the expression redacts anywhere are shown nowhere. */
  readonly concealed: ReadonlySet<string>;
  /** `root`: the value of the part itself is hidden; `redact`: that of every part of it too. */
  readonly within: "open" | "root" | "redact";
}

function stepOf(
  node: Expression,
  seen: ReadonlyMap<Expression, Value | MappingError>,
  { concealed, within }: Concealment,
): TraceStep {
  const { kind } = node;
  const expression = printExpression(node);
  const found = seen.get(node);
  if (found === undefined) return { kind, expression, evaluated: false, value: null, parts: [] };
  const inside = within === "redact" || (kind === "call" && node.name === "Redact") ? "redact" : "open";
  const parts = childrenOf(node)
    .filter((part) => part.kind !== "omitted")
    .map((part) => stepOf(part, seen, { concealed, within: inside }));
  const secret =
    within !== "open" ||
    inside === "redact" ||
    (kind === "attribute" && concealed.has(node.name)) ||
    parts.some(isRedacted);
  if (found instanceof MappingError) {
    // The message may quote the value.
    const problem = secret ? redactedValue : found.message;
    return { kind, expression, evaluated: true, value: null, problem, parts };
  }
  return { kind, expression, evaluated: true, ...(secret ? hide(found) : shownValue(found)), parts };
}

function isRedacted(step: TraceStep): boolean {
  return step.value === redactedValue || step.problem === redactedValue;
}

function hide(value: Value): { value: Json; ignored?: true } {
  if (value === ignoreFlow) return { value: null, ignored: true };
  return { value: value === null ? null : redactedValue };
}

function childrenOf(node: Expression): readonly Expression[] {
  if (node.kind === "call") return node.arguments;
  return node.kind === "condition" ? [node.left, node.right] : [];
}

function shownValue(value: Value): { value: Json; ignored?: true } {
  if (value === ignoreFlow) return { value: null, ignored: true };
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  ) {
    return { value };
  }
  return { value: isInstant(value) ? toText(value) : [...value] };
}
