import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../src/process/package-root.ts";
import { documents } from "./markdown.ts";

const text = read("docs/architecture.md");
const state = read("docs/state.md");

function read(path: string): string {
  return readFileSync(join(packageRoot, path), "utf8");
}

/** The part of a document under a heading that begins like this. */
function section(document: string, heading: string): string {
  const [, part = ""] = document.split(`\n## ${heading}`);
  return part.split("\n## ")[0] ?? "";
}

/** Functions that a document says are in a file: a row of a table that has both, or `name` in `file`. */
function placesIn(part: string): readonly { readonly name: string; readonly file: string }[] {
  const rows = part.matchAll(/^\|.*\| `(\w+)` \| `(src\/[\w/-]+\.ts)` \|/gm);
  const sentences = part.matchAll(/`(\w+)`\s+in\s+`(src\/[\w/-]+\.ts)`/g);
  return [...rows, ...sentences].map(([, name = "", file = ""]) => ({ name, file }));
}

const explaining = documents.filter(
  ({ name }) => name === "CONTRIBUTING.md" || /^docs\/(architecture|state|decisions)/.test(name),
);

describe("the statements about the code in docs/architecture.md, docs/state.md, the decisions and CONTRIBUTING.md", () => {
  it("name files and folders that exist", () => {
    const paths = explaining.flatMap(({ code }) =>
      code.filter((piece) => /^(src|test|scripts|docs|bench)\/[\w/.-]+$/.test(piece.text)),
    );
    expect(paths.length).toBeGreaterThan(100);
    expect(paths.filter((piece) => !existsSync(join(packageRoot, piece.text)))).toEqual([]);
  });

  it("name functions that are in the files named with them", () => {
    const places = explaining.flatMap((document) => placesIn(document.text));
    expect(places.length).toBeGreaterThan(50);
    const lost = places.filter(
      ({ name, file }) =>
        !new RegExp(`^(export )?(async )?(function\\*?|const|type|interface) ${name}\\b`, "m").test(
          read(file),
        ),
    );
    expect(lost).toEqual([]);
  });

  it("name functions in the diagram of an operation's life that the table of transitions explains", () => {
    const life = section(text, "Life of an operation");
    const diagram = [...life.matchAll(/^ +\S+ --> \S+: (.+)$/gm)].flatMap(([, names = ""]) =>
      names.split(", "),
    );
    const table = new Set(placesIn(section(state, "Transitions")).map(({ name }) => name));
    expect(diagram.length).toBeGreaterThan(10);
    expect([...new Set(diagram)].toSorted()).toEqual([...table].toSorted());
  });

  it("list exactly the rooms of the engine", () => {
    const rooms = readdirSync(join(packageRoot, "src/cycle"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const listed = [...text.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(rooms.toSorted());
  });

  it("list exactly the writers of a commit", () => {
    const commit = read("src/state/sqlite/commit.ts");
    const writers = [...commit.matchAll(/ = (\w+Writer)\(/g)].map(([, name]) => name);
    const listed = placesIn(section(state, "What a commit writes")).map(({ name }) => name);
    expect(writers.length).toBeGreaterThan(5);
    expect(listed.toSorted()).toEqual(writers.toSorted());
  });

  it("list exactly the roles of a store", () => {
    const [, roles = ""] =
      /interface StateStore\s+extends ([\w\s,]+) \{/.exec(read("src/domain/state/store.ts")) ?? [];
    const rows = section(state, "Two stores").matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm);
    const listed = [...rows].flatMap(([, names = ""]) => names.replaceAll("`", "").split(", "));
    expect(listed.length).toBeGreaterThan(15);
    expect(listed.toSorted()).toEqual(roles.split(/,\s+/).toSorted());
  });

  it("list exactly the reasons why a person is planned again", () => {
    const marks = read("src/cycle/pictures/marks.ts");
    const functions = [...marks.matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
    const listed = [...section(text, "Marks").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(functions.length).toBeGreaterThan(10);
    expect(listed.toSorted()).toEqual(functions.toSorted());
  });
});

describe("the roles of a store", () => {
  it("have at most eight methods each", () => {
    const files = [
      "src/domain/fleet.ts",
      ...readdirSync(join(packageRoot, "src/domain/state")).map((name) => `src/domain/state/${name}`),
    ];
    const roles = files.flatMap((file) =>
      [...read(file).matchAll(/^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)].map(
        ([, role = "", body = ""]) => ({
          role,
          methods: [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name),
        }),
      ),
    );
    expect(roles.filter(({ methods }) => methods.length > 0).length).toBeGreaterThan(20);
    expect(roles.filter(({ methods }) => methods.length > 8)).toEqual([]);
  });
});

describe("docs/architecture.md", () => {
  it("says within its first screen what decides a deactivation, what holds it and what writes it", () => {
    const screen = text.split("\n").slice(0, 45).join("\n");
    const places = placesIn(screen).map(({ file }) => file);
    expect(places).toEqual(
      expect.arrayContaining([
        "src/cycle/planning/fate.ts",
        "src/cycle/guard/hold.ts",
        "src/cycle/sending/send.ts",
        "src/state/sqlite/commit.ts",
        "src/state/postgres/commit.ts",
      ]),
    );
  });

  it("has three screens of 66 lines", () => {
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(198);
  });
});

describe("docs/decisions", () => {
  const pages = documents.filter(({ name }) => /^docs\/decisions\/\d/.test(name));
  const index = read("docs/decisions/README.md");

  it("has a page for each decision under its own number", () => {
    const numbers = pages.map(({ name }) => Number(basename(name).slice(0, 2)));
    expect(numbers).toEqual(pages.map((_, place) => place + 1));
  });

  it.each(pages.map((page) => [page.name, page] as const))("lists %s with its title", (name, page) => {
    const title = /^# (.+)$/m.exec(page.text)?.[1] ?? "";
    expect(index).toContain(`- [${basename(name).slice(0, 2)}: ${title}](${basename(name)})`);
    expect(page.text).toMatch(/^(\*\*Rejected\.\*\*|## Rejected$)/m);
  });
});
