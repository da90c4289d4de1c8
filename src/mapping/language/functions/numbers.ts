import { MappingError } from "../../../domain/errors.ts";
import { type Argument, type Environment, type ExpressionFunction, integer, text } from "./definition.ts";

const digits = "0123456789";
const small = "abcdefghijklmnopqrstuvwxyz";
const special = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/";
const longest = 256;

export const numberFunctions: readonly ExpressionFunction[] = [
  {
    name: "BitAnd",
    parameters: [
      { name: "value1", type: "number" },
      { name: "value2", type: "number" },
    ],
    summary: "The bits that are set in both numbers. Hexadecimal numbers are written as &HF7.",
    example: { expression: "BitAnd(&HF, &HF7)", result: "7" },
    evaluate: ([left, right]) =>
      Number(BigInt(integer(left, "value1 of BitAnd")) & BigInt(integer(right, "value2 of BitAnd"))),
  },
  {
    name: "Guid",
    parameters: [],
    summary: "A new random identifier; only for an attribute with apply: onCreate.",
    varies: "each",
    example: { expression: "Guid()", result: null },
    evaluate: (_, environment) => guid(environment),
  },
  {
    name: "RandomString",
    parameters: [
      { name: "length", type: "number" },
      { name: "minimumNumbers", type: "number" },
      { name: "minimumSpecialCharacters", type: "number" },
      { name: "minimumCapital", type: "number" },
      { name: "minimumLowerCase", type: "number" },
      { name: "charactersToAvoid", type: "text", optional: true },
    ],
    summary:
      "Random characters, at most 256, with at least the given number of each kind; only for an attribute with apply: onCreate.",
    varies: "each",
    example: { expression: "RandomString(6, 3, 0, 0, 3)", result: null },
    evaluate: randomString,
  },
];

function guid({ random }: Environment): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function randomString(
  [length, numbers, specials, capitals, lower, avoided]: readonly Argument[],
  { random }: Environment,
): string {
  const total = integer(length, "length of RandomString");
  const least = [
    integer(numbers, "minimumNumbers of RandomString"),
    integer(specials, "minimumSpecialCharacters of RandomString"),
    integer(capitals, "minimumCapital of RandomString"),
    integer(lower, "minimumLowerCase of RandomString"),
  ];
  if (total < 0 || total > longest || least.some((count) => count < 0)) {
    throw new MappingError(
      `the length of RandomString must be from 0 to ${longest}, and no minimum can be negative`,
    );
  }
  if (least.reduce((sum, count) => sum + count, 0) > total) {
    throw new MappingError("the length of RandomString must be at least the sum of all minimums");
  }
  const unwanted = new Set(text(avoided));
  const kinds = [digits, special, small.toUpperCase(), small].map((kind) =>
    [...kind].filter((character) => !unwanted.has(character)),
  );
  // Special characters only if the call demands some, as in Entra's first example.
  const rest = kinds.filter((_, index) => index !== 1 || (least[1] ?? 0) > 0).flat();
  const pick = (from: readonly string[]): string => {
    const picked = from[Math.floor(random() * from.length)];
    if (picked === undefined)
      throw new MappingError("RandomString excludes all characters of a kind that it needs");
    return picked;
  };
  const characters = kinds.flatMap((kind, index) =>
    Array.from({ length: least[index] ?? 0 }, () => pick(kind)),
  );
  while (characters.length < total) characters.push(pick(rest));
  return shuffled(characters, random).join("");
}

function shuffled(characters: string[], random: () => number): readonly string[] {
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const held = characters[last] ?? "";
    characters[last] = characters[other] ?? "";
    characters[other] = held;
  }
  return characters;
}
