import { MappingError } from "../../../domain/errors.ts";
import { withoutDiacritics } from "../diacritics.ts";
import { isEmpty, refuseLong, toText, type Value } from "../value.ts";
import { type Argument, type ExpressionFunction, integer, list, text } from "./definition.ts";

const source = { name: "source", type: "text" } as const;
const culture = { name: "culture", type: "text", optional: true } as const;

export const textFunctions: readonly ExpressionFunction[] = [
  {
    name: "Append",
    parameters: [source, { name: "suffix", type: "text" }],
    summary: "Adds the suffix to the end of the source.",
    example: {
      expression: 'Append([userPrincipalName], ".test")',
      attributes: { userPrincipalName: "kim@example.com" },
      result: "kim@example.com.test",
    },
    evaluate: ([value, suffix]) => text(value) + text(suffix),
  },
  {
    name: "Prepend",
    parameters: [{ name: "prefix", type: "text" }, source],
    summary: "Adds the prefix to the beginning of the source.",
    example: {
      expression: 'Prepend("ext-", [mailNickname])',
      attributes: { mailNickname: "kim" },
      result: "ext-kim",
    },
    evaluate: ([prefix, value]) => text(prefix) + text(value),
  },
  {
    name: "ConvertToBase64",
    parameters: [source],
    summary: "The text in UTF-16 (little-endian) as base64.",
    example: { expression: 'ConvertToBase64("Hello world!")', result: "SABlAGwAbABvACAAdwBvAHIAbABkACEA" },
    evaluate: ([value]) => orNull(value, (written) => Buffer.from(written, "utf16le").toString("base64")),
  },
  {
    name: "ConvertToUTF8Hex",
    parameters: [source],
    summary: "The bytes of the text in UTF-8, as upper-case hexadecimal digits.",
    example: { expression: 'ConvertToUTF8Hex("Hello world!")', result: "48656C6C6F20776F726C6421" },
    evaluate: ([value]) =>
      orNull(value, (written) => Buffer.from(written, "utf8").toString("hex").toUpperCase()),
  },
  {
    name: "CStr",
    parameters: [{ name: "value", type: "any" }],
    summary: "Converts a number, a boolean or a date to text.",
    example: { expression: "CStr([accountEnabled])", attributes: { accountEnabled: true }, result: "True" },
    evaluate: ([value]) => (value === null || value === undefined ? null : toText(value)),
  },
  {
    name: "InStr",
    parameters: [
      { name: "value1", type: "text" },
      { name: "value2", type: "text" },
      { name: "start", type: "number", optional: true },
      { name: "compareType", type: "text", optional: true, check: compareType },
    ],
    summary:
      "The position of the second text in the first, counted from 1; 0 if it does not occur. vbTextCompare ignores case.",
    example: { expression: 'InStr("repEated", "e", 3, vbBinaryCompare)', result: "7" },
    evaluate: ([whole, part, start, compare]) => {
      const from = start === undefined ? 1 : integer(start, "start");
      if (from < 1) throw new MappingError(`start of InStr counts from 1, but is ${from}`);
      const fold = compare !== undefined && compareType(compare);
      const [haystack, needle] = [text(whole), text(part)];
      const at = fold
        ? haystack.toLowerCase().indexOf(needle.toLowerCase(), from - 1)
        : haystack.indexOf(needle, from - 1);
      return at + 1;
    },
  },
  {
    name: "Join",
    parameters: [
      { name: "separator", type: "text" },
      { name: "source", type: "any", repeats: true },
    ],
    summary:
      "Joins the sources with the separator between them. Empty sources are left out; each of several values counts as a source.",
    example: {
      expression: 'Join(", ", "", [surname], [givenName])',
      attributes: { givenName: "Kim", surname: "Example" },
      result: "Example, Kim",
    },
    evaluate: ([separator, ...sources]) => {
      const parts = sources.flatMap(list).filter((part) => part !== "");
      const between = text(separator);
      refuseLong(parts.reduce((sum, part) => sum + part.length + between.length, 0));
      return parts.join(between);
    },
  },
  {
    name: "Left",
    parameters: [
      { name: "string", type: "text" },
      { name: "numberOfCharacters", type: "number" },
    ],
    summary: "The given number of characters from the beginning; all characters if the number is negative.",
    example: { expression: 'Left("Kim Example", 3)', result: "Kim" },
    evaluate: ([value, count]) => {
      const length = integer(count, "numberOfCharacters of Left");
      return length < 0 ? text(value) : text(value).slice(0, length);
    },
  },
  {
    name: "Mid",
    parameters: [source, { name: "start", type: "number" }, { name: "length", type: "number" }],
    summary: "A part of the text, from a position counted from 1.",
    example: {
      expression: "Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))",
      attributes: { givenName: "Kimberly", surname: "Doe" },
      result: "KimDoe",
    },
    evaluate: ([value, start, length]) => {
      const from = Math.max(0, integer(start, "start of Mid") - 1);
      return text(value).slice(from, from + Math.max(0, integer(length, "length of Mid")));
    },
  },
  {
    name: "NormalizeDiacritics",
    parameters: [source],
    summary: "Removes the marks of Latin letters; æ becomes ae, ø and œ become oe, ß becomes ss.",
    example: {
      expression: "NormalizeDiacritics([givenName])",
      attributes: { givenName: "Zoë" },
      result: "Zoe",
    },
    evaluate: ([value]) => orNull(value, withoutDiacritics),
  },
  {
    name: "PCase",
    parameters: [source, { name: "wordSeparators", type: "text", optional: true }],
    summary:
      "Each word with a capital first letter and lower-case letters after it. Default separators: those of .NET's ToTitleCase.",
    example: {
      expression: 'PCase([surname], " \'-")',
      attributes: { surname: "PINTO-DE'SILVA" },
      result: "Pinto-De'Silva",
    },
    evaluate: ([value, separators]) =>
      orNull(value, (written) => properCase(written, separators === undefined ? null : text(separators))),
  },
  {
    name: "Redact",
    parameters: [{ name: "value", type: "any" }],
    summary: "The value. Reports and logs show [Redact] instead of it.",
    example: { expression: "Redact([employeeId])", attributes: { employeeId: "E1" }, result: "E1" },
    evaluate: ([value]) => value ?? null,
  },
  {
    name: "StripSpaces",
    parameters: [source],
    summary: "The text without spaces.",
    example: {
      expression: "StripSpaces([displayName])",
      attributes: { displayName: "Kim Example" },
      result: "KimExample",
    },
    evaluate: ([value]) => text(value).replaceAll(" ", ""),
  },
  {
    name: "ToLower",
    parameters: [source, culture],
    summary: "The text in lower case, by the rules of a culture such as tr-TR if one is given.",
    example: {
      expression: "ToLower([userPrincipalName])",
      attributes: { userPrincipalName: "Kim@Example.com" },
      result: "kim@example.com",
    },
    evaluate: ([value, locale]) => orNull(value, (written) => written.toLocaleLowerCase(localeOf(locale))),
  },
  {
    name: "ToUpper",
    parameters: [source, culture],
    summary: "The text in upper case, by the rules of a culture such as tr-TR if one is given.",
    example: { expression: "ToUpper([country])", attributes: { country: "de" }, result: "DE" },
    evaluate: ([value, locale]) => orNull(value, (written) => written.toLocaleUpperCase(localeOf(locale))),
  },
  {
    name: "Trim",
    parameters: [source],
    summary: "The text without white space at the beginning and the end.",
    example: { expression: "Trim([displayName])", attributes: { displayName: " Kim " }, result: "Kim" },
    evaluate: ([value]) => orNull(value, (written) => written.trim()),
  },
  {
    name: "Word",
    parameters: [
      { name: "string", type: "text" },
      { name: "wordNumber", type: "number" },
      { name: "delimiters", type: "text" },
    ],
    summary: "One of the words, counted from 1. Any of the delimiters separates words.",
    example: { expression: 'Word("This,string!has&many separators", 3, ",!&#")', result: "has" },
    evaluate: ([value, wanted, delimiters]) => {
      const index = integer(wanted, "wordNumber of Word");
      const ends = new Set(text(delimiters));
      const words = [...text(value)].reduce<string[]>(
        (all, character) => {
          if (ends.has(character)) all.push("");
          else all.push((all.pop() ?? "") + character);
          return all;
        },
        [""],
      );
      return words.filter((word) => word !== "")[index - 1] ?? "";
    },
  },
];

