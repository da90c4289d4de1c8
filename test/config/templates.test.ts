import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { starterConfig, writeStarterConfig } from "../../src/config/init.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { knownKeys } from "../../src/config/keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { requireEntra } from "../../src/config/require.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { usageLines, workplace } from "./workplace.ts";

const exampleFile = "config/azure-lattice-sync.example.yaml";

describe("the annotated example", () => {
  it("changes nothing if it is copied unchanged: the scope and the tenant are in comments", () => {
    const cwd = workplace({ "c.yaml": readFileSync(exampleFile) });
    const { config, notes } = loadConfig({ file: "c.yaml", env: {}, cwd });
    expect(notes).toEqual([]);
    expect(config).toEqual(loadConfig({ env: {}, cwd }).config);
    expect(usageLines(() => requireEntra(config)).join()).toMatch(/AZURE_TENANT_ID.*AZURE_CLIENT_ID/);
  });

  it("has filters in comments that can be uncommented", () => {
    const text = readFileSync(exampleFile, "utf8");
    const taken = text
      .replace("    filters: []\n", "")
      .replace(/^ {4}# filters:\n(?: {4}# {2,}.*\n)+/m, (block) => block.replaceAll(/^ {4}# /gm, "    "));
    const { config } = loadConfig({ file: "c.yaml", env: {}, cwd: workplace({ "c.yaml": taken }) });
    const { filters } = config.entra.scope;
    expect(filters.map(({ clauses }) => clauses.length)).toEqual([6]);
    expect(parseScopingFilters(filters, { guests: true }).groups).toEqual([
      "Lattice pilots",
      "External consultants",
    ]);
  });

  it("shows every key, with the defaults of the schema", () => {
    const text = readFileSync(exampleFile, "utf8");
    const keys = knownKeys();
    const missing = keys.filter(
      ({ key }) =>
        !new RegExp(`[ #{]${key.split(".").at(-1)}:`, "m").test(` ${text.replaceAll("\n", "\n ")}`),
    );
    expect(missing.map(({ key }) => key)).toEqual([]);
    const { settings } = loadConfig({ file: exampleFile, env: {}, cwd: process.cwd() });
    const different = settings.flatMap(({ key, value, origin }) => {
      const known = keys.find((candidate) => candidate.key === key);
      return known?.defaultValue === undefined || origin.kind === "default" || key === "state.path"
        ? []
        : JSON.stringify(value) === JSON.stringify(known.defaultValue)
          ? []
          : [key];
    });
    expect(different).toEqual(["entra.credential"]);
  });
});

describe("the starter file", () => {
  it("loads unchanged, with the defaults", () => {
    const cwd = workplace({ "c.yaml": starterConfig() });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config).toEqual(loadConfig({ env: {}, cwd }).config);
  });

  it("loads if every key with a default is uncommented", () => {
    const cwd = workplace({ "c.yaml": starterConfig().replaceAll(/^( *)#(?=\w+:)/gm, "$1") });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config).toEqual(loadConfig({ env: {}, cwd }).config);
  });

  it("can be read only by its owner, in a folder that is made for it", () => {
    const path = join(workplace(), "config/new.yaml");
    writeStarterConfig(path);
    expect(readFileSync(path, "utf8")).toBe(starterConfig());
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("never replaces an existing file", () => {
    const path = join(workplace(), "own.yaml");
    writeFileSync(path, "mine");
    expect(usageLines(() => writeStarterConfig(path))).toEqual([
      `${path} could not be written: a file or folder with this name already exists; nothing was overwritten`,
    ]);
    expect(readFileSync(path, "utf8")).toBe("mine");
    expect(existsSync(join(path, "below"))).toBe(false);
  });
});

describe("the JSON Schema", () => {
  it("describes every key, and marks the credentials", () => {
    expect(knownKeys().filter(({ description }) => description === "")).toEqual([]);
    expect(knownKeys().flatMap(({ key, secret }) => (secret ? [key] : []))).toEqual([
      "entra.clientSecret",
      "entra.certificate.password",
      "lattice.token",
      "state.url",
      "http.token",
      "notify.receivers[].url",
      "notify.receivers[].secret",
      "notify.receivers[].smtp.password",
      "notify.ping.url",
    ]);
  });

  it("gives an editor the known keys, the allowed values and the defaults", () => {
    const schema = configJsonSchema();
    expect(schema).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      additionalProperties: false,
      properties: {
        entra: {
          type: ["object", "null"],
          properties: {
            clientSecret: { type: "string", writeOnly: true },
            scope: { properties: { mode: { enum: ["assigned", "all", "groups"], default: "assigned" } } },
          },
        },
        lattice: { properties: { maxConcurrency: { type: "integer", minimum: 1, maximum: 64, default: 8 } } },
        schedule: { properties: { every: { type: "string", description: expect.any(String) } } },
      },
    });
    expect(schema).not.toHaveProperty("required");
  });
});
