import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/process/package-root.ts";
import { documents } from "./markdown.ts";

const byName = new Map(documents.map((document) => [document.name, document]));
const links = documents.flatMap((document) => document.links.map((link) => ({ ...link, document })));
const relative = links.filter(({ text }) => !/^(https?|mailto):/.test(text));

it("finds the links of the documents", () => {
  expect(relative.length).toBeGreaterThan(70);
});

it("has a file, and a heading in it, for every relative link", () => {
  const broken = relative.flatMap(({ text, place, document }) => {
    const [path = "", anchor] = text.split("#");
    const file = path === "" ? document.name : normalize(join(dirname(document.name), path));
    if (!existsSync(join(packageRoot, file))) return [`${place}: ${text}: there is no ${file}`];
    if (anchor === undefined) return [];
    return byName.get(file)?.anchors.has(anchor) ? [] : [`${place}: ${text}: ${file} has no #${anchor}`];
  });
  expect(broken).toEqual([]);
});

it("is reached from the front page, whichever document of docs/ it is", () => {
  const reached = new Set(["README.md"]);
  for (const name of reached) {
    for (const { text } of byName.get(name)?.links ?? []) {
      const [path = ""] = text.split("#");
      if (path.endsWith(".md")) reached.add(normalize(join(dirname(name), path)));
    }
  }
  const names = documents.map(({ name }) => name).filter((name) => name.startsWith("docs/"));
  expect(names.filter((name) => !reached.has(name))).toEqual([]);
});

it("has only https links to other sites", () => {
  expect(links.map(({ text }) => text).filter((text) => text.startsWith("http:"))).toEqual([]);
});
