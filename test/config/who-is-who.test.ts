import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { readMapping } from "../../src/job/read-settings.ts";
import { planSettings } from "../../src/job/settings.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-who-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (config: object): LoadedConfig => {
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
  return loadConfig({ file: "config.yaml", env: {}, cwd: folder });
};

const settingsOf = async (config: object) => {
  const loaded = load(config);
  return planSettings(loaded.config, await readMapping(loaded));
};

it("reports former owners, protects no account and clears missing managers unless the file says otherwise", async () => {
  expect(await settingsOf({})).toMatchObject({
    adoptForeignExternalId: false,
    formerOwner: "report",
    doubtful: "hold",
    protectedAccounts: new Set(),
    missingManager: "clear",
    managerRings: "report",
  });
});

it("passes the settings of matching and managers to the engine, names in lower case", async () => {
  const config = {
    matching: {
      adoptForeignExternalId: true,
      formerOwner: "handOver",
      doubtful: "link",
      protected: ["Root@Example.com", "0d4c2a4e-AAAA-4bbb-8ccc-1234567890ab"],
    },
    manager: { missing: "keep", rings: "send" },
  };
  expect(await settingsOf(config)).toMatchObject({
    adoptForeignExternalId: true,
    formerOwner: "handOver",
    doubtful: "link",
    protectedAccounts: new Set(["root@example.com", "0d4c2a4e-aaaa-4bbb-8ccc-1234567890ab"]),
    missingManager: "keep",
    managerRings: "send",
  });
});

it("plans no one again after a change of manager.rings: members of a ring are planned in each cycle", async () => {
  const digests = await Promise.all(
    [{}, { manager: { rings: "send" } }].map(async (config) => (await readMapping(load(config))).digest),
  );
  expect(new Set(digests).size).toBe(1);
});

it("plans everybody again after a change of any other of them", async () => {
  const digests = await Promise.all(
    [
      {},
      { matching: { formerOwner: "handOver" } },
      { matching: { protected: ["root@example.com"] } },
      { matching: { doubtful: "link" } },
      { manager: { missing: "keep" } },
    ].map(async (config) => (await readMapping(load(config))).digest),
  );
  expect(new Set(digests).size).toBe(5);
});
