import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { UsageError } from "../domain/errors.ts";
import type { SourceUser } from "../domain/source.ts";
import { type SourceAttribute, sourceAttribute } from "./source-attributes.ts";
import { fromJson, isEmpty, toText, type Value } from "./value.ts";

const clauseSchema = z.strictObject({
  attribute: z.string(),
  operator: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
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

type Operator = { readonly unary: boolean; readonly test: (value: Value, operand: string) => boolean };

const operators: { readonly [name: string]: Operator } = {
  EQUALS: { unary: false, test: (value, operand) => toText(value) === operand },
  "NOT EQUALS": { unary: false, test: (value, operand) => toText(value) !== operand },
  "IS TRUE": { unary: true, test: (value) => value === true },
  "IS FALSE": { unary: true, test: (value) => value === false },
  "IS NULL": { unary: true, test: isEmpty },
  "IS NOT NULL": { unary: true, test: (value) => !isEmpty(value) },
  INCLUDES: { unary: false, test: (value, operand) => toText(value).includes(operand) },
  ENDS_WITH: { unary: false, test: (value, operand) => toText(value).endsWith(operand) },
};

/**
 * Reads scoping filters from configuration.
 * Source: "Define conditional rules for provisioning user accounts" (an attribute without a value fails every
 * clause but IS NULL).
 * @param options.guests whether guests (Graph `userType`) may pass at all
 * @throws UsageError for an unknown attribute or operator
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
  const name = clause.operator.toUpperCase().replace(/^IS_/, "IS ").replace("NOT_", "NOT ");
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (operator === undefined) {
    throw new UsageError(
      `unknown operator "${clause.operator}" in entra.scope.filters; did you mean "${closest(name, Object.keys(operators))}"?`,
    );
  }
  if (!operator.unary && clause.value === undefined) {
    throw new UsageError(
      `the operator ${name} on "${clause.attribute}" in entra.scope.filters needs a value`,
    );
  }
  const operand = toText(clause.value ?? null);
  return {
    text: `${clause.attribute} ${name}${operator.unary ? "" : ` ${JSON.stringify(operand)}`}`,
    attribute: sourceAttribute(clause.attribute),
    matches: (value) => (isEmpty(value) ? name === "IS NULL" : operator.test(value, operand)),
  };
}
