import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { terminal } from "./terminal.ts";

it("names the next commands with the configuration and the sandbox of this one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "als-next-"));
  try {
    writeFileSync(join(folder, "held.yaml"), "guard: { maxReactivations: 0, maxDoubtfulLinks: 0 }\n");
    const options = { sandbox: "both", config: "held.yaml", people: 30 } as const;
    const place = terminal(folder);
    const code = await sync(
      {
        ...options,
        dryRun: false,
        full: false,
        format: "table",
        detailedExitcode: false,
        waitSeconds: 0,
        quiet: true,
      },
      place.io,
    );
    expect(code).toBe(3);
    expect(place.output()).toMatch(/To release them: .* release \S+ --sandbox --config held\.yaml\n/);
    expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
    expect(place.output()).toMatch(/To release them: .* release \S+ --sandbox --config held\.yaml\n/);
    await check(options, place.io);
    expect(place.output()).toMatch(/Next: .* sync --dry-run --sandbox --config held\.yaml\n/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("says for a database of an earlier version that the time of Lattice's last answer is unknown", async () => {
  const folder = mkdtempSync(join(tmpdir(), "als-next-"));
  try {
    const options = { sandbox: "both", people: 30, format: "table" } as const;
    const place = terminal(folder);
    const how = { dryRun: false, full: false, detailedExitcode: false, waitSeconds: 0, quiet: true };
    await sync({ ...options, ...how }, place.io);
    place.output();
    await status(options, place.io);
    expect(place.output()).toMatch(/Lattice last answered: \d{4}-/);
    const db = new Database(join(folder, "state/azure-lattice-sync.sandbox-both.db"));
    db.exec("DELETE FROM meta WHERE key = 'targetReachedAt'");
    db.close();
    await status(options, place.io);
    expect(place.output()).toContain("Lattice last answered: unknown (older versions did not record it)");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
