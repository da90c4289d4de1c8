import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MappingError, UsageError } from "../../src/domain/errors.ts";
import { compileBounded } from "../../src/mapping/language/bounded.ts";
import { parseExpression } from "../../src/mapping/language/expression.ts";
import { argumentCount } from "../../src/mapping/language/functions/definition.ts";
import { expressionFunctions } from "../../src/mapping/language/functions/table.ts";
import type { Value } from "../../src/mapping/language/value.ts";
import { fixedEnvironment } from "../mapping/environment.ts";
import { nastyText } from "./arbitraries.ts";

const seed = 20_261_125;
const longest = 10_000;
const promptlyMs = 50;
const environment = fixedEnvironment();

/** Parses and evaluates; anything but a value, a UsageError and a MappingError fails the test. */
function attempt(text: string, read: (name: string) => Value): "value" | "refused" {
  try {
    compileBounded(parseExpression(text), text)(read, environment);
    return "value";
  } catch (error) {
    if (error instanceof UsageError || error instanceof MappingError) return "refused";
    throw error;
  }
}

/** Time of the processor, the least of some attempts: the others were disturbed, or the first of their kind. */
function timed(text: string, read: (name: string) => Value): "value" | "refused" {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round += 1) {
    const before = process.cpuUsage();
    const outcome = attempt(text, read);
    leastMs = Math.min(leastMs, process.cpuUsage(before).user / 1_000);
    if (leastMs <= promptlyMs) return outcome;
  }
  throw new Error(`${leastMs} ms for ${text.slice(0, 300)}`);
}

/** `part` as often as it fits into a call of 10,000 characters, each time a little different. */
function filled(part: (index: number) => string): string {
  const parts: string[] = [];
  for (let length = 12; ; ) {
    const next = part(parts.length);
    length += next.length + 1;
    if (length > longest) return `Join(",",${parts.join(",")})`;
    parts.push(next);
  }
}

function nested(opening: string, closing: string): string {
  const depth = Math.min(99, Math.floor((longest - 3) / (opening.length + closing.length)));
  return `${opening.repeat(depth)}[a]${closing.repeat(depth)}`;
}

const values: readonly Value[] = [
  "aé b,".repeat(longest / 5),
  "a".repeat(longest),
  "Σß İ".repeat(longest / 4),
  "2026-01-31 ".repeat(900),
  Array.from({ length: 1_000 }, (_, index) => `value ${index}`),
];

