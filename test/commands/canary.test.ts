import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { release } from "../../src/commands/release.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { terminal } from "./terminal.ts";

describe("a canary", () => {
  it("is begun by sync --canary, shown by status, and ended by a release; then a new configuration is shown", async () => {
    const folder = mkdtempSync(join(tmpdir(), "als-canary-"));
    try {
      const config = join(folder, "config.yaml");
      writeFileSync(config, "log: { level: info }\n");
      const place = terminal(folder);
      const options = { config, sandbox: "both", people: 30 } as const;
      const how = { format: "table", waitSeconds: 0, dryRun: false } as const;
      const run = (more: object = {}) =>
        sync({ ...options, ...how, full: false, detailedExitcode: false, quiet: true, ...more }, place.io);
      const now = async () => {
        expect(await status({ ...options, format: "json" }, place.io)).toBe(0);
        return JSON.parse(place.output());
      };
      await expect(run({ canary: 3, user: ["a"] })).rejects.toThrow(
        "--canary cannot be combined with --user",
      );
      expect(await run({ canary: 3 })).toBe(3);
      expect(place.output()).toMatch(
        /canary: \d+ operations wait, because the first run is tried on 3 people/,
      );
      const { canary, people, guard, newConfiguration } = await now();
      expect(canary).toMatchObject({ cause: "firstRun", state: "passed", release: "manual" });
      expect(canary.people).toHaveLength(3);
      expect(people.linked).toBe(3);
      expect(newConfiguration).toBeNull();
      expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
      expect(place.output()).toMatch(
        /Canary: Since .*, the first run is tried on 3 people first: it goes well\./,
      );

      expect(await release({ ...options, ...how, planId: guard.planId }, place.io)).toBe(0);
      place.output();
      expect((await now()).canary).toBeNull();

      writeFileSync(config, "actions: { create: false }\n");
      const { newConfiguration: changes } = await now();
      expect(changes).toMatchObject({
        plansEverybodyAgain: true,
        settings: [{ key: "actions.create", before: true, after: false }],
      });
      expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
      expect(place.output()).toContain(
        "The configuration is not that of the last cycle:\n  Actions\n    actions.create: true → false\n  Everybody is planned again",
      );
      expect(await run()).toBe(0);
      place.output();
      expect((await now()).newConfiguration).toBeNull();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
