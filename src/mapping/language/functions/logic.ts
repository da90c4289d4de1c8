import { ignoreFlow, isEmpty } from "../value.ts";
import { type ExpressionFunction, isTrue, text } from "./definition.ts";

const expression = { name: "expression", type: "any" } as const;

export const logicFunctions: readonly ExpressionFunction[] = [
  {
    name: "CBool",
    parameters: [{ name: "expression", type: "condition" }],
    summary: "True for a condition that is true, a number other than zero, or True.",
    example: {
      expression: "CBool([department] = [division])",
      attributes: { department: "Sales", division: "Sales" },
      result: "True",
    },
    evaluate: ([value]) => {
      const written = text(value).trim();
      if (/^-?\d+(\.\d+)?$/.test(written)) return Number(written) !== 0;
      return isTrue(value);
    },
  },
  {
    name: "Coalesce",
    parameters: [{ name: "source", type: "any", repeats: true }],
    summary: "The first source that has a value; empty text is a value. The last source can be a default.",
    example: {
      expression: "Coalesce([mail], [userPrincipalName])",
      attributes: { userPrincipalName: "kim@example.com" },
      result: "kim@example.com",
    },
    choose: (sources) => {
      for (const source of sources) {
        const value = source() ?? null;
        if (value !== null && value !== ignoreFlow) return value;
      }
      return null;
    },
  },
  {
    name: "IgnoreFlowIfNullOrEmpty",
    parameters: [expression],
    summary:
      "The value. If it is empty, the attribute is not changed in Lattice: it is neither set nor cleared.",
    example: {
      expression: "IgnoreFlowIfNullOrEmpty([department])",
      attributes: { department: "Sales" },
      result: "Sales",
    },
    evaluate: ([value]) => (isEmpty(value ?? null) ? ignoreFlow : (value ?? null)),
  },
  {
    name: "IIF",
    parameters: [
      { name: "condition", type: "condition" },
      { name: "valueIfTrue", type: "any", optional: true },
      { name: "valueIfFalse", type: "any", optional: true },
    ],
    summary:
      "One of two values, depending on a condition. A comparison with an attribute that has no value is false. For AND and OR, nest the function.",
    example: {
      expression: 'IIF([country] = "USA", [country], [department])',
      attributes: { country: "USA", department: "Sales" },
      result: "USA",
    },
    choose: ([condition, whenTrue, whenFalse]) => (isTrue(condition?.()) ? whenTrue : whenFalse)?.() ?? null,
  },
  {
    name: "IsNull",
    parameters: [expression],
    summary: "Whether there is no value at all.",
    example: { expression: "IsNull([displayName])", result: "True" },
    evaluate: ([value]) => value === null || value === undefined,
  },
  {
    name: "IsNullOrEmpty",
    parameters: [expression],
    summary: "Whether there is no value, or only empty text.",
    example: { expression: "IsNullOrEmpty([displayName])", attributes: { displayName: "" }, result: "True" },
    evaluate: ([value]) => isEmpty(value ?? null),
  },
  {
    name: "IsPresent",
    parameters: [expression],
    summary: "Whether there is a value that is not empty.",
    example: {
      expression: "IsPresent([displayName])",
      attributes: { displayName: "Kim Example" },
      result: "True",
    },
    evaluate: ([value]) => !isEmpty(value ?? null),
  },
  {
    name: "IsString",
    parameters: [expression],
    summary: "Whether the value is text.",
    example: {
      expression: "IsString([displayName])",
      attributes: { displayName: "Kim Example" },
      result: "True",
    },
    evaluate: ([value]) => typeof value === "string",
  },
  {
    name: "IsNothing",
    parameters: [expression],
    summary: "The same as IsNull.",
    example: { expression: "IsNothing([displayName])", result: "True" },
    evaluate: ([value]) => value === null || value === undefined,
  },
  {
    name: "Not",
    parameters: [{ name: "source", type: "any" }],
    summary: "False for True, and True for anything else.",
    example: { expression: "Not([accountEnabled])", attributes: { accountEnabled: true }, result: "False" },
    evaluate: ([value]) => !isTrue(value),
  },
  {
    name: "Switch",
    parameters: [
      { name: "source", type: "any" },
      { name: "defaultValue", type: "any", optional: true },
      { name: "key", type: "any" },
      { name: "value", type: "any", repeats: true },
    ],
    pairs: true,
    summary:
      'The value whose key equals the source (case-sensitive). The key "" matches a source without a value.',
    example: {
      expression:
        'Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney", "QLD", "Australia/Brisbane")',
      attributes: { state: "QLD" },
      result: "Australia/Brisbane",
    },
    choose: ([source, otherwise, ...pairs]) => {
      const wanted = text(source?.());
      for (let index = 0; index + 1 < pairs.length; index += 2) {
        if (text(pairs[index]?.()) === wanted) return pairs[index + 1]?.() ?? null;
      }
      return otherwise?.() ?? null;
    },
  },
];
