import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { knownKeys } from "../../src/config/keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { showConfig } from "../../src/config/show.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { mangled, nastyJson, nastyText } from "./arbitraries.ts";
import { promptOutcomeOf } from "./outcome.ts";

const seed = 20_260_304;
const folder = mkdtempSync(join(tmpdir(), "als-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether a file with this content is a configuration; everything that is made of one is made of it. */
function isConfiguration(content: string | Uint8Array): boolean {
  const file = join(folder, "fuzz.yaml");
  writeFileSync(file, content);
  const loaded = promptOutcomeOf(() => loadConfig({ file, env: {}, cwd: folder }));
  if (loaded === null) return false;
  const { config, mappingSource } = loaded;
  const shown = promptOutcomeOf(() => showConfig(loaded));
  expect(typeof shown).toBe("string");
  promptOutcomeOf(() => {
    const filters = parseScopingFilters(config.entra.scope.filters, { guests: true });
    const { origin, rules } = mappingSource;
    return parseMapping(rules, { origin, onNull: config.onNull, filters });
  });
  return true;
}

/** For a property: whatever the answer is, there is one. */
function answered(content: string | Uint8Array): void {
  isConfiguration(content);
}

const ruleValue = fc.oneof(
  fc.constantFrom(
    "userName",
    "title",
    "mail",
    "accountEnabled",
    "manager",
    "Not([IsSoftDeleted])",
    1,
    true,
    "always",
  ),
  nastyJson,
);
const rule = mangled({
  target: fc.oneof(fc.constantFrom("userName", "externalId", "active", "title"), nastyText),
  source: ruleValue,
  matchingPrecedence: fc.constantFrom(undefined, 1, -1),
});
const filters = fc.array(
  mangled({
    clauses: fc.array(
      mangled({ attribute: ruleValue, operator: fc.constantFrom("EQUALS", "IS NULL"), value: nastyText }),
      {
        maxLength: 2,
      },
    ),
  }),
  { maxLength: 2 },
);

const leaves = knownKeys().filter(({ section, key }) => !section && !key.includes("[]"));
/** A document with known keys, right and wrong values, and unknown keys. */
const document: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom(...leaves.map(({ key }) => key)),
        fc.oneof(fc.constantFrom("all", "1h", 5, true, null, "https://x.example.com"), nastyJson),
      ),
      { maxLength: 6 },
    ),
    fc.option(fc.oneof(fc.array(rule, { maxLength: 3 }), nastyJson)),
    fc.option(fc.oneof(filters, nastyJson)),
    fc.array(fc.tuple(nastyText, nastyJson), { maxLength: 2 }),
  )
  .map(([settings, mapping, scopingFilters, others]) => {
    const given = [
      ...settings,
      ["mapping", mapping] as const,
      ["entra.scope.filters", scopingFilters] as const,
    ];
    return given
      .filter(([, value]) => value !== null)
      .reduce<Record<string, unknown>>(
        (tree, [key, value]) => withValue(tree, key.split("."), value),
        Object.fromEntries(others),
      );
  });

function withValue(
  tree: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [name = "", ...below] = path;
  if (below.length === 0) return { ...tree, [name]: value };
  const current = tree[name];
  const section =
    typeof current === "object" && current !== null ? Object.fromEntries(Object.entries(current)) : {};
  return { ...tree, [name]: withValue(section, below, value) };
}

