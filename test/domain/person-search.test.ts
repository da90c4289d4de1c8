import { describe, expect, it } from "vitest";
import { closeness, folded, matcherOf } from "../../src/domain/person-search.ts";

const anders = {
  names: ["Anders Sørensen-Müller", "anders.soerensen@example.com", null],
  ids: ["5b0c7a1e-93d4-4b8f-9d57-0c1f2a3b4c5d", "lat-4711", "80123", null],
};

function close(asked: string) {
  const matcher = matcherOf(asked);
  if (matcher === null) throw new Error("there is nothing to look for");
  const found = matcher.closenessOf(anders);
  expect(matcher.matches(anders), asked).toBe(found !== null);
  return found;
}

describe("the search for people by a part of a name", () => {
  it("ignores letter case, accents, the order of words, and commas", () => {
    for (const asked of [
      "SØREN",
      "soren",
      "soeren",
      "Müller",
      "muller",
      "mueller",
      "MUELLER, anders",
      "anders m",
    ]) {
      expect(close(asked), asked).not.toBeNull();
    }
    expect(close("anders larsen")).toBeNull();
  });

  it("distinguishes a whole name, the beginning of a word, and a part within a word", () => {
    expect(close("anders sorensen-muller")).toBe(closeness.equal);
    expect(close("anders.soerensen")).toBe(closeness.equal);
    expect(close("and mul")).toBe(closeness.begins);
    expect(close("nders")).toBe(closeness.within);
  });

  it("finds an id as a whole, or by a beginning that is long enough", () => {
    expect(close("80123")).toBe(closeness.equal);
    expect(close("LAT-4711")).toBe(closeness.equal);
    expect(close("5B0C7A1E")).toBe(closeness.begins);
    expect(close("5b0c")).toBeNull();
    expect(close("93d4-4b8f")).toBeNull();
  });

  it("treats signs as text, and searches for nothing without a word", () => {
    expect(close(".*")).toBeNull();
    expect(close("%")).toBeNull();
    expect(matcherOf(" , ")).toBeNull();
  });

  it("folds letters without a separable mark, and keeps other scripts readable", () => {
    expect(folded("Łukasz Đurić Straße ÆØÅ İstanbul")).toBe("lukasz duric strasse aeoa istanbul");
    expect(folded("Иван 山田")).toBe("иван 山田");
  });
});
