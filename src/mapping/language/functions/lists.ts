import { MappingError } from "../../../domain/errors.ts";
import { type ExpressionFunction, integer, list, text } from "./definition.ts";

const attribute = { name: "attribute", type: "list" } as const;

export const listFunctions: readonly ExpressionFunction[] = [
  {
    name: "Count",
    parameters: [attribute],
    summary: "The number of values.",
    example: {
      expression: "Count([otherMails])",
      attributes: { otherMails: ["a@example.com", "b@example.com"] },
      result: "2",
    },
    evaluate: ([value]) => list(value).length,
  },
  {
    name: "Item",
    parameters: [
      attribute,
      {
        name: "index",
        type: "number",
        check: (value) => {
          if (integer(value, "index of Item") < 1) throw new MappingError("index of Item counts from 1");
        },
      },
    ],
    summary: "One of the values, counted from 1; no value if there are not that many.",
    example: {
      expression: "Item([proxyAddresses], 1)",
      attributes: { proxyAddresses: ["SMTP:kim@example.com"] },
      result: "SMTP:kim@example.com",
    },
    evaluate: ([value, index]) => list(value)[integer(index, "index of Item") - 1] ?? null,
  },
  {
    name: "RemoveDuplicates",
    parameters: [attribute],
    summary: "The values without duplicates.",
    example: {
      expression: "RemoveDuplicates([otherMails])",
      attributes: { otherMails: ["a@example.com", "a@example.com"] },
      result: "a@example.com",
    },
    evaluate: ([value]) => [...new Set(list(value))],
  },
  {
    name: "Split",
    parameters: [
      { name: "source", type: "text" },
      { name: "delimiter", type: "text" },
    ],
    summary:
      "Splits text at the delimiters. White space around the parts is removed, and empty parts are left out.",
    example: {
      expression: 'Split([extensionAttribute5], ",")',
      attributes: { extensionAttribute5: "One, Two" },
      result: "One,Two",
    },
    evaluate: ([value, delimiter]) => {
      const end = text(delimiter);
      const parts = end === "" ? [text(value)] : text(value).split(end);
      return parts.map((part) => part.trim()).filter((part) => part !== "");
    },
  },
];
