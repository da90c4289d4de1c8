import { inspect } from "node:util";

/** Names of lists in an answer that have no order, e.g. `now` of each row. */
type Unordered = ReadonlySet<string>;

/** JSON as it was written, where the order of the keys is kept as well. */
const written: ReadonlySet<string> = new Set(["attributes", "values", "changes", "acknowledged", "drifted"]);

/**
 * An answer of a store as a text that is equal if the answer is: maps and sets in the order of their keys, rows in the order of their
 * columns.
 * @param unordered names of lists without an order; `""` for the answer itself
 */
export function textOfAnswer(answer: unknown, unordered: Unordered, name = ""): string {
  if (written.has(name)) return JSON.stringify(answer);
  if (answer instanceof Map) {
    return texts([...answer], ([key, value]) => `${String(key)} => ${textOfAnswer(value, unordered)}`, true);
  }
  if (answer instanceof Set) return texts([...answer], (one) => textOfAnswer(one, unordered), true);
  if (Array.isArray(answer)) {
    return texts(answer, (one) => textOfAnswer(one, unordered), unordered.has(name));
  }
  if (answer !== null && typeof answer === "object" && !ArrayBuffer.isView(answer)) {
    return texts(
      Object.entries(answer),
      ([key, value]) => `${key}: ${textOfAnswer(value, unordered, key)}`,
      true,
    );
  }
  return inspect(answer, { maxArrayLength: null, maxStringLength: null });
}

function texts<One>(all: readonly One[], text: (one: One) => string, sorted: boolean): string {
  const found = all.map(text);
  return `[${(sorted ? found.sort() : found).join(", ")}]`;
}