/** Applies `change`; no value stays no value. */
function orNull(value: Argument, change: (written: string) => string): Value {
  return value === undefined || isEmpty(value) ? null : change(toText(value));
}

/** @returns whether case is ignored. @throws MappingError for any other word */
function compareType(value: Value): boolean {
  if (toText(value) === "vbTextCompare") return true;
  if (toText(value) === "vbBinaryCompare") return false;
  throw new MappingError("compareType must be vbTextCompare or vbBinaryCompare");
}

/** A word for ToTitleCase: the text between separators. An apostrophe is not a separator. */
const titleWord = /(?:'|[^\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}])+/gu;

/** Each word with a capital first letter, and small letters after it. */
function properCase(written: string, separators: string | null): string {
  if (separators === null) return written.replaceAll(titleWord, capitalised);
  const ends = new Set(separators);
  let result = "";
  let word = "";
  for (const character of written) {
    if (ends.has(character)) {
      result += capitalised(word) + character;
      word = "";
    } else word += character;
  }
  return result + capitalised(word);
}

function capitalised(word: string): string {
  const [first = ""] = word;
  return first.toUpperCase() + word.slice(first.length).toLowerCase();
}

/** "en-US" stands for the invariant culture, because it has no case rules of its own. An unknown culture counts as that one. */
function localeOf(argument: Argument): string {
  try {
    return Intl.getCanonicalLocales(text(argument))[0] ?? "en-US";
  } catch (error) {
    if (error instanceof RangeError) return "en-US";
    throw error;
  }
}
