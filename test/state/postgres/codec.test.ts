import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeJson,
  decodeText,
  encodeJson,
  encodeText,
} from "../../../src/state/postgres/connection/codec.ts";

/** Any UTF-16 text, with many of the characters that matter. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\0",
        "\u001a",
        "\ud83d",
        "\ude00",
        "\\",
        "\\u0000",
        "\\u001a0000",
        '"',
        "0000",
        "ü",
        "😀",
      ),
      fc.string({ unit: "binary" }),
    ),
  )
  .map((parts) => parts.join(""));

/** The characters that PostgreSQL refuses in a text. */
const refused = /\0|\p{Cs}/u;

describe("a text for PostgreSQL", () => {
  it("comes back as it was, and has neither NUL nor half of a surrogate pair in between", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const kept = encodeText(text);
        expect(kept).not.toMatch(refused);
        expect(decodeText(kept)).toBe(text);
      }),
    );
  });

  it("is kept as it is if it has none of these", () => {
    expect(encodeText("Zoë O'Neil\n😀")).toBe("Zoë O'Neil\n😀");
  });
});

describe("JSON for PostgreSQL", () => {
  it("comes back as it was, and its texts are kept as a text alone is", () => {
    fc.assert(
      fc.property(texts, texts, (name, text) => {
        const value = { [`key ${name}`]: [text] };
        const kept = encodeJson(value);
        expect(decodeJson(kept)).toEqual(value);
        expect(JSON.parse(kept)).toEqual({ [encodeText(`key ${name}`)]: [encodeText(text)] });
      }),
    );
  });
});
