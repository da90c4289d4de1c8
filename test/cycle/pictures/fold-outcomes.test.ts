import { describe, expect, it } from "vitest";
import { type Ended, foldOutcomes } from "../../../src/cycle/pictures/outcomes.ts";

const known = { rows: [], people: new Map(), failing: new Map(), held: new Set<string>() };

function ended(status: "done" | "failed" | "cancelled"): Ended {
  const changes = ["title", "phone"].map((attribute) => ({ attribute, before: null, after: "x" }));
  return {
    operation: { id: 1, cycleId: 1, objectId: "a", action: "update", changes, latticeId: "l1" },
    outcome: { operationId: 1, objectId: "a", status, referencePending: false, finishedAt: 5 },
  };
}

describe("a change that was carried out", () => {
  it("ends what was released or rejected of its attributes, and of the account as such", () => {
    const drop = ["account", "title", "phone"].map((attribute) => ({ objectId: "a", attribute }));
    const change = foldOutcomes(known, [ended("done")], 1);
    expect([change.releases, change.rejections]).toEqual([{ drop }, { drop }]);
  });

  it.each(["failed", "cancelled"] as const)("ends nothing of it if it was %s instead", (status) => {
    const change = foldOutcomes(known, [ended(status)], 1);
    expect([change.releases, change.rejections]).toEqual([{ drop: [] }, { drop: [] }]);
  });
});
