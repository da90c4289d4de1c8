import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/domain/errors.ts";
import { compileExpression } from "../../../src/mapping/language/evaluate.ts";
import { attributesOf, parseExpression } from "../../../src/mapping/language/expression.ts";
import type { Value } from "../../../src/mapping/language/value.ts";
import { fixedEnvironment } from "../environment.ts";

function evaluate(text: string, attributes: Record<string, Value> = {}): Value {
  return compileExpression(parseExpression(text), text)(
    (name) => attributes[name] ?? null,
    fixedEnvironment(),
  );
}

describe("expressions", () => {
  it.each<[string, Record<string, Value>, Value]>([
    ['"plain"', {}, "plain"],
    ['"a \\"quoted\\" and a \\\\ backslash"', {}, 'a "quoted" and a \\ backslash'],
    ["[jobTitle]", { jobTitle: "Analyst" }, "Analyst"],
    ["[jobTitle]", {}, null],
    ['Switch([IsSoftDeleted], , "False", "True", "True", "False")', { IsSoftDeleted: false }, "True"],
    ['Switch([IsSoftDeleted], , "False", "True", "True", "False")', { IsSoftDeleted: true }, "False"],
    ['Switch([x], , "a", "1")', { x: "b" }, null],
    ['Switch([x], "other", "a", "1")', { x: "A" }, "other"],
    ['Switch([x], "other", "", "none")', {}, "none"],
    ['Join(" ", [givenName], [surname])', { givenName: "Kim", surname: "Example" }, "Kim Example"],
    ['Join(", ", "", [surname], [givenName])', { givenName: "Kim", surname: "Example" }, "Example, Kim"],
    ['Join("-", [list])', { list: ["a", "b"] }, "a-b"],
    ['IIF([country] = "US", "yes", "no")', { country: "US" }, "yes"],
    ['IIF([country] <> "US", "yes", "no")', {}, "no"],
    ["IIF(IsPresent([x]), [x], [y])", { y: "fallback" }, "fallback"],
    ["Coalesce([a], [b], [c])", { b: "second", c: "third" }, "second"],
    ['Coalesce([a], "default")', { a: "" }, ""],
    ["ToLower([x])", { x: "ÅSA" }, "åsa"],
    ['ToLower([x], "tr-TR")', { x: "I" }, "ı"],
    ["ToUpper([x])", {}, null],
    ['Append([x], "@example.com")', { x: "kim" }, "kim@example.com"],
    ["Left([x], 2)", { x: "abc" }, "ab"],
    ["Left([x], -1)", { x: "abc" }, "abc"],
    ["Mid([x], 2, 10)", { x: "abc" }, "bc"],
    ["StripSpaces([x])", { x: " a b " }, "ab"],
    ["Trim([x])", { x: " a b " }, "a b"],
    ["Not([x])", { x: "True" }, false],
    ["IsNullOrEmpty([x])", { x: "" }, true],
    ["IsNull([x])", { x: "" }, false],
  ])("evaluates %s", (text, attributes, result) => {
    expect(evaluate(text, attributes)).toEqual(result);
  });

  it("lists the attributes that it reads, each once", () => {
    expect([...attributesOf(parseExpression("IIF([a] = [b], Join([c], [a]), [d])"))]).toEqual([
      ["a", 4],
      ["b", 10],
      ["c", 20],
      ["d", 31],
    ]);
  });

  it.each<[string, RegExp]>([
    ["Jion([a])", /column 1: unknown function "Jion"; did you mean "Join"\?\n.*Jion.*\n\s+\^/],
    ["Join([a])", /wrong number of arguments \(1\): Join\(/],
    ['Switch([a], "d", "key", "value", "key without a value")', /a key without a value/],
    ['Join(" ", [a]', /column 14: expected ".*", or a comparison\n/],
    ["[a", /expected/],
    ["", /expected/],
    [`"${"x".repeat(10_001)}"`, /10003 characters/],
  ])("refuses %s with the place", (text, message) => {
    expect(() => evaluate(text)).toThrow(UsageError);
    expect(() => evaluate(text)).toThrow(message);
  });
});
