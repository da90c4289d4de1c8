import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

const folder = join(import.meta.dirname, "../../deploy/systemd");
const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

/** The units in a folder of their own, with a program that is there. */
function copies(change: (text: string) => string = (text) => text): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), "als-units-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  return readdirSync(folder).map((name) => {
    const text = readFileSync(join(folder, name), "utf8")
      .replaceAll("/usr/local/bin/azure-lattice-sync", "/bin/true")
      .replace(/^Documentation=.*\n/m, "");
    const path = join(place, name);
    writeFileSync(path, change(text));
    return path;
  });
}

const verify = (paths: readonly string[]): string =>
  spawnSync("systemd-analyze", ["verify", ...paths], { encoding: "utf8" }).stderr.trim();

// Where CI runs it is installed; elsewhere it may be another system altogether.
describe.skipIf(!analyze && process.env.CI === undefined)("the systemd units", () => {
  it("are units that systemd takes", () => {
    expect(verify(copies())).toBe("");
    expect(verify(copies((text) => text.replace("ProtectHome=yes", "ProtectHome=perhaps")))).toContain(
      "Failed to parse protect home value",
    );
  });

  it("are hardened", () => {
    for (const unit of copies().filter((path) => path.endsWith(".service"))) {
      const { stdout, status } = spawnSync(
        "systemd-analyze",
        ["security", "--offline=true", "--threshold=15", unit],
        { encoding: "utf8" },
      );
      expect(status, stdout).toBe(0);
    }
  });
});
