import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { MappingError, UsageError } from "../../domain/errors.ts";
import type { SourceUser } from "../../domain/source.ts";
import { datedTest, dateOperators, holdsAt, nextChange } from "../language/date-operators.ts";
import { compileRegex } from "../language/dotnet-regex.ts";
import { isEmpty, toText, type Value } from "../language/value.ts";
import { type SourceAttribute, sourceAttribute } from "./source-attributes.ts";

const attributeClauseSchema = z.strictObject({
  attribute: z.string(),
  operator: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  match: z.enum(["whole", "anywhere"]).optional(),
});
/** A clause as written in the configuration. */
export const clauseSchema = z.union([
  attributeClauseSchema,
  z.strictObject({ memberOf: z.string() }),
  z.strictObject({ notMemberOf: z.string() }),
]);

/** Everything that a verdict depends on besides the person. */
export interface ScopeContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Those of `ScopingFilters.groups` that the person is a member of. */
  readonly groups: ReadonlySet<string>;
}

/** One clause, ready to be applied. */
export interface Clause {
  readonly text: string;
  readonly attribute: string;
  readonly operator: string;
  readonly expected: string | null;
  readonly property: string | null;
  /** `person`: a verdict depends on nothing else. */
  readonly restsOn: "person" | "time" | "groups";
  readonly holds: (user: SourceUser, context: ScopeContext) => boolean;
  readonly changesAt: (user: SourceUser, now: number) => number | null;
  readonly actual: (user: SourceUser, context: ScopeContext) => string | null;
}

type Test = (value: Value) => boolean;
type Operator =
  | { readonly unary: true; readonly test: Test }
  /** @throws MappingError if the operand can never be right */
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

/** Entra's documentation does not mention anchors; its examples are patterns for the whole value. */
function regexTest(pattern: string, match: "whole" | "anywhere"): Test {
  const regex = compileRegex(pattern).pattern;
  return match === "whole" ? (value) => regex.testExact(toText(value)) : (value) => regex.test(toText(value));
}

/** Any value that is not a whole number from 0 on matches nothing. */
function compared(operand: string, test: (value: bigint, operand: bigint) => boolean): Test {
  const limit = wholeNumber(operand);
  if (limit === null)
    throw new MappingError(`needs a whole number, 0 or more, not ${JSON.stringify(operand)}`);
  return (value) => {
    const given = wholeNumber(toText(value));
    return given !== null && test(given, limit);
  };
}

function wholeNumber(written: string): bigint | null {
  return /^\d{1,30}$/.test(written.trim()) ? BigInt(written.trim()) : null;
}

/**
 * @param timeZone IANA name; decides when a day begins
 * @throws UsageError for an unknown attribute or operator, and for a value that the operator cannot take
 */
export function compileClause(clause: z.infer<typeof clauseSchema>, timeZone: string): Clause {
  if ("memberOf" in clause) return groupClause(clause.memberOf, true);
  if ("notMemberOf" in clause) return groupClause(clause.notMemberOf, false);
  return attributeClause(clause, timeZone);
}

function groupClause(name: string, member: boolean): Clause {
  const group = name.trim();
  if (group === "") throw new UsageError("the group of a clause in entra.scope.filters is empty");
  const operator = member ? "MEMBER OF" : "NOT MEMBER OF";
  return {
    text: `${operator} ${JSON.stringify(group)}`,
    attribute: "memberOf",
    operator,
    expected: group,
    property: null,
    restsOn: "groups",
    holds: (_user, { groups }) => groups.has(group) === member,
    changesAt: () => null,
    actual: (_user, { groups }) => (groups.has(group) ? group : null),
  };
}

function attributeClause(clause: z.infer<typeof attributeClauseSchema>, timeZone: string): Clause {
  const wanted = spelling(clause.operator);
  const names = [...Object.keys(operators), ...Object.keys(dateOperators)];
  const name = names.find((known) => spelling(known) === wanted);
  const { attribute, fault } = attributeOf(clause.attribute);
  if (name === undefined) {
    const unknown = `unknown operator "${clause.operator}" in entra.scope.filters; did you mean "${closest(wanted, names)}"?`;
    throw new UsageError(fault === undefined ? unknown : `${unknown}; ${fault.message}`);
  }
  if (fault !== undefined) throw fault;
  const where = `the operator ${name} on "${clause.attribute}" in entra.scope.filters`;
  const operator = operators[name];
  const takesValue = operator === undefined ? dateOperators[name]?.days === true : !operator.unary;
  const given = clause.value !== undefined && clause.value !== "";
  if (takesValue && clause.value === undefined) throw new UsageError(`${where} needs a value`);
  if (!takesValue && given) {
    throw new UsageError(`${where} takes no value: remove "value"${instead(name, clause.value)}`);
  }
  if (clause.match !== undefined && !name.endsWith("REGEX MATCH")) {
    throw new UsageError(
      `${where} takes no match: remove "match", which is only for REGEX MATCH and NOT REGEX MATCH`,
    );
  }
  const operand = toText(clause.value ?? null);
  const valueFrom = (user: SourceUser): Value => attribute.read(user, { inScope: true });
  const common = {
    text: `${clause.attribute} ${name}${takesValue ? ` ${JSON.stringify(operand)}` : ""}`,
    attribute: clause.attribute,
    operator: name,
    expected: takesValue ? operand : null,
    property: attribute.property,
    actual: (user: SourceUser) => {
      const value = valueFrom(user);
      return isEmpty(value) ? null : toText(value);
    },
  };
  if (operator === undefined) {
    const period = datedTest(name, takesValue ? daysOf(operand, where) : 0, timeZone);
    return {
      ...common,
      restsOn: "time",
      holds: (user, { now }) => {
        const when = period(valueFrom(user));
        return when !== null && holdsAt(when, now);
      },
      changesAt: (user, now) => {
        const when = period(valueFrom(user));
        return when === null ? null : nextChange(when, now);
      },
    };
  }
  const test = operator.unary ? operator.test : prepared(operator, operand, clause.match ?? "whole", where);
  return {
    ...common,
    restsOn: "person",
    holds: (user) => {
      const value = valueFrom(user);
      return isEmpty(value) ? name === "IS NULL" : test(value);
    },
    changesAt: () => null,
  };
}

/** For a clause that gives a value to an operator without one: names the operator that compares. */
function instead(name: string, value: unknown): string {
  const comparing: { readonly [name: string]: string } = { "IS NULL": "EQUALS", "IS NOT NULL": "NOT EQUALS" };
  const operator = comparing[name] ?? (name in dateOperators ? "WITHIN DAYS" : undefined);
  return operator === undefined ? "" : `, or use ${operator} to compare with ${JSON.stringify(value)}`;
}

type Found =
  | { readonly attribute: SourceAttribute; readonly fault?: never }
  | { readonly attribute?: never; readonly fault: UsageError };

function attributeOf(name: string): Found {
  try {
    return { attribute: sourceAttribute(name) };
  } catch (error) {
    if (error instanceof UsageError) return { fault: error };
    throw error;
  }
}

const mostDays = 36_500;

function daysOf(operand: string, where: string): number {
  const days = wholeNumber(operand);
  if (days === null || days > mostDays) {
    throw new UsageError(
      `${where} needs a whole number of days from 0 to ${mostDays}, not ${JSON.stringify(operand)}`,
    );
  }
  return Number(days);
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
