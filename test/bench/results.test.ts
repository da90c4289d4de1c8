import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasFallen, isMet, isWorse, median } from "../../bench/bench.ts";
import { markdown, type Results, withOlder } from "../../bench/results.ts";

const machine = { processor: "a processor", cores: 2, memoryGiB: 8, system: "a system" };

function resultsOf(name: string, at: string, ratio: number): Results {
  const findings = [
    { what: "a thing", measured: "5 s", reference: "10 s", ratio, wanted: { atMost: 0.6 } },
    { what: "for comparison", measured: "1", reference: "1", ratio: 1 },
  ];
  return { machine, versions: { node: "24" }, benches: [{ name, about: "", at, seconds: 1, findings }] };
}

describe("the ratio of a bench", () => {
  it("is met at its bound, whether high or low values are good", () => {
    expect(isMet(0.6, { atLeast: 0.6 })).toBe(true);
    expect(isMet(0.59, { atLeast: 0.6 })).toBe(false);
    expect(isMet(2, { atMost: 2 })).toBe(true);
    expect(isMet(2.1, { atMost: 2 })).toBe(false);
  });

  it("has fallen if it is worse by more than a third, and not if it is better", () => {
    expect(hasFallen(0.61, 0.9, { atLeast: 0.5 })).toBe(false);
    expect(hasFallen(0.59, 0.9, { atLeast: 0.5 })).toBe(true);
    expect(hasFallen(2, 0.9, { atLeast: 0.5 })).toBe(false);
    expect(hasFallen(1.49, 1, { atMost: 2 })).toBe(false);
    expect(hasFallen(1.51, 1, { atMost: 2 })).toBe(true);
    expect(hasFallen(0.1, 1, { atMost: 2 })).toBe(false);
    expect(isWorse(1, 2, { atLeast: 1 })).toBe(true);
    expect(isWorse(1, 2, { atMost: 1 })).toBe(false);
  });

  it("is the median of several runs", () => {
    expect(median([9, 1, 2])).toBe(2);
  });
});

describe("the results of a bench", () => {
  it("replace the earlier ones in the document", () => {
    const document = "# Title\n<!-- results: begin -->\nold\n<!-- results: end -->\nrest\n";
    const made = markdown(document, resultsOf("one", "2026-11-25T10:00:00.000Z", 0.5));
    expect(made).toContain("| `one` | a thing | 5 s | 10 s | 0.500 | <= 0.6 | yes |");
    expect(made).toContain("| `one` | for comparison | 1 | 1 | 1.000 |  |  |");
    expect(made).not.toContain("old");
    expect(made).toMatch(/^# Title\n/);
    expect(made).toMatch(/\nrest\n$/);
    expect(markdown(made, resultsOf("one", "2026-11-25T10:00:00.000Z", 0.7))).toContain("**no**");
    expect(() => markdown("# Title", resultsOf("one", "2026-11-25", 1))).toThrow("results: begin");
  });

  it("are kept for benches that did not run, if the machine is the same", () => {
    const folder = mkdtempSync(join(tmpdir(), "als-results-"));
    try {
      const file = join(folder, "results.json");
      const older = resultsOf("two", "2026-11-24T10:00:00.000Z", 0.5);
      const newer = resultsOf("one", "2026-11-25T10:00:00.000Z", 0.5);
      expect(withOlder(file, newer)).toEqual(newer);
      writeFileSync(file, JSON.stringify(older));
      expect(withOlder(file, newer).benches.map(({ name }) => name)).toEqual(["one", "two"]);
      const elsewhere = { ...newer, machine: { ...machine, cores: 64 } };
      expect(withOlder(file, elsewhere)).toEqual(elsewhere);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
