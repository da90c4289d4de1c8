import stringWidth from "string-width";

const plainAscii = /^[\x20-\x7e]*$/;

/** Columns that text takes on a terminal: two for a wide character, none for a combining one. */
export function columnsOf(text: string): number {
  return plainAscii.test(text) ? text.length : stringWidth(text);
}
