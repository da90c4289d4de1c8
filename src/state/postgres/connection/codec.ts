// PostgreSQL takes neither NUL nor half of a surrogate pair in a text, and JSON from Entra or Lattice may have both. They
// are kept behind a mark, as four hexadecimal digits; so is the mark itself. Every text is decoded when it is read.

const mark = "\u001a";
/** Control characters, most of which PostgreSQL takes, and halves of surrogate pairs. A whole pair does not match: `u` makes it one character. */
const suspect = /[\p{Cc}\p{Cs}]/gu;
const kept = new RegExp(`${mark}([0-9a-f]{4})`, "g");

/** A text as PostgreSQL can keep it. */
export function encodeText(text: string): string {
  return text.replaceAll(suspect, (character) =>
    character === "\0" || character === mark || character >= "\ud800" ? mark + hex(character) : character,
  );
}

/** The text that `encodeText` was given. */
export function decodeText(text: string): string {
  return text.includes(mark)
    ? text.replaceAll(kept, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text;
}

/** In JSON text the refused characters are escapes. After an escaped backslash, `u0000` is not one. */
const escapes = /\\\\|\\u(0000|001a|d[89a-f][0-9a-f]{2})/g;
const keptEscapes = /\\\\|\\u001a([0-9a-f]{4})/g;

/** A value as JSON that PostgreSQL can keep, and take apart. */
export function encodeJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes("\\u")
    ? json.replaceAll(escapes, (found, digits?: string) =>
        digits === undefined ? found : `\\u001a${digits}`,
      )
    : json;
}

/** The value that `encodeJson` was given. */
export function decodeJson(json: string): unknown {
  return JSON.parse(
    json.includes("\\u001a")
      ? json.replaceAll(keptEscapes, (found, digits?: string) =>
          digits === undefined ? found : `\\u${digits}`,
        )
      : json,
  );
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, "0");
}
