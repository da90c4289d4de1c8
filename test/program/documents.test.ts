import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Why people are left alone: the names of the type, which has no value at run time. */
const [, union = ""] =
  /export type SkipCode =([^;]*);/.exec(readFileSync("src/domain/plan.ts", "utf8")) ?? [];
const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code = ""]) => code);

it("knows the reasons for which people are left alone", () => {
  expect(codes.length).toBeGreaterThan(20);
});

it.each(codes)(
  "has a row in docs/operating.md that says what to do about %s, and a word in docs/commands.md",
  (code) => {
    const rows = readFileSync("docs/operating.md", "utf8").split("\n");
    expect(rows.filter((row) => row.startsWith(`| left alone: \`${code}\` |`))).toHaveLength(1);
    expect(readFileSync("docs/commands.md", "utf8")).toContain(`\`${code}\``);
  },
);
