import { describe, expect, it } from "vitest";
import { type Defect, swapInner } from "./defects/defect.ts";
import { defectNamed, prepare } from "./defects/prepare.ts";

const defect = (name: string, module: string, inner: string): Defect => ({
  name,
  seed: 1,
  history: 0,
  swaps: [swapInner<() => void>(module, inner, () => () => {})],
});

const modules = new Map([
  ["one.ts", "export function first(): void {}\nfunction second(): void {}\n"],
  ["two.ts", "function third(): void {}\n"],
]);

const read = (module: string): string | null => modules.get(module) ?? null;

describe("deliberate defects", () => {
  const all = [
    defect("the first is wrong", "one.ts", "first"),
    defect("the second is wrong", "one.ts", "second"),
    defect("the first is wrong in another way", "one.ts", "first"),
  ];

  it("are put in place by a statement for each function, once, at the end of its module", () => {
    const { sources, faults } = prepare(all, read);
    expect([...sources.keys()]).toEqual(["one.ts"]);
    const added = sources.get("one.ts")?.slice(modules.get("one.ts")?.length).trim().split("\n");
    expect(added).toEqual([
      'first = globalThis.defective("one.ts", "first", first);',
      'second = globalThis.defective("one.ts", "second", second);',
    ]);
    expect(faults.size).toBe(0);
  });

  it("of a module or a function that is gone fail alone, with its name", () => {
    const { sources, faults } = prepare(
      [
        ...all,
        defect("the module is gone", "gone.ts", "first"),
        defect("the function is gone", "two.ts", "fourth"),
      ],
      read,
    );
    expect([...sources.keys()]).toEqual(["one.ts"]);
    expect([...faults]).toEqual([
      [
        "the module is gone",
        'the defect "the module is gone" swaps a function of src/gone.ts, which does not exist',
      ],
      [
        "the function is gone",
        'the defect "the function is gone" swaps the function fourth, which src/two.ts does not have exactly once',
      ],
    ]);
    expect(defectNamed(all, "the first is wrong", { faults })).toBe(all[0]);
    expect(() => defectNamed(all, "the module is gone", { faults })).toThrow("src/gone.ts");
  });

  it("are found by their names, and another name is answered with the nearest", () => {
    const { faults } = prepare(all, read);
    expect(defectNamed(all, "the second is wrong", { faults })).toBe(all[1]);
    expect(() => defectNamed(all, "the secnd is wrong", { faults })).toThrow(
      'there is no defect "the secnd is wrong"; the nearest is "the second is wrong"',
    );
  });
});
