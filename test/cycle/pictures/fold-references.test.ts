import { describe, expect, it } from "vitest";
import { foldManagersFound, foldWithdrawn } from "../../../src/cycle/pictures/fold-references.ts";
import type { Change } from "../../../src/domain/plan.ts";
import type { WeighedOperation } from "../../../src/domain/state/plan-log.ts";

const title: Change = { attribute: "title", before: "Analyst", after: "Lead" };
const manager: Change = {
  attribute: "manager",
  before: "old@example.com",
  after: "new@example.com",
  reference: { beforeId: "L", afterObjectId: "m" },
};

const operation = (some: Partial<WeighedOperation>): WeighedOperation => ({
  id: 1,
  cycleId: 1,
  action: "update",
  objectId: "a",
  userName: "a@example.com",
  latticeId: "L",
  reason: "title, manager changed",
  evidence: null,
  changes: [title, manager],
  adopts: false,
  wave: 1,
  status: "planned",
  error: null,
  weights: [
    { kind: "replacement", detail: "title" },
    { kind: "manager", detail: "manager" },
  ],
  ...some,
});

describe("a reference to a manager without an account", () => {
  it("is taken out of the operation, with its weights, and the person waits", () => {
    expect(foldWithdrawn([operation({})])).toEqual({
      operations: {
        patch: [
          {
            id: 1,
            left: {
              changes: [title],
              weights: [{ kind: "replacement", detail: "title" }],
              reason: "title changed",
              refers: false,
            },
          },
        ],
        remove: [],
      },
      awaiting: [{ objectId: "a", planAgain: true }],
    });
  });

  it("may be the whole update: nothing is sent, and nothing is planned again until the manager is found", () => {
    expect(foldWithdrawn([operation({ changes: [manager] })])).toEqual({
      operations: { patch: [], remove: [1] },
      awaiting: [{ objectId: "a", planAgain: false }],
    });
  });

  it.each([{ action: "create" } as const, { adopts: true }])(
    "does not keep an account from being made or adopted (%o)",
    (some) => {
      const change = foldWithdrawn([operation({ ...some, changes: [manager], reason: "new in scope" })]);
      expect(change.operations).toMatchObject({ patch: [{ id: 1, left: { changes: [] } }], remove: [] });
      expect(change.awaiting).toEqual([{ objectId: "a", planAgain: true }]);
    },
  );
});

describe("people whose awaited manager has an account", () => {
  it("no longer wait, and are planned again", () => {
    expect(foldManagersFound(["a"])).toEqual({
      managerFound: ["a"],
      marks: [{ who: "person", objectId: "a" }],
    });
  });
});
