import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import {
  configVariable,
  defaultStateVariable,
  environmentVariables,
  federatedTokenVariable,
} from "../../src/config/environment.ts";
import { knownKeys } from "../../src/config/keys.ts";
import { setValue } from "../../src/config/layers.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { isJsonObject } from "../../src/domain/json.ts";
import { parseCases } from "../../src/mapping/cases/test-cases.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { commandVariable } from "../../src/process/command-name.ts";
import { packageRoot } from "../../src/process/package-root.ts";
import { documents, manuals, type Piece } from "./markdown.ts";

const keys = knownKeys();
const sections = new Set(keys.map(({ key }) => key.split(".")[0] ?? ""));
/** Names that look like a section of the configuration and are not: fields of the program's JSON, attributes of Entra's manager. */
const others =
  /^(guard\.(heldOperations|notes|operations|reasons)|manager\.(displayName|mail|employeeId))$|\.(ts|yaml)$/;

const defaultRules: readonly { target: string }[] = parse(
  readFileSync(join(packageRoot, "config/default-mapping.yaml"), "utf8"),
);
const noFilters = parseScopingFilters([], { include: [], exclude: [], timeZone: "UTC", guests: true });

const blocks = manuals.flatMap((document) => document.blocks);
const yamlBlocks = blocks.filter(({ language }) => language === "yaml");

it("has blocks of YAML in its documents", () => {
  expect(yamlBlocks.length).toBeGreaterThan(8);
});

/** Ids that are to be replaced by one's own: as they are, the program refuses them. */
const placeholder = /00000000-1111-2222-3333-444444444444|55555555-6666-7777-8888-999999999999/g;

it.each(yamlBlocks)("accepts the YAML of $place, with real ids filled in", ({ text }) => {
  expect(faultsOf(parse(text.replaceAll(placeholder, "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b")))).toEqual([]);
});

it("marks every block of configuration as YAML", () => {
  const plain = blocks.filter(
    ({ language, text }) => language === "" && sections.has(/^([a-z]+):\s*$/m.exec(text)?.[1] ?? ""),
  );
  expect(plain.map(({ place }) => place)).toEqual([]);
});

it.each(["entra:\n  scop: {}", "guard:\n  maxDeactivations: many", "- target: userNam\n  source: mail"])(
  "would not accept %s",
  (text) => {
    expect(faultsOf(parse(text))).not.toEqual([]);
  },
);

it("names only existing configuration keys", () => {
  const known = new Set(keys.map(({ key }) => key.replaceAll("[]", "")));
  const unknown = pieces().flatMap(({ text, place }) => {
    const key = /^([a-z][A-Za-z]*(?:\.[A-Za-z-]+(?:\[\])?)+)(?=$|[:. ])/
      .exec(text)?.[1]
      ?.replaceAll("[]", "");
    if (key === undefined || !sections.has(key.split(".")[0] ?? "") || others.test(key)) return [];
    return known.has(key) ? [] : [`${place}: ${text}`];
  });
  expect(unknown).toEqual([]);
});

it("gives keys only values that they accept", () => {
  const given = pieces().flatMap(({ text, place }) => {
    const [, key = "", values = ""] = /^([a-z][A-Za-z]*(?:\.[A-Za-z]+)*): (.+)$/.exec(text) ?? [];
    if (!keys.some((one) => one.key === key) || values.includes("…")) return [];
    return values.split(" | ").map((value) => ({ key, value, place }));
  });
  expect(given.length).toBeGreaterThan(30);
  const refused = given.flatMap(({ key, value, place }) => {
    const raw = {};
    setValue(raw, key.split("."), parse(value));
    // A sentence does not give the other keys that the value needs.
    const faults = configSchema.safeParse(raw).error?.issues ?? [];
    return faults
      .filter(({ path }) => path.join(".").startsWith(key))
      .map(({ message }) => `${place}: ${key}: ${value}: ${message}`);
  });
  expect(refused).toEqual([]);
});

it("names only environment variables that are read", () => {
  const own = [
    ...environmentVariables.map(({ name }) => name),
    configVariable,
    defaultStateVariable,
    commandVariable,
  ];
  const known = new Set([
    ...own,
    ...environmentVariables.map(({ name }) => `${name}_FILE`),
    federatedTokenVariable,
    // Read by Node, and by libraries.
    "FORCE_COLOR",
    "HTTPS_PROXY",
    "NODE_COMPILE_CACHE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_USE_ENV_PROXY",
    "NO_COLOR",
    "NO_PROXY",
  ]);
  const named = documents.flatMap(({ text, name }) =>
    [...text.matchAll(/\b(?:ALS|AZURE|FORCE|HTTPS|LATTICE|LOG|NODE|NO)_[A-Z_]+[A-Z]\b/g)].map(
      ([variable]) => ({
        // A job has variables of its own, with its name behind two underscores.
        variable: variable.replace(/__[A-Z_]+?(?=_FILE$|$)/, ""),
        name,
      }),
    ),
  );
  expect(named.length).toBeGreaterThan(30);
  // NODE_IMAGE is an argument of the Dockerfile.
  const unknown = named.filter(({ variable }) => !known.has(variable) && variable !== "NODE_IMAGE");
  expect(unknown).toEqual([]);
});

function pieces(): Piece[] {
  return manuals.flatMap(({ code }) => code);
}

/** The program's findings in a configuration, a part of one, a mapping or cases for it. */
function faultsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    const cases = value.every((one) => isJsonObject(one) && "expect" in one);
    return cases ? faultsOfCases(value) : faultsOfMapping(value);
  }
  if (isJsonObject(value) && "clauses" in value && Object.keys(value).length === 1) {
    return faultsOf({ entra: { scope: { filters: [value] } } });
  }
  return faultsOfConfiguration(value);
}

/** Read like a file, next to the files that it names. */
function faultsOfConfiguration(value: unknown): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "als-document-"));
  try {
    const text = stringify(value);
    for (const [, key = "", name = ""] of text.matchAll(/(\w+)File: (\S+)/g)) {
      writeFileSync(join(folder, name), contents[key] ?? "a-secret");
    }
    writeFileSync(join(folder, "config.yaml"), text);
    loadConfig({ file: "config.yaml", env: {}, cwd: folder });
    return [];
  } catch (error) {
    if (error instanceof UsageError) return error.message.split("\n");
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The content of a file that a key names. */
const contents: Readonly<Record<string, string>> = {
  url: "https://hooks.example.com/for-tests",
  secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
};

/** Added to the default mapping, of which it replaces a part. */
function faultsOfMapping(rules: readonly unknown[]): readonly string[] {
  const own = new Set(rules.map((rule) => (isJsonObject(rule) ? rule.target : undefined)));
  const rest = defaultRules.filter(({ target }) => !own.has(target));
  try {
    parseMapping([...rest, ...rules], { origin: "a document", onNull: "clear", filters: noFilters });
    return [];
  } catch (error) {
    if (error instanceof UsageError) return [error.message];
    throw error;
  }
}

function faultsOfCases(cases: readonly unknown[]): readonly string[] {
  const mapping = parseMapping(defaultRules, { origin: "default", onNull: "clear", filters: noFilters });
  return parseCases(cases, () => "here", mapping).faults;
}