describe("no input of 10,000 characters takes longer than 50 ms", () => {
  const worst: Readonly<Record<string, string>> = {
    "every letter a text of its own": filled(() => "[a]"),
    "nested to the limit": nested("Append(", ",[a])"),
    "text that doubles": nested('Replace(Append([a],"x"), "x", , , ', ", , )"),
    "text that grows": nested("Replace(", ', "a", , , "aaaaaaaaaaaaaaaaaaaaaaaaaa", , )'),
    "a separator as long as the texts": `Join([a], ${Array(900).fill('"x"').join(",")})`,
    "each match replaced by everything": 'Replace([a], , ".", , "$_", , )',
    diacritics: filled(() => "NormalizeDiacritics([a])"),
    capitals: filled(() => "PCase([a])"),
    "capitals by separators": filled(() => `PCase([a], "b")`),
    "small letters of a culture": filled(() => 'ToLower([a], "tr-TR")'),
    words: filled(() => 'Word([a], 3, ",")'),
    parts: filled(() => 'Split([a], "a")'),
    "single values": filled(() => 'RemoveDuplicates(Split([a], " "))'),
    bytes: filled(() => "ConvertToUTF8Hex([a])"),
    "a switch": `Switch([a], , ${Array(1_200).fill('[a],""').join(",")})`,
    patterns: filled((index) => `Replace([a], , "b${index}", , "c", , )`),
    "patterns on nothing": filled((index) => `Replace([z], , "a{990}${index}", , "b", , )`),
    "classes of Unicode": filled((index) => `Replace([z], , "${"\\\\w".repeat(20)}${index}", , "b", , )`),
    "patterns of the person's": filled(
      (index) => `Replace([a], , Append("\\\\w{9}", "${index}"), , "b", , )`,
    ),
    "a pattern that looks far": 'Replace([a], , "a.*z|a", , "b", , )',
    "a pattern that doubts": 'Replace([a], , "(a*)*b|(a|aa)+c|a", , "b", , )',
    "a pattern that repeats": 'Replace([a], , "(.*a){1,100}", , "b", , )',
    "a pattern nested": 'Replace([a], , "((([a-c]{1,10}){1,10}){1,10})", , "b", , )',
    "date formats": filled((index) => `FormatDateTime([a], , "yyyy-MM-dd${index}", "yyyy")`),
    "a date of digits": `CDate("${"1".repeat(longest - 10)}")`,
    "an unknown name": `${"x".repeat(longest - 2)}()`,
    "an unknown attribute": `[${"x".repeat(longest - 2)}]`,
    "nothing but commas": `Join(${",".repeat(longest - 10)})`,
    "nothing but brackets": "[".repeat(longest),
    "nothing but parentheses": "(".repeat(longest),
    "nothing but quotation marks": '"'.repeat(longest),
    "nothing but backslashes": `"${"\\".repeat(longest - 1)}`,
    "nothing but white space": " ".repeat(longest),
    "calls without an end": 'Join(",",'.repeat(1_100),
  };

  it.each(Object.entries(worst))("%s", (_, text) => {
    expect(text.length).toBeLessThanOrEqual(longest);
    for (const value of values) timed(text, (name) => (name === "z" ? null : value));
  });

  it("whatever the expression and the attributes are", () => {
    const usable = [...expressionFunctions.values()].filter(({ refused }) => refused === undefined);
    const argument = fc.oneof(
      fc.constantFrom("[a]", "[b]", "", "1", "3", '"a"', '"."', '"(a|b)*c"', '"yyyy-MM-dd"', '","', "True"),
      nastyText.map((text) => `"${text.slice(0, 20).replaceAll(/["\\]/g, "\\$&")}"`),
    );
    const call = fc.constantFrom(...usable).chain((definition) => {
      const { least, most } = argumentCount(definition);
      return fc
        .array(argument, { minLength: least, maxLength: Math.min(most, least + 2) })
        .map((parts) => `${definition.name}(${parts.join(",")})`);
    });
    const expression = fc.oneof(
      call.map((text) => filled(() => text)),
      call.map((text) => text.replace("[a]", nested("Append(", ",[b])").slice(0, longest - text.length))),
      fc
        .array(call, { minLength: 1, maxLength: 20 })
        .map((calls) => filled((index) => calls[index % calls.length] ?? "")),
      fc.tuple(call, call).map(([outer, inner]) =>
        outer
          .replace(
            "[a]",
            filled(() => inner),
          )
          .slice(0, longest),
      ),
    );
    const value = fc.oneof(
      fc.constantFrom(...values),
      nastyText.map((text) => text.repeat(longest).slice(0, longest)),
    );
    let evaluated = 0;
    fc.assert(
      fc.property(expression, value, value, (text, first, second) => {
        if (timed(text, (name) => (name === "a" ? first : second)) === "value") evaluated += 1;
      }),
      { seed, numRuns: 200 },
    );
    expect(evaluated).toBeGreaterThan(10);
  });
});

describe("the work of real mappings", () => {
  it("is far below the bound", () => {
    const phone = "+1 (555) 010-0199 ext. 42";
    const long = "Ærøskøbing, Department of Unusually Long Names & Titles; ".repeat(4);
    const nestedReplaces = Array.from({ length: 12 }).reduce<string>(
      (inner) => `Replace(${inner}, , "[^A-Za-z0-9 ]+", , "", , )`,
      "NormalizeDiacritics([a])",
    );
    const zones = Array.from({ length: 150 }, (_, index) => `"Region ${index}", "Zone ${index}"`).join(", ");
    for (const text of [
      nestedReplaces,
      `Switch([a], "none", ${zones})`,
      'Replace([a], , "^.*?(\\\\d+)$", , "$1", , )',
    ]) {
      for (const value of [phone, long]) expect(attempt(text, () => value)).toBe("value");
    }
  });
});
