import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { endOf, pause, resume } from "../../src/commands/pause.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { terminal } from "./terminal.ts";

const hourMs = 3_600_000;

describe("pause and resume", () => {
  it("pause before the first cycle, show it in status, refuse what would send, and go on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "als-pause-"));
    try {
      const place = terminal(folder);
      const options = { sandbox: "both", people: 30 } as const;
      const how = { format: "table", waitSeconds: 0, dryRun: false } as const;
      const run = (more: object = {}) =>
        sync({ ...options, ...how, full: false, detailedExitcode: false, quiet: true, ...more }, place.io);
      const reason = "a reorganisation";
      expect(await pause({ ...options, reason, until: "2h", leaversToo: true }, place.io)).toBe(0);
      expect(place.output()).toMatch(
        /^Sending is paused until .* by cli:.* since .*: a reorganisation\. Leavers are not deactivated either\.\n$/,
      );
      expect(await run()).toBe(6);
      expect(place.output()).toContain("Sending is paused until");
      const file = join(folder, "state/azure-lattice-sync.sandbox-both.db");
      const goodCycle = (): unknown => {
        const db = new Database(file, { readonly: true });
        const at = db.prepare("SELECT value FROM meta WHERE key = 'goodCycleAt'").pluck().get();
        db.close();
        return at;
      };
      // People are notified of the time without a good cycle, so that a pause is not forgotten.
      expect(goodCycle()).toBeUndefined();
      const db = new Database(file, { readonly: true });
      const [user] = db
        .prepare("SELECT json_extract(attributes, '$.userPrincipalName') FROM source_user LIMIT 1")
        .pluck()
        .all();
      db.close();
      await expect(run({ user: [user], yes: true })).rejects.toThrow("sending is paused");
      expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
      expect(place.output()).toMatch(/Sending is paused until .*\n {2}To go on: .* resume --sandbox\n/);
      expect(await status({ ...options, format: "json" }, place.io)).toBe(0);
      const { pause: shown, people, lastCycle } = JSON.parse(place.output());
      expect(shown).toMatchObject({ by: expect.stringMatching(/^cli:/), reason, leaversToo: true });
      expect(Date.parse(shown.until) - Date.parse(shown.since)).toBe(2 * hourMs);
      expect([people.linked, lastCycle.outcome]).toEqual([0, "paused"]);

      expect(await resume({ ...options, reason: "it is over" }, place.io)).toBe(0);
      expect(place.output()).toBe("Sending is no longer paused: the next cycle sends what is due.\n");
      expect(await resume(options, place.io)).toBe(0);
      expect(place.output()).toBe("Sending is not paused. Nothing was changed.\n");
      expect(await run()).toBe(0);
      expect(goodCycle()).toBeDefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("take a time, or how long from now, and nothing that is past or not a time", () => {
    const now = Date.parse("2026-01-31T08:00:00Z");
    expect(endOf("2h", now)).toBe(now + 2 * hourMs);
    expect(endOf("2026-01-31T10:30", now)).toBe(now + 2.5 * hourMs);
    expect(endOf("2026-01-31T10:30+01:00", now)).toBe(now + 1.5 * hourMs);
    expect(() => endOf("2026-01-30", now)).toThrow("2026-01-30 is in the past");
    expect(() => endOf("tomorrow", now)).toThrow('"tomorrow" is not a time');
  });
});
