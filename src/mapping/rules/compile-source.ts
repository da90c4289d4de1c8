import { UsageError } from "../../domain/errors.ts";
import type { SourceUser } from "../../domain/source.ts";
import { compileBounded } from "../language/bounded.ts";
import { groupsIn, unsteadyCall } from "../language/evaluate.ts";
import {
  attributesOf,
  callsOf,
  concealedIn,
  expressionError,
  parseExpression,
} from "../language/expression.ts";
import type { Environment } from "../language/functions/definition.ts";
import { singleStep, traceExpression, traceSource } from "../language/trace.ts";
import type { AttributeMapping, MappingContext } from "./attribute-mapping.ts";
import type { Rule } from "./rule.ts";
import { type MappedAttribute, mappedAttribute } from "./source-attributes.ts";

/** The source of a mapping, ready to give values, and everything that the values depend on. */
export interface CompiledSource
  extends Pick<AttributeMapping, "evaluate" | "trace" | "concealed" | "origin" | "redacted"> {
  readonly reads: readonly MappedAttribute[];
  /** Groups whose members must be known, as the expression names them. */
  readonly groups: readonly string[];
  /** It is another person: the manager. */
  readonly reference: boolean;
}

/** @throws UsageError if the source cannot give values */
export function compileSource(rule: Rule): CompiledSource {
  if (rule.constant !== undefined) return constantSource(rule.constant);
  if (rule.source !== undefined) return attributeSource(rule.source);
  return expressionSource(rule.expression ?? "", rule);
}

function constantSource(constant: NonNullable<Rule["constant"]>): CompiledSource {
  const origin = JSON.stringify(constant);
  return {
    evaluate: () => constant,
    trace: () => ({ outcome: constant, trace: singleStep("constant", origin, constant) }),
    concealed: [],
    reads: [],
    groups: [],
    origin,
    redacted: false,
    reference: false,
  };
}

function attributeSource(source: string): CompiledSource {
  const attribute = mappedAttribute(source);
  const { read, reference } = attribute;
  return {
    evaluate: read,
    trace: (user, context) => traceSource(source, () => read(user, context)),
    concealed: [],
    reads: [attribute],
    groups: [],
    origin: source,
    redacted: false,
    reference,
  };
}

function expressionSource(
  text: string,
  { apply, matchingPrecedence }: Pick<Rule, "apply" | "matchingPrecedence">,
): CompiledSource {
  const tree = parseExpression(text);
  // First: if a function cannot be used, that says more than an unreadable attribute.
  const evaluator = compileBounded(tree, text);
  const readers = new Map(
    [...attributesOf(tree)].map(([name, offset]) => [name, attributeAt(name, offset, text)]),
  );
  const unsteady = unsteadyCall(tree);
  if (unsteady !== undefined && (apply !== "onCreate" || matchingPrecedence !== undefined)) {
    throw new UsageError(
      `${unsteady}() gives a different value each time: it needs apply: onCreate and cannot be used for matching`,
    );
  }
  const reader = (user: SourceUser, context: MappingContext) => (name: string) =>
    readers.get(name)?.read(user, context) ?? null;
  const groups = groupsIn(tree);
  const environmentOf = ({ environment, groups: joined }: MappingContext): Environment =>
    groups.length === 0 ? environment : { ...environment, isMember: (group) => joined.has(group) };
  return {
    evaluate: (user, context) => evaluator(reader(user, context), environmentOf(context)),
    trace: (user, context) => traceExpression(tree, text, reader(user, context), environmentOf(context)),
    concealed: concealedIn(tree).map((name) => {
      const reader = readers.get(name);
      return reader === undefined || reader.ofManager ? name : (reader.property ?? name);
    }),
    reads: [...readers.values()],
    groups,
    origin: text,
    redacted: callsOf(tree).includes("Redact"),
    reference: false,
  };
}

function attributeAt(name: string, offset: number, text: string): MappedAttribute {
  try {
    return mappedAttribute(name);
  } catch (error) {
    if (error instanceof UsageError) throw expressionError(text, offset, error.message);
    throw error;
  }
}
