import { describe, expect, it } from "vitest";
import { jsonText, visible, visibleLines } from "../../src/domain/visible.ts";

/** Everything a reader does not see, or that turns or forges what is around it. */
const hidden = [
  ["a C0 control", "\u001b"],
  ["DEL", "\u007f"],
  ["a C1 control", "\u009b"],
  ["a soft hyphen", "\u00ad"],
  ["an Arabic letter mark", "\u061c"],
  ["a zero-width space", "\u200b"],
  ["a zero-width joiner", "\u200d"],
  ["a right-to-left mark", "\u200f"],
  ["a line separator", "\u2028"],
  ["a right-to-left override", "\u202e"],
  ["a word joiner", "\u2060"],
  ["an isolate", "\u2067"],
  ["a filler", "\u3164"],
  ["a byte order mark", "\ufeff"],
  ["a variation selector", "\ufe0f"],
  ["a tag", "\u{e0041}"],
  ["a variation selector beyond the plane", "\u{e0101}"],
] as const;

describe.each(hidden)("%s", (_, character) => {
  const text = `Kim${character}Novak`;

  it("is shown as an escape in a table, a page or a message", () => {
    const code = (character.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
    expect(visible(text)).toBe(code.length > 4 ? `Kim\\u{${code}}Novak` : `Kim\\u${code}Novak`);
    expect(visibleLines(`${text}\n${text}`)).toBe(`${visible(text)}\n${visible(text)}`);
  });

  it("is an escape in JSON, which parses to the same text", () => {
    const json = jsonText({ [text]: [text] }, 2);
    expect(json).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(json)).toEqual({ [text]: [text] });
  });
});

it("characters that names need are not changed: letters of any script, emoji, forms of Han characters", () => {
  const text = "Zoë Ångström 山田 葛\u{e0100}城 محمد 👩 ❤\ufe0f Δημήτρης";
  expect(visible(text)).toBe(text);
  expect(visible("❤\ufe0f\ufe0f")).toBe("❤\ufe0f\\ufe0f");
});

it("half a surrogate pair is shown, and JSON stays valid", () => {
  expect(visible("a\ud800b")).toBe("a\\ud800b");
  expect(JSON.parse(jsonText("a\ud800b"))).toBe("a\ud800b");
});
