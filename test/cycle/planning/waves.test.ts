import { describe, expect, it } from "vitest";
import { waves } from "../../../src/cycle/planning/waves.ts";

/** Waves of operations of one kind, counted from the first. */
const of = (managers: readonly number[]): number[] => {
  const first = new Uint32Array(managers.length).fill(2);
  return [...waves(Int32Array.from(managers), first)].map((wave) => wave - 2);
};

describe("the waves of a plan", () => {
  it("put everybody after their manager", () => {
    expect(of([-1, 0, 1, 1, -1])).toEqual([0, 1, 2, 2, 0]);
    expect(of([1, 2, 3, -1])).toEqual([3, 2, 1, 0]);
    expect(of([])).toEqual([]);
  });

  it("cut a ring at one member, and keep the tree below it in order", () => {
    // 1 and 2 manage each other; 0 is below 1, 3 below 0.
    const depth = of([1, 2, 1, 0]);
    expect([depth[1], depth[2]].sort()).toEqual([0, 1]);
    expect(depth[0]).toBe((depth[1] ?? 0) + 1);
    expect(depth[3]).toBe((depth[0] ?? 0) + 1);
    expect(of([0])).toEqual([0]);
  });

  it("never put an operation before the wave of its kind, and make leavers wait for no one", () => {
    const [leaver, update, create] = [0, 1, 2];
    const mixed = (managers: readonly number[], first: readonly number[]): number[] => [
      ...waves(Int32Array.from(managers), Uint32Array.from(first)),
    ];
    // A report of a new person comes after that create, whatever its operation is; a leaver does not.
    expect(mixed([-1, 0, 1], [create, update, leaver])).toEqual([2, 3, 0]);
    // A create below a linked person does not come early.
    expect(mixed([-1, 0, 1], [update, create, create])).toEqual([1, 2, 3]);
    expect(mixed([1, 0], [leaver, create])).toEqual([0, 2]);
  });

  it("cut exactly one place in each ring of a large random company", () => {
    const size = 20_000;
    let seed = 42;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const managers = Array.from({ length: size }, () => Math.floor(random() * (size + 50)) - 50);
    const depth = of(managers.map((manager) => Math.max(-1, manager)));
    const late = managers.filter(
      (manager, index) => manager >= 0 && (depth[index] ?? 0) <= (depth[manager] ?? 0),
    );
    const rings = countRings(managers);
    expect(rings).toBeGreaterThan(0);
    expect(late.length).toBe(rings);
  });
});

function countRings(managers: readonly number[]): number {
  const seen = new Int32Array(managers.length);
  let rings = 0;
  managers.forEach((_manager, start) => {
    let at = start;
    while (at >= 0 && seen[at] === 0) {
      seen[at] = start + 1;
      at = managers[at] ?? -1;
    }
    if (at >= 0 && seen[at] === start + 1) rings += 1;
  });
  return rings;
}
