import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pause, resume } from "../../src/commands/pause.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { LeaseHeldError } from "../../src/domain/errors.ts";
import { sandboxFile } from "../../src/job/rehearsal.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { terminal } from "./terminal.ts";

const other = "elsewhere/1/00000000-0000-4000-8000-000000000000/";

const nobodyNew =
  /^There are no new leavers: Entra shows no changes of users since the last read\. People who have only left the scope are deactivated by a cycle of everybody: .*\bsync\b.*\n$/;

describe("sync --leavers", () => {
  let folder = "";
  let config = "";
  let place: ReturnType<typeof terminal>;

  const run = (more: object = {}): Promise<number> =>
    sync(
      {
        config,
        sandbox: "both",
        people: 30,
        format: "table",
        waitSeconds: 0,
        dryRun: false,
        full: false,
        detailedExitcode: false,
        quiet: true,
        ...more,
      },
      place.io,
    );
  const look = (more: object = {}): Promise<number> => run({ leavers: true, ...more });
  const document = () => JSON.parse(place.output());
  const configure = (text: string): void => writeFileSync(config, text);

  /** Disables people with an account. @returns their userNames */
  const disable = async (number: number): Promise<readonly string[]> => {
    const file = sandboxFile(join(folder, "state/azure-lattice-sync.db"), "both");
    const sandbox = await startSandbox({ file, people: 30 });
    try {
      const names: string[] = [];
      for (const { id, properties } of sandbox.directory.users()) {
        const name = String(properties.userPrincipalName);
        if (names.length === number) break;
        if (properties.accountEnabled !== true || sandbox.lattice.byUserName(name)?.active !== true) continue;
        sandbox.directory.updateUser(id, { accountEnabled: false });
        names.push(name);
      }
      expect(names).toHaveLength(number);
      return names;
    } finally {
      await sandbox.close();
    }
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "als-leavers-"));
    config = join(folder, "config.yaml");
    configure("guard: { maxDeactivations: 3, deactivationFloor: 3 }\n");
    place = terminal(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const established = async (): Promise<void> => {
    expect(await run()).toBe(0);
    place.output();
    place.notes();
  };

  it("deactivates who was disabled, and nothing else, and has no one new after it", async () => {
    await established();
    const [name = ""] = await disable(1);
    expect(await look({ dryRun: true, detailedExitcode: true })).toBe(2);
    expect(place.output()).toContain(name);
    expect(await look({ dryRun: true })).toBe(0);
    place.output();

    expect(await look({ format: "json" })).toBe(0);
    const { look: kind, rest, tooMany, text, plan } = document();
    expect({ kind, rest, tooMany, text }).toEqual({ kind: "ran", rest: null, tooMany: false, text: null });
    expect(plan).toMatchObject({
      formatVersion: "1.0",
      cycle: "leavers",
      operations: [{ action: "deactivate", userName: name, status: "done" }],
      // Others are skipped by the cycles of everybody.
      skipped: [],
    });

    expect(await look()).toBe(0);
    expect(place.output()).toMatch(nobodyNew);
    expect(await status({ config, sandbox: "both", format: "json" }, place.io)).toBe(0);
    expect(document().leavers).toMatchObject({ people: 1 });
  });

  it("sends nothing if there are more than the guard allows, and says what holds them; the next cycle does", async () => {
    await established();
    await disable(4);
    expect(await look({ dryRun: true, detailedExitcode: true })).toBe(2);
    expect(place.notes()).toContain("Nothing would be sent: the leavers are more than the guard allows.");
    place.output();
    expect(await look()).toBe(3);
    expect(place.notes()).toContain(
      `Nothing was sent: the leavers are more than the guard allows. The next cycle of everybody holds them until a person decides: azure-lattice-sync sync --sandbox --config ${config}`,
    );
    expect(place.output()).toContain("Nothing is sent before the next cycle");
    expect(await run()).toBe(3);
    place.output();
    await disable(1);
    expect(await look({ format: "json" })).toBe(3);
    expect(document()).toMatchObject({
      look: "rested",
      rest: "guardHolds",
      text: expect.stringContaining("No account was deactivated: the guard holds deactivations"),
      plan: null,
    });
  });

  it("looks for no one before the first run, with a configuration that no cycle knows, and in a pause of leavers", async () => {
    expect(await look()).toBe(1);
    expect(place.output()).toBe(
      `No account was deactivated: the first run has not ended. Run a cycle of everybody first: azure-lattice-sync sync --sandbox --config ${config}\n`,
    );
    await established();
    await disable(1);
    configure("actions: { onDisable: ignore, onDelete: ignore }\n");
    expect(await look()).toBe(64);
    expect(place.output()).toContain("the configuration does not deactivate at once people");
    configure("manager: { missing: clear }\nactions: { create: false }\n");
    expect(await look()).toBe(1);
    expect(place.output()).toContain("no cycle has planned everybody with this configuration yet");
    configure("guard: { maxDeactivations: 3, deactivationFloor: 3 }\n");
    const options = { config, sandbox: "both", reason: "a test" } as const;
    expect(await pause({ ...options, leaversToo: true }, place.io)).toBe(0);
    place.output();
    expect(await look()).toBe(6);
    expect(place.output()).toContain("sending is paused, for leavers too");
    expect(await resume(options, place.io)).toBe(0);
    place.output();
    expect(await look()).toBe(0);
    expect(place.output()).toContain("Sent: 1 done, 0 failed.");
  });

  it("ends with exit code 5 while another run has the lease, and names it", async () => {
    await established();
    await disable(1);
    const store = openStore(join(folder, "state/azure-lattice-sync.sandbox-both.db"));
    try {
      await store.acquireLease(other, Date.now(), 60_000);
      const refused = look();
      await expect(refused).rejects.toThrow(LeaseHeldError);
      await expect(refused).rejects.toThrow(/elsewhere.*use --wait SECONDS/);
      await store.releaseLease(other);
    } finally {
      await store.close();
    }
    expect(await look()).toBe(0);
  });

  it("replaces the report of an earlier look, also if there is none", async () => {
    await established();
    await disable(1);
    const out = join(folder, "leavers.md");
    expect(await look({ format: "markdown", out })).toBe(0);
    expect(readFileSync(out, "utf8")).toContain("deactivate");
    expect(await look({ format: "markdown", out })).toBe(0);
    expect(readFileSync(out, "utf8")).toMatch(nobodyNew);
    expect(place.notes()).toContain("There are no new leavers");
  });

  it.each([
    ["--full", { full: true }],
    ["--user", { user: ["kim.example@example.com"] }],
    ["--canary", { canary: 1 }],
    ["--against", { against: "new.yaml", dryRun: true }],
    ["--format html", { format: "html" }],
  ])("cannot be combined with %s", async (flag, more) => {
    await expect(look(more)).rejects.toThrow(`--leavers cannot be combined with ${flag}. Nothing was done.`);
  });
});
