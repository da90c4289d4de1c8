import { expressionFunctions } from "../language/functions/table.ts";
import type { ExportedParameter, ExportedSource } from "./exported-schema.ts";

/** The names that exports give to the arguments of Replace, in the order of the call. */
const replaceKeys = [
  ["source"],
  ["find", "oldvalue"],
  ["regularexpression", "regexpattern"],
  ["regularexpressiongroupname", "regexgroupname"],
  ["replacement", "replacementvalue"],
  ["replacementpropertyname", "replacementattributename"],
  ["template"],
];

/** The expression of a source: its text, or if that is missing, its tree as text. */
export function sourceText(source: ExportedSource): string {
  const written = source.expression ?? "";
  return written.trim() === "" ? treeText(source) : written;
}

function treeText({ type, name, parameters }: ExportedSource): string {
  switch (type?.toLowerCase()) {
    case "attribute":
      return `[${name ?? ""}]`;
    case "constant":
      return constantText(name ?? "");
    default: {
      const placed = inOrder(name ?? "", parameters ?? []);
      return `${name ?? ""}(${placed.map((value) => (value === null ? "" : sourceText(value))).join(", ")})`;
    }
  }
}

/** Some exports put constants, even numbers, in quotation marks; some do not. */
function constantText(name: string): string {
  return /^"(?:[^"\\]|\\.)*"$/s.test(name) ? name : `"${name.replaceAll(/[\\"]/g, "\\$&")}"`;
}

/** The arguments in the order of the call; `null` for one that is left out. */
function inOrder(name: string, parameters: readonly ExportedParameter[]): readonly (ExportedSource | null)[] {
  const values = parameters.map(({ value }) => value ?? null);
  const keys = parameters.map(({ key }) => (key ?? "").toLowerCase());
  if (name === "Switch") {
    // Pairs follow the source and the default. If the number of arguments is odd, the default is missing.
    return values.length % 2 === 0 ? values : [...values.slice(0, 1), null, ...values.slice(1)];
  }
  const places = keys.map((key) => placeOf(name, key));
  const known = places.filter((place): place is number => place !== null);
  if (known.length < places.length || new Set(known).size < known.length) return values;
  const placed: (ExportedSource | null)[] = Array.from({ length: Math.max(-1, ...known) + 1 }, () => null);
  known.forEach((place, index) => {
    placed[place] = values[index] ?? null;
  });
  return placed;
}

/** The position of the argument in the call; `null` if its name does not say. */
function placeOf(name: string, key: string): number | null {
  if (name === "Replace") return index(replaceKeys.findIndex((keys) => keys.includes(key)));
  const parameters = expressionFunctions.get(name)?.parameters ?? [];
  if (parameters.some(({ repeats }) => repeats === true)) return null;
  return index(parameters.findIndex((parameter) => parameter.name.toLowerCase() === key));
}

function index(found: number): number | null {
  return found < 0 ? null : found;
}
