import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { changedKeys } from "../../src/config/changed-keys.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-changed-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: unknown): void =>
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
const load = (config: object, env: Record<string, string> = {}): LoadedConfig => {
  write("config.yaml", config);
  return loadConfig({ file: "config.yaml", env, cwd: folder });
};

it("names no key whose value was only written in another way", () => {
  const before = load({ lattice: { maxConcurrency: 8 } }, { LATTICE_API_KEY: "one-key" });
  write("key", "one-key\n");
  expect(changedKeys(before, load({}, { LATTICE_API_KEY_FILE: "key" }))).toEqual([]);
});

it("names the keys that were changed, removed and added, in the order of the schema, credentials included", () => {
  const before = load({ guard: { window: "2h" }, lattice: { token: "one-key" } });
  const after = load({ state: { path: "other.db" }, lattice: { token: "another-key" } });
  expect(changedKeys(before, after)).toEqual(["lattice.token", "guard.window", "state.path"]);
});

it("compares the mapping's file, and the secret files of receivers and of the ping", () => {
  const url = "https://siem.example.com/hook";
  const config = {
    mapping: "mapping.yaml",
    notify: {
      receivers: [{ kind: "webhook", url, secretFile: "secret" }],
      ping: { urlFile: "ping" },
    },
  };
  const rules = (target: string) => [{ target, source: "userPrincipalName" }];
  write("mapping.yaml", rules("userName"));
  write("secret", `whsec_${Buffer.alloc(32, 1).toString("base64")}`);
  write("ping", "https://ping.example.com/1");
  const before = load(config);
  expect(changedKeys(before, load(config))).toEqual([]);
  write("mapping.yaml", rules("externalId"));
  expect(changedKeys(before, load(config))).toEqual(["mapping"]);
  write("secret", `whsec_${Buffer.alloc(32, 2).toString("base64")}`);
  write("ping", "https://ping.example.com/2");
  expect([...changedKeys(before, load(config))].sort()).toEqual([
    "mapping",
    "notify.ping.url",
    "notify.receivers",
  ]);
});

it("names a key of a secret file if another secret stands in the file", () => {
  const config = { lattice: { tokenFile: "key" } };
  write("key", "one-key");
  const before = load(config);
  write("key", "another-key");
  expect(changedKeys(before, load(config))).toEqual(["lattice.tokenFile"]);
});
