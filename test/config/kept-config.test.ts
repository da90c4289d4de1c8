import { expect, it } from "vitest";
import { type KeptConfig, keptConfig, keptDifference } from "../../src/config/kept-config.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { workplace } from "./workplace.ts";

function load(config: object): LoadedConfig {
  return loadConfig({
    file: "config.yaml",
    env: {},
    cwd: workplace({ "config.yaml": JSON.stringify(config) }),
  });
}

const secret = "key-of-a-made-up-company";

it("remembers no credential, and says nothing about one that has changed", () => {
  const before = load({
    lattice: { token: secret },
    http: { token: `${secret}-of-the-page` },
    notify: { receivers: [{ kind: "slack", url: `https://hooks.example.com/${secret}` }] },
  });
  const kept = keptConfig(before);
  expect(JSON.stringify(kept)).not.toContain(secret);
  const { settings } = keptDifference(kept, load({ lattice: { token: "another" }, drift: "report" }));
  expect(settings).toEqual([
    { key: "drift", secret: false, before: "correct", after: "report", needsRestart: false },
  ]);
});

it("compares attribute mappings one by one, and scope and actions by key", () => {
  const rules = (expression: string) => [
    { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
    { target: "title", expression },
  ];
  const kept = keptConfig(load({ mapping: rules("[jobTitle]") }));
  const after = load({ mapping: rules("ToUpper([jobTitle], )"), actions: { create: false } });
  const { settings, mapping } = keptDifference(kept, after);
  expect(settings.map(({ key, before: old, after: next }) => [key, old, next])).toEqual([
    ["actions.create", true, false],
  ]);
  expect(mapping).toEqual([
    {
      target: "title",
      change: "changed",
      keys: [{ key: "expression", before: "[jobTitle]", after: "ToUpper([jobTitle], )" }],
    },
  ]);
});

it("takes a key that an older version did not know for unchanged as long as it has its default", () => {
  const { settings, rules } = keptConfig(load({}));
  const { "rollout.canary.people": _, drift: __, ...older } = settings;
  const kept: KeptConfig = { settings: older, rules };
  expect(keptDifference(kept, load({})).settings).toEqual([]);
  const keys = keptDifference(kept, load({ drift: "report" })).settings.map(({ key }) => key);
  expect(keys).toEqual(["drift"]);
});
