import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configCheck } from "../../src/commands/config.ts";
import { mappingImport } from "../../src/commands/mapping.ts";
import { sync } from "../../src/commands/sync.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { workplace } from "../config/workplace.ts";
import { defaultRows, schemaExport } from "../mapping/schema-export.ts";
import { terminal } from "./terminal.ts";

const json = JSON.stringify(schemaExport(), null, 2);

function imported(content: string | Uint8Array): string {
  const { io, output } = terminal(workplace({ "export.json": content }));
  expect(mappingImport({ file: "export.json" }, io)).toBe(0);
  return output();
}

describe("mapping import", () => {
  it("writes the same bytes each time, with notes about what it could not import", () => {
    const cwd = workplace({ "export.json": json });
    const { io, output, notes } = terminal(cwd);
    expect(mappingImport({ file: "export.json" }, io)).toBe(0);
    expect(mappingImport({ file: "export.json", out: "a.yaml" }, io)).toBe(0);
    expect(mappingImport({ file: "export.json", out: "b.yaml" }, io)).toBe(0);
    const written = readFileSync(join(cwd, "a.yaml"), "utf8");
    expect(readFileSync(join(cwd, "b.yaml"), "utf8")).toBe(written);
    expect(output()).toBe(written);
    const said = notes();
    expect(written).toMatch(
      /^# - phoneNumbers\[type eq "fax"\]\.value \(from facsimileTelephoneNumber\): left out/m,
    );
    for (const text of ["entra.scope.mode", "guard.maxDeactivations", "SkipOutOfScopeDeletions", "onNull"]) {
      expect(said).toContain(text);
      expect(written).toContain(text);
    }
    expect(said).toContain("13 attribute mappings written to a.yaml, 12 notes.");
  });

  it("makes the folder of the file", () => {
    const cwd = workplace({ "export.json": json });
    expect(mappingImport({ file: "export.json", out: "conf/new/c.yaml" }, terminal(cwd).io)).toBe(0);
    expect(readFileSync(join(cwd, "conf/new/c.yaml"), "utf8")).toBe(imported(json));
  });

  it("never overwrites a file", () => {
    const cwd = workplace({ "export.json": json, "mine.yaml": "mine" });
    expect(() => mappingImport({ file: "export.json", out: "mine.yaml" }, terminal(cwd).io)).toThrow(
      "mine.yaml was not written: a file or folder with this name already exists; nothing was overwritten",
    );
    expect(readFileSync(join(cwd, "mine.yaml"), "utf8")).toBe("mine");
  });

  it.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${json}`, "utf8")],
    ["UTF-16, as Windows PowerShell writes it", Buffer.from(`\uFEFF${json}`, "utf16le")],
    ["UTF-16, the other way round", Buffer.from(`\uFEFF${json}`, "utf16le").swap16()],
  ])("reads %s", (_, content) => {
    expect(imported(content)).toBe(imported(json));
  });

  it("reads an expression with calls nested forty deep from its tree", () => {
    const nested = `${"Append(".repeat(40)}[mail]${', "x")'.repeat(40)}`;
    const rows = [...defaultRows.slice(0, 1), { target: "title", expression: nested }];
    const config: unknown = parse(imported(JSON.stringify(schemaExport(rows, { sources: "tree" }))));
    expect(config).toMatchObject({ mapping: [{}, { expression: nested }] });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another file", '{"value": []}'],
  ])("refuses %s", (_, content) => {
    const { io, output } = terminal(workplace({ "export.json": content }));
    expect(() => mappingImport({ file: "export.json" }, io)).toThrow(UsageError);
    expect(output()).toBe("");
  });

  it("writes a configuration that passes config check and works in a dry run", async () => {
    const scope = {
      groups: [
        {
          name: "Staff",
          clauses: [
            { sourceOperandName: "jobTitle", operatorName: "IS NOT NULL", targetOperand: { values: [] } },
          ],
        },
      ],
    };
    const users = { scope, flowTypes: "Add, Update" };
    const cwd = workplace({ "export.json": JSON.stringify(schemaExport(defaultRows, { users })) });
    mappingImport({ file: "export.json", out: "made.yaml" }, terminal(cwd).io);
    const env = {
      AZURE_TENANT_ID: "example.onmicrosoft.com",
      AZURE_CLIENT_ID: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b",
      AZURE_CLIENT_SECRET: "secret",
      LATTICE_API_KEY: "key",
    };
    const checked = terminal(cwd, env);
    expect(await configCheck({ config: "made.yaml" }, checked.io)).toBe(0);
    expect(checked.output()).toContain("made.yaml: valid, 13 attribute mappings.");

    const planned = terminal(cwd);
    const code = await sync(
      {
        config: "made.yaml",
        sandbox: "both",
        people: 20,
        dryRun: true,
        full: false,
        format: "json",
        detailedExitcode: false,
        waitSeconds: 0,
      },
      planned.io,
    );
    expect(code).toBe(0);
    const plan: unknown = JSON.parse(planned.output());
    expect(plan).toMatchObject({ complete: true, summary: { create: expect.any(Number) } });
    expect((plan as { summary: { create: number } }).summary.create).toBeGreaterThan(5);
  });
});
