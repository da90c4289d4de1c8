import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { showConfig } from "../../src/config/show.ts";
import { workplace } from "./workplace.ts";

const canary = "canary-7f3a-91d04c";

describe("showConfig", () => {
  it("names the origin of every value", () => {
    const cwd = workplace({
      "c.yaml":
        "entra:\n  cloud: usGov\n  scope:\n    mode: groups\n    groups: [a, b]\nlattice:\n  maxRequestsPerSecond: null\n",
    });
    const shown = showConfig(
      loadConfig({
        file: "c.yaml",
        env: {
          LATTICE_URL: "https://api.latticehq.com/scim/v2?aadOptscim062020",
          AZURE_CLIENT_ID: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b",
        },
        cwd,
        overrides: { "log.level": "debug" },
      }),
    );
    expect(shown.split("\n")).toEqual(
      expect.arrayContaining([
        "# file: c.yaml",
        "  tenantId: # not set",
        "  clientId: 5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b # environment AZURE_CLIENT_ID",
        "  credential: default # default, chosen by auto",
        "  cloud: usGov # c.yaml:2:10",
        "  authorityHost: https://login.microsoftonline.us # default, of entra.cloud",
        "    groups: [a, b] # c.yaml:5:13",
        "    guests: true # default, of entra.scope.mode",
        "  url: https://api.latticehq.com/scim/v2 # environment LATTICE_URL",
        "  maxRequestsPerSecond: null # c.yaml:7:25",
        "  timeout: 30s # default",
        "mapping: # default, the mapping that Lattice documents for Azure",
        "  every: 45m # default, unless cron is given",
        "  cron: # not set",
        `  path: ${cwd}/state/azure-lattice-sync.db # default`,
        "  listen: 127.0.0.1:9464 # default",
        "  level: debug # command line",
      ]),
    );
    expect(shown).toMatch(/^# .*aadOptscim062020/m);
  });

  it("masks every credential, whatever its origin", () => {
    const cwd = workplace({
      "c.yaml": `entra: { clientSecret: ${canary}, certificate: { password: ${canary} } }\nhttp: { token: ${canary} }`,
      key: canary,
    });
    const loaded = loadConfig({ file: "c.yaml", env: { LATTICE_API_KEY_FILE: "key" }, cwd });
    const shown = showConfig(loaded);
    expect(shown).not.toContain(canary);
    expect(shown).toContain('  clientSecret: "***" # c.yaml:1:24\n');
    expect(shown).toContain('  token: "***" # environment LATTICE_API_KEY_FILE\n');
    expect(JSON.stringify([loaded.config, loaded.settings])).not.toContain(canary);
  });

  it("writes text that loads as the same configuration", () => {
    const cwd = workplace({
      "c.yaml": `schedule: { cron: '0 6 * * *' }
reconcile: { every: never }
mapping: [{ target: title, source: jobTitle, default: "a # b: c" }]
entra: { scope: { filters: [{ clauses: [{ attribute: department, operator: EQUALS, value: "1" }] }] } }`,
    });
    const before = loadConfig({ file: "c.yaml", env: {}, cwd });
    writeFileSync(join(cwd, "again.yaml"), showConfig(before));
    const after = loadConfig({ file: "again.yaml", env: {}, cwd });
    expect(after.config).toEqual(before.config);
    expect(after.mappingSource.rules).toEqual(before.mappingSource.rules);
  });
});
