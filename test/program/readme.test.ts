import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startIn } from "../process/real-process.ts";
import { manuals } from "./markdown.ts";

it("shows a dry run in README.md that the demo prints, line by line", { timeout: 120_000 }, async () => {
  const sample = manuals
    .find(({ name }) => name === "README.md")
    ?.blocks.find(({ text }) => text.startsWith("$ azure-lattice-sync sync --dry-run"));
  const lines = (sample?.text ?? "").split("\n").slice(1);
  expect(lines.length).toBeGreaterThan(20);
  const folder = mkdtempSync(join(tmpdir(), "als-readme-"));
  try {
    const { code, stdout } = await startIn(folder, ["demo"]).ended;
    expect(code).toBe(0);
    let rest = stdout.slice(stdout.indexOf("── 4. ")).split("\n");
    const missing = lines.filter((line) => {
      if (line === "" || line.trim() === "…") return false;
      const index = rest.indexOf(line);
      if (index !== -1) rest = rest.slice(index + 1);
      return index === -1;
    });
    expect(missing).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});
