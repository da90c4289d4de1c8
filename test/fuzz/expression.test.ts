import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { MappingError } from "../../src/domain/errors.ts";
import {
  type AttributeReader,
  compileExpression,
  type Evaluator,
} from "../../src/mapping/language/evaluate.ts";
import { attributesOf, parseExpression } from "../../src/mapping/language/expression.ts";
import { argumentCount } from "../../src/mapping/language/functions/definition.ts";
import { expressionFunctions } from "../../src/mapping/language/functions/table.ts";
import { traceExpression } from "../../src/mapping/language/trace.ts";
import { ignoreFlow, type Value } from "../../src/mapping/language/value.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { fixedEnvironment } from "../mapping/environment.ts";
import { mangled, nastyJson, nastyText } from "./arbitraries.ts";
import { promptOutcomeOf } from "./outcome.ts";

const seed = 20_260_305;
const value = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.string()),
  z.object({ epochMs: z.int() }),
  z.literal("ignored"),
]);
const environment = fixedEnvironment();

/** The result of an evaluator; "ignored" if the attribute is not changed. */
function given(evaluate: Evaluator, read: AttributeReader): unknown {
  const result = evaluate(read, environment);
  return result === ignoreFlow ? "ignored" : result;
}

function outcomeOf(evaluate: () => Value): Value | MappingError {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof MappingError) return error;
    throw error;
  }
}

/** The evaluator of `text`; `null` if it is refused in words. */
function compiled(text: string): Evaluator | null {
  return promptOutcomeOf(() => {
    const tree = parseExpression(text);
    for (const name of attributesOf(tree).keys()) expect(typeof name).toBe("string");
    return compileExpression(tree, text);
  });
}

const attributeValue: fc.Arbitrary<Value> = fc.oneof(
  nastyText,
  fc.boolean(),
  fc.double(),
  fc.constant(null),
  fc.array(nastyText, { maxLength: 3 }),
);

const names = [...expressionFunctions.keys()];
const token = fc.oneof(
  fc.constantFrom(
    ...names.map((name) => `${name}(`),
    "(",
    ")",
    ",",
    ", ",
    "[",
    "]",
    "[mail]",
    '"',
    '"x"',
    "\\",
    "&H",
    "-1",
  ),
  fc.constantFrom(
    "=",
    "<>",
    ">=",
    " ",
    "\n",
    "True",
    "false",
    "Unknown(",
    "1e9",
    "99999999999999999999",
    "[__proto__]",
  ),
  nastyText,
);

/** A well-formed expression; the functions get as many arguments as they take, of any kind. */
const wellFormed: fc.Arbitrary<string> = fc.letrec<{ expression: string }>((tie) => {
  const quoted = nastyText.map((text) => `"${text.slice(0, 50).replaceAll(/["\\]/g, "\\$&")}"`);
  const call = fc
    .constantFrom(...[...expressionFunctions.values()].filter(({ refused }) => refused === undefined))
    .chain((definition) => {
      const { least, most } = argumentCount(definition);
      const condition = fc
        .tuple(tie("expression"), fc.constantFrom("=", "<>", "<", ">="), tie("expression"))
        .map(([left, operator, right]) => `${left} ${operator} ${right}`);
      const argument = fc.oneof(tie("expression"), condition, fc.constant(""));
      return fc
        .array(argument, { minLength: least, maxLength: Math.min(most, least + 2) })
        .map((parts) => `${definition.name}(${parts.join(", ")})`);
    });
  return {
    expression: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(
        quoted,
        fc.constantFrom("[a]", "[b]", "1", "-5", "99999999", "True", "&HFFFFFFFFFFFFFFFFFFFF"),
      ),
      call,
    ),
  };
}).expression;

