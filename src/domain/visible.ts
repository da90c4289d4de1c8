/*
 * Characters that a reader cannot see, or that reverse, hide or forge the text around them: controls (C0, DEL, C1), format
 * characters (bidirectional, zero-width, tags), fillers, variation selectors, line and paragraph separators, lone surrogates.
 * Two kinds are kept, because readers need them and they can hide almost nothing: the selector that makes a sign an emoji,
 * and the selectors that choose the form of a Han character, which Japanese names need.
 */
const unseen =
  /(?!(?<=\p{Extended_Pictographic})\ufe0f)(?!(?<=\p{Script=Han})[\u{e0100}-\u{e01ef}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The same for JSON. Without C0 and lone surrogates: `JSON.stringify` escapes them in texts, and uses line breaks between
 * them. With the two kinds that are kept above: a machine does not need to see them.
 */
const unseenInJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const plainAscii = /^[\x20-\x7e]*$/;

/** Text of unknown origin as one line that shows everything, for example `\u202e` in place of the character that reverses text. */
export function visible(text: string): string {
  if (plainAscii.test(text)) return text;
  return text.replaceAll(unseen, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const digits = code.toString(16).padStart(4, "0");
    return code > 0xffff ? `\\u{${digits}}` : `\\u${digits}`;
  });
}

/** The same for text of several lines, whose line breaks are ours. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

/** JSON text with invisible characters as escapes; it parses to the same value. */
export function visibleJson(json: string): string {
  return json.replaceAll(unseenInJson, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** `JSON.stringify` for everything that leaves the program: nothing in it is hidden, not even in a terminal. */
export function jsonText(value: unknown, indent?: number): string {
  return visibleJson(JSON.stringify(value, null, indent));
}
