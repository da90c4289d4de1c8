import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../../src/process/package-root.ts";

function read(folder: string): readonly { readonly name: string; readonly text: string }[] {
  const path = join(packageRoot, folder);
  return readdirSync(path).map((name) => ({ name, text: readFileSync(join(path, name), "utf8") }));
}

const contract = read("test/state/contract").filter(({ name }) => !name.endsWith(".test.ts"));

it("calls each method of each role of a store in a test that any store runs", () => {
  const methods = read("src/domain/state").flatMap(({ name: file, text }) => {
    const [, ...interfaces] = text.split(/^export interface /m);
    return interfaces.flatMap((body) => {
      const role = /^\w+/.exec(body)?.[0] ?? "";
      const own = body.slice(0, body.search(/^\}/m)).matchAll(/^ {2}(\w+)\(/gm);
      return [...own].map(([, method = ""]) => ({ file, role, method }));
    });
  });
  expect(methods.length).toBeGreaterThan(90);
  const untested = methods.filter(
    ({ method }) => !contract.some(({ text }) => new RegExp(`\\.${method}\\(`).test(text)),
  );
  expect(untested).toEqual([]);
});

it("has each file of promises in the list that every store runs", () => {
  const [list] = contract.filter(({ name }) => name === "any-store.ts");
  const promises = contract.filter(
    ({ name, text }) => name !== "any-store.ts" && /^export function describe/m.test(text),
  );
  expect(promises.length).toBeGreaterThan(20);
  const left = promises.filter(({ name }) => !list?.text.includes(`"./${basename(name)}"`));
  expect(left.map(({ name }) => name)).toEqual([]);
});
