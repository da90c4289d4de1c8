import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

// Plain English that is read once: CONTRIBUTING says the rules. These are the two that a machine can check.

const files = globSync("src/**/*.{ts,js,css}").filter((file) => !file.endsWith("expression-parser.js"));
const linesOf = (file: string): readonly { readonly place: string; readonly text: string }[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .map((text, index) => ({ place: `${file}:${index + 1}`, text }));

const begins = /^\s*(?:\/\*\*?|\/\/)\s+(?:What|Where|Who|Whoever)\b/;
/** `nobody` is the name of a result in JSON and metrics, and an account can be nobody's. */
const vague = /\b(?:somebody|whoever|nobody)\b(?!'s|["`]|: )/i;
const named = /`nobody`|"nobody"|\bnobody\b.*=|\.\.\.nobody\b|return nobody;/;

describe("the words of the source", () => {
  const lines = files.flatMap(linesOf);

  it("has more than a hundred files, so that nothing is compared with nothing", () => {
    expect(files.length).toBeGreaterThan(100);
  });

  it("begins each comment with its subject, and not with a question word", () => {
    expect(lines.filter(({ text }) => begins.test(text))).toEqual([]);
  });

  it("names the person, the user or the account in place of a person", () => {
    expect(lines.filter(({ text }) => vague.test(text) && !named.test(text))).toEqual([]);
  });
});
