import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { MappingError, UsageError } from "../domain/errors.ts";
import type { SourceUser } from "../domain/source.ts";
import { compileRegex } from "./dotnet-regex.ts";
import { type SourceAttribute, sourceAttribute } from "./source-attributes.ts";
import { fromJson, isEmpty, toText, type Value } from "./value.ts";

const clauseSchema = z.strictObject({
  attribute: z.string(),
  operator: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  match: z.enum(["whole", "anywhere"]).optional(),
});
const filtersSchema = z.array(
  z.strictObject({ name: z.string().optional(), clauses: z.array(clauseSchema).min(1) }),
);

interface Clause {
  readonly text: string;
  readonly attribute: SourceAttribute;
  readonly matches: (value: Value) => boolean;
}

/** Clauses of one filter are joined by AND, several filters by OR; no filter lets everybody pass. */
export interface ScopingFilters {
  readonly properties: readonly string[];
  /** `null` where the person passes, else the clause that failed in the last filter tried. */
  readonly rejects: (user: SourceUser) => string | null;
}

type Test = (value: Value) => boolean;
type Operator =
  | { readonly unary: true; readonly test: Test }
  /** @throws MappingError where the operand can never be right */
  | { readonly unary: false; readonly prepare: (operand: string, match: "whole" | "anywhere") => Test };

const operators: { readonly [name: string]: Operator } = {
  EQUALS: binary((operand) => (value) => toText(value) === operand),
  "NOT EQUALS": binary((operand) => (value) => toText(value) !== operand),
  "IS TRUE": { unary: true, test: (value) => value === true },
  "IS FALSE": { unary: true, test: (value) => value === false },
  "IS NULL": { unary: true, test: isEmpty },
  "IS NOT NULL": { unary: true, test: (value) => !isEmpty(value) },
  "REGEX MATCH": binary((operand, match) => regexTest(operand, match)),
  "NOT REGEX MATCH": binary((operand, match) => {
    const test = regexTest(operand, match);
    return (value) => !test(value);
  }),
  GREATER_THAN: binary((operand) => compared(operand, (value, limit) => value > limit)),
  GREATER_THAN_OR_EQUALS: binary((operand) => compared(operand, (value, limit) => value >= limit)),
  INCLUDES: binary((operand) => (value) => toText(value).includes(operand)),
  ENDS_WITH: binary((operand) => (value) => toText(value).endsWith(operand)),
  "&": binary((operand) => compared(operand, (value, bits) => (value & bits) !== 0n)),
  "!&": binary((operand) => compared(operand, (value, bits) => (value & bits) === 0n)),
};

function binary(prepare: (operand: string, match: "whole" | "anywhere") => Test): Operator {
  return { unary: false, prepare };
}

/** Entra's documentation says nothing of anchors; its examples are patterns of the whole value. */
function regexTest(pattern: string, match: "whole" | "anywhere"): Test {
  const regex = compileRegex(pattern).pattern;
  return match === "whole" ? (value) => regex.testExact(toText(value)) : (value) => regex.test(toText(value));
}

/** A value that is no whole number from 0 on meets nothing. */
function compared(operand: string, test: (value: bigint, operand: bigint) => boolean): Test {
  const limit = wholeNumber(operand);
  if (limit === null)
    throw new MappingError(`needs a whole number from 0 on, not ${JSON.stringify(operand)}`);
  return (value) => {
    const given = wholeNumber(toText(value));
    return given !== null && test(given, limit);
  };
}

function wholeNumber(written: string): bigint | null {
  return /^\d{1,30}$/.test(written.trim()) ? BigInt(written.trim()) : null;
}

/**
 * Reads scoping filters from configuration.
 * Source: "Define conditional rules for provisioning user accounts" (an attribute without a value fails every
 * clause but IS NULL).
 * @param options.guests whether guests (Graph `userType`) may pass at all
 * @throws UsageError for an unknown attribute or operator, and for a value that an operator cannot take
 */
export function parseScopingFilters(raw: unknown, options: { guests: boolean }): ScopingFilters {
  const parsed = filtersSchema.safeParse(raw ?? []);
  if (!parsed.success) {
    throw new UsageError(
      `entra.scope.filters is a list of { name, clauses: [{ attribute, operator, value }] }: ${z.prettifyError(parsed.error)}`,
    );
  }
  const filters = parsed.data.map((filter) => filter.clauses.map(compileClause));
  return {
    properties: [...new Set(filters.flat().flatMap((clause) => clause.attribute.property ?? []))],
    rejects: (user) => {
      if (!options.guests && isGuest(user)) return "guests are out of scope";
      let failed: string | null = null;
      for (const clauses of filters) {
        const failing = clauses.find(
          (clause) => !clause.matches(clause.attribute.read(user, { inScope: true })),
        );
        if (failing === undefined) return null;
        failed = failing.text;
      }
      return failed;
    },
  };
}

function isGuest(user: SourceUser): boolean {
  return toText(fromJson(user.attributes.userType)).toLowerCase() === "guest";
}

function compileClause(clause: z.infer<typeof clauseSchema>): Clause {
  const wanted = spelling(clause.operator);
  const name = Object.keys(operators).find((known) => spelling(known) === wanted);
  const operator = name === undefined ? undefined : operators[name];
  if (name === undefined || operator === undefined) {
    throw new UsageError(
      `unknown operator "${clause.operator}" in entra.scope.filters; did you mean "${closest(wanted, Object.keys(operators))}"?`,
    );
  }
  const where = `the operator ${name} on "${clause.attribute}" in entra.scope.filters`;
  if (!operator.unary && clause.value === undefined) throw new UsageError(`${where} needs a value`);
  if (clause.match !== undefined && !name.endsWith("REGEX MATCH")) {
    throw new UsageError(`${where} takes no match: it is for REGEX MATCH and NOT REGEX MATCH`);
  }
  const operand = toText(clause.value ?? null);
  const test = operator.unary ? operator.test : prepared(operator, operand, clause.match ?? "whole", where);
  return {
    text: `${clause.attribute} ${name}${operator.unary ? "" : ` ${JSON.stringify(operand)}`}`,
    attribute: sourceAttribute(clause.attribute),
    matches: (value) => (isEmpty(value) ? name === "IS NULL" : test(value)),
  };
}

function prepared(
  operator: Extract<Operator, { unary: false }>,
  operand: string,
  match: "whole" | "anywhere",
  where: string,
): Test {
  try {
    return operator.prepare(operand, match);
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    throw new UsageError(`${where}: ${error.message}`, { cause: error });
  }
}

/** Entra writes an operator one way in its portal and another in an export. */
function spelling(operator: string): string {
  return operator
    .trim()
    .toUpperCase()
    .replaceAll(/[_\s]+/g, " ");
}
