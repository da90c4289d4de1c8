import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/process/package-root.ts";
import { documents } from "./markdown.ts";

const readmes = documents.filter(({ name }) => /^test\/.*README\.md$/.test(name));

it("has the files that the READMEs of the tests name, next to them or by their path", () => {
  const files = readmes.flatMap(({ name, code }) =>
    code
      .filter(({ text }) => /^[\w/.-]+\.(ts|json|sql)$/.test(text))
      .map(({ text, place }) => ({ text, place, beside: join(dirname(name), text) })),
  );
  expect(files.length).toBeGreaterThan(60);
  const folders = readmes.flatMap(({ name, code }) =>
    code.flatMap(({ text }) => [dirname(text), join(dirname(name), text)]),
  );
  const lost = files.filter(
    ({ text, beside }) =>
      ![text, beside, ...folders.map((folder) => join(folder, text))].some((path) =>
        existsSync(join(packageRoot, path)),
      ),
  );
  expect(lost).toEqual([]);
});

it("has each word of the simulation in the files that its README names for it", () => {
  const text = readFileSync(join(packageRoot, "test/simulation/README.md"), "utf8");
  const rows = [...text.matchAll(/^\| \*\*([^*]+)\*\* \|.*\| (`[^|]+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(25);
  const lost = rows.flatMap(([, terms = "", places = ""]) => {
    const names = [...places.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
    const read = names.map((name) => readFileSync(join(packageRoot, "test/simulation", name), "utf8"));
    const content = [...names, ...read].join("\n").toLowerCase();
    // The beginning of each word: "convergence" is there as "converge".
    const words = terms
      .toLowerCase()
      .split(/[^a-z]+/)
      .filter((word) => word.length > 3);
    return words
      .filter((word) => !content.includes(word.replace(/s$/, "").slice(0, 7)))
      .map((word) => ({ word, names }));
  });
  expect(lost).toEqual([]);
});
