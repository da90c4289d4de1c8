import { readdirSync } from "node:fs";
import { expect, it } from "vitest";

it("numbers the migrations from 1 on, each number once: the second of two with one number would never be applied", () => {
  const names = readdirSync(new URL("../../../../src/state/sqlite/migrations/", import.meta.url)).sort();
  expect(names.map((name) => Number(name.slice(0, 3)))).toEqual(names.map((_, index) => index + 1));
});
