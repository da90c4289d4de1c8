import { describe, expect, it } from "vitest";
import { planView } from "../../src/report/plan-view.ts";
import { createWorkplace, defaultRules, mappingOf } from "../cycle/workplace.ts";

describe("a value that a mapping redacts", () => {
  it("reaches Lattice but no report", async () => {
    const rules = [...defaultRules.slice(0, 4), { target: "title", expression: "Redact([jobTitle])" }];
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { jobTitle: "Secret title" });
    const made = await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Secret title");
    place.source.change("a", { jobTitle: null });
    const cleared = await place.cycle();

    const shown: unknown[] = [];
    for (const result of [made, cleared]) {
      for await (const { changes } of planView(place.store, result, { dryRun: false }).operations()) {
        shown.push(changes.find(({ attribute }) => attribute === "title"));
        expect(JSON.stringify(changes)).not.toContain("Secret");
      }
    }
    expect(shown).toMatchObject([
      { before: null, after: "[Redact]" },
      { before: "[Redact]", after: null },
    ]);
  });
});
