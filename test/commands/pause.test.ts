import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { endOf, pause, resume } from "../../src/commands/pause.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { workplace } from "../config/workplace.ts";
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
      expect(place.output()).toMatch(
        /^The initial cycle is done, and sending is paused \(.*Sending is paused until/s,
      );
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

  it("need nothing of the configuration but what finds the state", async () => {
    const folder = workplace({
      "config.yaml": JSON.stringify({
        entra: { scope: { mode: "nonsense" }, clientSecretFile: "gone.secret" },
        lattice: { url: "nowhere", tokenFile: "gone.key" },
        mapping: "gone.yaml",
        guard: { nonsense: 1 },
        log: { level: "loud" },
        state: { path: "kept/one.db", retention: "for ever" },
        jobs: { emea: { notify: { receivers: 7 } }, "Not A Name": {}, us: { state: { path: "kept/us.db" } } },
      }),
    });
    const env = {
      LATTICE_API_KEY_FILE: "gone.key",
      LATTICE_API_KEY__NOBODY: "x",
      AZURE_CLIENT_SECRET_FILE: "gone",
    };
    const { io, output, notes } = terminal(folder, env);
    expect(await pause({ config: "config.yaml", reason: "the worst day", leaversToo: false }, io)).toBe(0);
    expect(output()).toMatch(/Job emea\nSending is paused.*the worst day.*Job us\nSending is paused/s);
    expect(notes()).toContain(`There is no state database at ${join(folder, "kept/us.db")} yet`);
    expect(existsSync(join(folder, "kept/emea.db"))).toBe(true);
    expect(await resume({ config: "config.yaml", job: "us" }, io)).toBe(0);
    expect(output()).toContain("Sending is no longer paused");
    // Repaired, the configuration finds the pause where it was made.
    writeFileSync(
      join(folder, "config.yaml"),
      JSON.stringify({ state: { path: "kept/one.db" }, jobs: { emea: {}, us: {} } }),
    );
    expect(await status({ config: "config.yaml", job: "emea", format: "json" }, terminal(folder).io)).toBe(0);
    const repaired = terminal(folder);
    await status({ config: "config.yaml", job: "emea", format: "json" }, repaired.io);
    expect(JSON.parse(repaired.output())).toMatchObject({
      condition: "paused",
      pause: { reason: "the worst day" },
    });
  });

  it.each([
    [{ sate: { path: "kept/one.db" } }, /1:2: sate is not a key of the configuration, and may be meant/],
    [{ state: { pth: "kept/one.db" } }, /state\.pth is not a key/],
    [{ database: { url: "postgres://x/y" } }, /database is not a key/],
    [{ state: { path: "a.db", url: "postgres://x@localhost/y" } }, /state\.url and state\.path are both set/],
    [{ state: { url: 7 } }, /state\.url/],
    [{ state: { urlFile: "x" }, jobs: { emea: {} } }, /state\.urlFile is not a key/],
    [{ jobs: { emea: "nothing" } }, /jobs\.emea must be a section/],
  ])("pause nothing if the place of the state is in doubt (%#)", async (written, said) => {
    const folder = workplace({ "config.yaml": JSON.stringify(written) });
    const { io, notes } = terminal(folder);
    const options = { config: "config.yaml", reason: "the worst day", leaversToo: false };
    const outcome = await pause(options, io).catch((error: unknown) => String(error));
    expect(outcome === 64 ? notes() : outcome).toMatch(said);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  it("take a time, or how long from now, and nothing that is past or not a time", () => {
    const now = Date.parse("2026-01-31T08:00:00Z");
    expect(endOf("2h", now)).toBe(now + 2 * hourMs);
    expect(endOf("2026-01-31T10:30", now)).toBe(now + 2.5 * hourMs);
    expect(endOf("2026-01-31T10:30+01:00", now)).toBe(now + 1.5 * hourMs);
    expect(() => endOf("2026-01-30", now)).toThrow("2026-01-30 is in the past");
    expect(() => endOf("tomorrow", now)).toThrow('"tomorrow" is not a time');
    expect(() => endOf("9999999d", now)).toThrow("the pause would last longer than ten years (9999999d)");
  });
});
