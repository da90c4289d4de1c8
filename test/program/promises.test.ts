import { globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { families } from "../simulation/families.ts";

const familyNames: ReadonlySet<string> = new Set(families.map(({ name }) => name));
const rows = readFileSync("docs/reliability.md", "utf8")
  .split("\n")
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

it("numbers the promises of docs/reliability.md from 1 on, each number once", () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.map(([, number]) => number)).toEqual(rows.map((_, index) => String(index + 1)));
});

it.each(rows.map(([, , promise = "", , tested = ""]) => ({ promise, tested })))(
  "has a test of the promise: $promise",
  ({ tested }) => {
    expect(tested).toMatch(/simulation|process|test\//);
    let folder = "";
    for (const [, name = ""] of tested.matchAll(/`([^`]+)`/g)) {
      if (familyNames.has(name)) continue;
      // A name without a folder is in the folder of the name before.
      const path = name.includes("/") ? name : `${folder}/${name}`;
      folder = dirname(path);
      expect(globSync(path), path).not.toEqual([]);
    }
  },
);
