import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { mappingFunctions } from "../../src/commands/mapping.ts";

function printed(format: "table" | "json"): string {
  const stdout = new PassThrough();
  const code = mappingFunctions(
    { format },
    {
      stdout,
      stderr: new PassThrough(),
      env: {},
      cwd: "/",
      stdin: new PassThrough(),
      signal: new AbortController().signal,
    },
  );
  expect(code).toBe(0);
  return String(stdout.read());
}

describe("the list of functions", () => {
  it("has each with its signature, one sentence and an example", () => {
    expect(printed("table")).toContain(
      'Append(source, suffix)\n    Adds the suffix to the end of the source.\n    Append([userPrincipalName], ".test")  →  kim@example.com.test\n',
    );
  });

  it("is available in JSON, with the functions that cannot be used", () => {
    const all = JSON.parse(printed("json")) as { name: string; usable: boolean }[];
    expect(all.length).toBeGreaterThan(45);
    expect(all.filter(({ usable }) => !usable).map(({ name }) => name)).toContain("SelectUniqueValue");
  });
});