const examples = ["azure-lattice-sync.example.yaml", "default-mapping.yaml"].map((name) =>
  readFileSync(new URL(`../../config/${name}`, import.meta.url), "utf8"),
);
const debris = fc.oneof(
  fc.constantFrom(
    "&a ",
    "*a",
    "!",
    "- ",
    "? ",
    ": ",
    "[",
    "}",
    "|\n",
    ">-\n",
    "%",
    "---\n",
    "\t",
    '"',
    "'",
    "<<: ",
    "#",
    "\n",
  ),
  nastyText,
);
/** An example with pieces cut out, doubled, or replaced by what YAML has a use for. */
const damaged = fc
  .tuple(
    fc.constantFrom(...examples.map((text) => text.replaceAll(/^(\s*)# (?=\w+:)/gm, "$1")), ...examples),
    fc.array(fc.tuple(fc.nat(5_000), fc.nat(200), debris), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, cuts]) =>
    cuts.reduce(
      (rest, [at, length, piece]) => `${rest.slice(0, at)}${piece}${rest.slice(at + length)}`,
      text,
    ),
  );

describe("a configuration file", () => {
  it("of known and unknown keys with any values is loaded, or refused in words", () => {
    fc.assert(
      fc.property(document, fc.boolean(), (value, asYaml) => {
        isConfiguration(asYaml ? stringify(value) : JSON.stringify(value));
      }),
      { seed, numRuns: 200 },
    );
  });

  it("that was damaged is loaded, or refused in words", () => {
    fc.assert(fc.property(damaged, answered), { seed, numRuns: 60 });
  });

  it("of any text or bytes is loaded, or refused in words", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(
        fc.oneof(
          nastyText,
          fc.array(debris).map((parts) => parts.join("")),
          bytes,
        ),
        answered,
      ),
      {
        seed,
        numRuns: 200,
      },
    );
  });

  it("nested deeply is refused in words", () => {
    const kinds = [
      ["[", "]"],
      ["{a: ", "}"],
      ["- ", ""],
      ["? ", ""],
    ] as const;
    for (const [open, close] of kinds) {
      const nested = (depth: number): string => `mapping:\n  - ${open.repeat(depth)}${close.repeat(depth)}`;
      isConfiguration(nested(10));
      for (const depth of [101, 1_000, 1_700, 20_000]) expect(isConfiguration(nested(depth))).toBe(false);
    }
  });

  const full = (piece: (index: number) => string): string => {
    let text = "";
    for (let index = 0; text.length < 40_000; index += 1) text += piece(index);
    return text;
  };
  it.each([
    ["keys", full((index) => `k${index.toString(36)}:\n`)],
    ["keys twice", full((index) => `k${index % 1_000}: 1\n`)],
    ["aliases", `a: &a 1\nb: [${full(() => "*a,")}]`],
    ["anchors", `a: [${full((index) => `&a${index} 1,`)}]`],
    ["aliases without an anchor", `a: [${full(() => "*b,")}]`],
    ["tags", `a: [${full(() => "!x 1,")}]`],
    ["directives", full(() => "%x\n")],
    ["colons", full(() => ": ")],
    ["wrong values", `entra: { scope: { groups: [${full(() => "1,")}] } }`],
    ["wrong attribute mappings", `mapping: [${full(() => "1,")}]`],
    ["documents", full(() => "---\n")],
    ["quotes", full(() => '"')],
    ["brackets", full(() => "[")],
    ["one long value", `lattice: { token: ${full(() => "x")} }`],
    ["one long target", `mapping: [{ target: ${full(() => "x")}, source: mail }]`],
    ["one long expression", `mapping: [{ target: title, expression: '${full(() => "Not(")}' }]`],
  ])("full of %s is answered promptly", (_case, content) => {
    isConfiguration(content);
  });

  it("of ten megabytes, or that grows by a billion when its aliases are followed, is refused", () => {
    expect(isConfiguration("x".repeat(10_000_000))).toBe(false);
    const laughs = "bcdefghij".split("").map((name, index) => {
      const before = "abcdefghi"[index] ?? "a";
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`;
    });
    expect(isConfiguration(["a: &a [x, x, x, x, x, x, x, x, x]", ...laughs].join("\n"))).toBe(false);
  });

  it("that contains itself is loaded, or refused in words", () => {
    for (const text of ["mapping: &a [*a]", "&a\nentra: *a", "&a\nnotify: *a", "entra: &a { scope: *a }"])
      isConfiguration(text);
  });

  it("changes no prototype", () => {
    for (const key of ["__proto__", "constructor", "prototype", "toString"]) {
      for (const path of [key, `entra.${key}`, `${key}.polluted`, `constructor.prototype.${key}`]) {
        expect(isConfiguration(JSON.stringify(withValue({}, path.split("."), "polluted")))).toBe(false);
      }
    }
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