describe("an expression", () => {
  it("of any text is understood, or refused in words", () => {
    const soup = fc.array(token, { maxLength: 20 }).map((tokens) => tokens.join(""));
    fc.assert(
      fc.property(fc.oneof(nastyText, soup), (text) => {
        compiled(text);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("that is well formed gives a value, whatever the attributes hold", () => {
    let evaluated = 0;
    fc.assert(
      fc.property(wellFormed, attributeValue, attributeValue, (text, first, second) => {
        const evaluate = compiled(text);
        if (evaluate === null) return;
        evaluated += 1;
        // A value of the wrong type is refused in words.
        promptOutcomeOf(() => value.parse(given(evaluate, (name) => (name === "a" ? first : second))));
      }),
      { seed, numRuns: 1_000 },
    );
    expect(evaluated).toBeGreaterThan(600);
  });

  it("gives the same value with a trace, and the trace shows it", () => {
    let traced = 0;
    fc.assert(
      fc.property(wellFormed, attributeValue, attributeValue, (text, first, second) => {
        const evaluate = compiled(text);
        if (evaluate === null) return;
        traced += 1;
        const read: AttributeReader = (name) => (name === "a" ? first : second);
        // The same chance for both.
        const plain = outcomeOf(() => evaluate(read, fixedEnvironment()));
        const tree = parseExpression(text);
        const { outcome, trace } = traceExpression(tree, text, read, fixedEnvironment());
        expect(outcome instanceof MappingError ? outcome.message : outcome).toEqual(
          plain instanceof MappingError ? plain.message : plain,
        );
        expect(JSON.parse(JSON.stringify(trace))).toMatchObject({ evaluated: true });
        if (plain instanceof MappingError || text.includes("Redact(")) return;
        if (typeof plain === "string" || typeof plain === "boolean") expect(trace.value).toBe(plain);
      }),
      { seed, numRuns: 1_000 },
    );
    expect(traced).toBeGreaterThan(600);
  });

  it("accepts any culture", () => {
    for (const name of ["ToLower", "ToUpper"]) {
      const evaluate = compiled(`${name}([a], [b])`);
      fc.assert(
        fc.property(nastyText, attributeValue, (text, culture) => {
          const read: AttributeReader = (attribute) => (attribute === "a" ? `x${text}` : culture);
          expect(typeof evaluate?.(read, environment)).toBe("string");
        }),
        { seed, numRuns: 200 },
      );
    }
  });

  it("nested as deeply as possible is understood, or refused in words", () => {
    const pieces = ["Not(", "IIF(", "Append([a], ", "IIF(IsNull([a]) = ", "Coalesce(,", "(", "["];
    for (const piece of pieces) {
      for (const depth of [10, 50, 100, 101, 1_000, 9_999]) {
        for (const end of ["", "[a]", `[a]${")".repeat(depth)}`])
          compiled(`${piece.repeat(depth)}${end}`.slice(0, 10_000));
      }
    }
    expect(compiled(`${"Not(".repeat(100)}[a]${")".repeat(100)}`)).not.toBeNull();
    expect(compiled(`${"Not(".repeat(101)}[a]${")".repeat(101)}`)).toBeNull();
    // Nested parts that are closed again do not count.
    expect(compiled(`Join(",", ${Array(300).fill("Not([a])").join(", ")})`)).not.toBeNull();
  });

  it("of ten megabytes is refused at once", () => {
    for (const text of ["x", "Not(", '"', "[", "\\", " "])
      expect(compiled(text.repeat(10_000_000 / text.length))).toBeNull();
  });
});

describe("an attribute mapping", () => {
  it("of any form is understood, or refused in words", () => {
    const text = fc.oneof(
      fc.constantFrom("userName", "externalId", "title", "manager", "mail", "Not([mail])"),
      nastyText,
    );
    const rule = mangled({
      target: text,
      source: fc.oneof(fc.constant(undefined), text),
      expression: fc.oneof(fc.constant(undefined), text),
      constant: fc.oneof(fc.constant(undefined), nastyJson),
      default: nastyJson,
      matchingPrecedence: fc.constantFrom(1, 2, 0),
    });
    const filters = parseScopingFilters([], { guests: true });
    fc.assert(
      fc.property(fc.oneof(fc.array(rule, { maxLength: 3 }), nastyJson), (raw) => {
        promptOutcomeOf(() => parseMapping(raw, { origin: "the test", onNull: "clear", filters }));
      }),
      { seed, numRuns: 500 },
    );
  });
});
