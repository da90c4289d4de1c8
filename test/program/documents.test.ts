import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { skipCodes } from "../../src/domain/plan.ts";
import { packageRoot } from "../../src/process/package-root.ts";

it.each(skipCodes)(
  "has a row in docs/operating.md that says what to do about %s, and a word in docs/commands.md",
  (code) => {
    const rows = readFileSync("docs/operating.md", "utf8").split("\n");
    expect(rows.filter((row) => row.startsWith(`| skipped: \`${code}\` |`))).toHaveLength(1);
    expect(readFileSync("docs/commands.md", "utf8")).toContain(`\`${code}\``);
  },
);

/** Strings of the program, with the seams between their parts taken out. */
const said = globSync("src/**/*.ts", { cwd: packageRoot })
  .map((path) => readFileSync(join(packageRoot, path), "utf8"))
  .join("\n")
  .replaceAll(/["`] \+\n\s*["`]/g, "");
const quoted = readFileSync(join(packageRoot, "docs/troubleshooting.md"), "utf8")
  .split("\n| ")
  .filter((row) => row.startsWith("`"))
  .map((row) => /^`([^`]+)`/.exec(row)?.[1] ?? "");

it("finds the messages that docs/troubleshooting.md explains", () => {
  expect(quoted.length).toBeGreaterThan(25);
});

it.each(quoted)("explains a message that the program has: %s", (message) => {
  expect(said).toContain(message);
});
