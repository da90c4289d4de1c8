import type { Json } from "./json.ts";

/** Neither Entra nor Lattice documents anything nested deeper than ten levels. */
const deepest = 64;

/**
 * Parses JSON from outside. A leading byte order mark is ignored (RFC 8259, section 8.1).
 * @param levels how deeply it may be nested
 * @returns `undefined` if `received` is not JSON, or is nested so deeply that walking through it would exhaust the stack
 */
export function parseJson(received: string, levels: number = deepest): Json | undefined {
  const text = received.startsWith("\ufeff") ? received.slice(1) : received;
  if (isTooDeep(text, levels)) return undefined;
  try {
    const parsed: Json = JSON.parse(text);
    return parsed;
  } catch {
    // The caller decides what an unreadable text means.
    return undefined;
  }
}

/** Checks the text before it is parsed: parsing a very deep one takes many times its size of memory. */
function isTooDeep(text: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index);
        break;
      case "[":
      case "{":
        depth += 1;
        if (depth > levels) return true;
        break;
      case "]":
      case "}":
        depth -= 1;
        break;
    }
  }
  return false;
}

/** The index of the quote that closes the one at `start`; the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
