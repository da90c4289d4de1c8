import { isEmpty, toText, type Value } from "./value.ts";

/** One function of the expression language. Arguments arrive evaluated; an omitted one is `undefined`. */
export interface ExpressionFunction {
  readonly name: string;
  readonly signature: string;
  readonly minArguments: number;
  readonly maxArguments: number;
  readonly evaluate: (...args: readonly (Value | undefined)[]) => Value;
}

type Argument = Value | undefined;

const text = (argument: Argument): string => toText(argument ?? null);
const many = Number.POSITIVE_INFINITY;

/** Semantics: "Reference for writing expressions for attribute mappings in Microsoft Entra ID". */
const table: readonly ExpressionFunction[] = [
  {
    name: "Append",
    signature: "Append(source, suffix)",
    minArguments: 2,
    maxArguments: 2,
    evaluate: (source, suffix) => text(source) + text(suffix),
  },
  {
    name: "Coalesce",
    signature: "Coalesce(source1, source2, ..., default)",
    minArguments: 1,
    maxArguments: many,
    evaluate: (...sources) => sources.find((source) => source !== null && source !== undefined) ?? null,
  },
  {
    name: "IIF",
    signature: "IIF(condition, valueIfTrue, valueIfFalse)",
    minArguments: 3,
    maxArguments: 3,
    evaluate: (condition, whenTrue, whenFalse) => (isTrue(condition) ? whenTrue : whenFalse) ?? null,
  },
  {
    name: "IsNull",
    signature: "IsNull(expression)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (value) => value === null || value === undefined,
  },
  {
    name: "IsNullOrEmpty",
    signature: "IsNullOrEmpty(expression)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (value) => isEmpty(value ?? null),
  },
  {
    name: "IsPresent",
    signature: "IsPresent(expression)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (value) => !isEmpty(value ?? null),
  },
  {
    name: "Join",
    signature: "Join(separator, source1, source2, ...)",
    minArguments: 2,
    maxArguments: many,
    evaluate: (separator, ...sources) => {
      const parts = sources.flatMap((source) => (Array.isArray(source) ? source : [text(source)]));
      return parts.filter((part) => part !== "").join(text(separator));
    },
  },
  {
    name: "Left",
    signature: "Left(string, numberOfCharacters)",
    minArguments: 2,
    maxArguments: 2,
    evaluate: (source, count) => {
      const length = Number(text(count));
      return length < 0 ? text(source) : text(source).slice(0, length);
    },
  },
  {
    name: "Mid",
    signature: "Mid(source, start, length)",
    minArguments: 3,
    maxArguments: 3,
    evaluate: (source, start, length) => {
      const from = Math.max(0, Number(text(start)) - 1);
      return text(source).slice(from, from + Math.max(0, Number(text(length))));
    },
  },
  {
    name: "Not",
    signature: "Not(source)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (value) => !isTrue(value),
  },
  {
    name: "StripSpaces",
    signature: "StripSpaces(source)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (source) => text(source).replaceAll(" ", ""),
  },
  {
    name: "Switch",
    signature: "Switch(source, defaultValue, key1, value1, key2, value2, ...)",
    minArguments: 4,
    maxArguments: many,
    evaluate: (source, otherwise, ...pairs) => {
      const wanted = text(source);
      for (let index = 0; index + 1 < pairs.length; index += 2) {
        if (text(pairs[index]) === wanted) return pairs[index + 1] ?? null;
      }
      return otherwise ?? null;
    },
  },
  {
    name: "ToLower",
    signature: "ToLower(source, culture)",
    minArguments: 1,
    maxArguments: 2,
    evaluate: (source, culture) =>
      withCulture(source, culture, (value, locale) => value.toLocaleLowerCase(locale)),
  },
  {
    name: "ToUpper",
    signature: "ToUpper(source, culture)",
    minArguments: 1,
    maxArguments: 2,
    evaluate: (source, culture) =>
      withCulture(source, culture, (value, locale) => value.toLocaleUpperCase(locale)),
  },
  {
    name: "Trim",
    signature: "Trim(source)",
    minArguments: 1,
    maxArguments: 1,
    evaluate: (source) => (isEmpty(source ?? null) ? null : text(source).trim()),
  },
];

/** All functions by name; names are case-sensitive, as in Entra. */
export const expressionFunctions: ReadonlyMap<string, ExpressionFunction> = new Map(
  table.map((entry) => [entry.name, entry]),
);

function isTrue(value: Argument): boolean {
  return value === true || text(value).toLowerCase() === "true";
}

function withCulture(
  source: Argument,
  culture: Argument,
  change: (value: string, locale: string) => string,
): Value {
  if (isEmpty(source ?? null)) return null;
  return change(text(source), localeOf(text(culture)));
}

/** "en-US" stands for the invariant culture: it has no case rules of its own. So it does for what names no culture. */
function localeOf(culture: string): string {
  try {
    return Intl.getCanonicalLocales(culture)[0] ?? "en-US";
  } catch (error) {
    if (error instanceof RangeError) return "en-US";
    throw error;
  }
}
