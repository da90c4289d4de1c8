import { describe, expect, it } from "vitest";
import { foldEarlierHeld, foldHeld } from "../../../src/cycle/pictures/fold-held.ts";
import { foldRelease } from "../../../src/cycle/pictures/fold-release.ts";
import type { LoggedOperation } from "../../../src/domain/operation.ts";
import type { Change } from "../../../src/domain/plan.ts";
import type { WeighedOperation } from "../../../src/domain/state/plan-log.ts";

const title: Change = { attribute: "title", before: "Analyst", after: null };
const phone: Change = { attribute: "phoneNumbers", before: "1", after: "2" };

const logged = (some: Partial<LoggedOperation> = {}): LoggedOperation => ({
  id: 1,
  cycleId: 7,
  action: "update",
  objectId: "a",
  userName: "a@example.com",
  latticeId: "L",
  reason: "title, phoneNumbers changed",
  evidence: null,
  changes: [title, phone],
  adopts: false,
  wave: 1,
  status: "planned",
  error: null,
  ...some,
});

const weighed = (some: Partial<WeighedOperation> = {}): WeighedOperation => ({
  ...logged(),
  weights: [
    { kind: "clear", detail: "title" },
    { kind: "replacement", detail: "phoneNumbers" },
  ],
  ...some,
});

const clears = [{ kind: "clear", details: ["title"] }] as const;

describe("a change that the guard holds", () => {
  it("is a row of its own if it is a part of an operation, and the rest is sent", () => {
    const doubtful = {
      adopts: true,
      action: "link",
      doubtful: "another",
      formerOwner: "b",
      attempt: 3,
    } as const;
    const { change, held } = foldHeld([weighed(doubtful)], clears, { startedAt: 50 });
    expect(held).toBe(1);
    expect(change.operations?.add).toEqual([
      {
        cycleId: 7,
        status: "held",
        operation: {
          action: "update",
          objectId: "a",
          userName: "a@example.com",
          latticeId: "L",
          reason: "title, phoneNumbers changed",
          evidence: null,
          changes: [title],
          adopts: false,
        },
        weights: [{ kind: "clear", detail: "title" }],
        refersTo: null,
        wave: 1,
        attempt: 3,
        at: 50,
      },
    ]);
    expect(change.operations?.patch).toEqual([
      {
        id: 1,
        left: { changes: [phone], weights: [{ kind: "replacement", detail: "phoneNumbers" }], refers: true },
      },
    ]);
  });

  it("is the operation itself if all of it is held, and no row if none of it is", () => {
    const whole = weighed({ changes: [title], weights: [{ kind: "clear", detail: "title" }] });
    const none = weighed({
      id: 2,
      changes: [phone],
      weights: [{ kind: "replacement", detail: "phoneNumbers" }],
    });
    expect(foldHeld([whole, none], clears, { startedAt: 50 })).toEqual({
      change: { operations: { add: [], patch: [{ id: 1, status: "held" }] } },
      held: 1,
    });
  });
});

describe("an operation that an earlier plan holds", () => {
  const earlier = logged({ status: "held", changes: [title] });
  const fold = (...now: LoggedOperation[]) => foldEarlierHeld([{ held: earlier, since: 3, now }]);

  it("is replaced by the row that holds the same now, with the time since when it is held", () => {
    const same = logged({ id: 9, cycleId: 8, status: "held", changes: [title] });
    expect(fold(logged({ id: 8, changes: [phone] }), same)).toEqual({
      operations: { patch: [{ id: 9, heldSince: 3 }], remove: [1] },
      certain: [],
    });
  });

  it("is replaced by the row that sends the same now", () => {
    expect(fold(logged({ id: 9, changes: [title, phone] }))).toEqual({
      operations: { patch: [], remove: [1] },
      certain: [],
    });
  });

  it("is cancelled if another change is planned, or if a part of it is no longer planned", () => {
    const cancelled = {
      operations: { patch: [{ id: 1, status: "cancelled" }], remove: [] },
      certain: [1],
    };
    expect(fold(logged({ id: 9, changes: [{ ...title, before: "Lead" }] }))).toEqual(cancelled);
    expect(fold(logged({ id: 9, changes: [phone] }))).toEqual(cancelled);
  });
});

describe("a decision about held changes", () => {
  const change = { objectId: "a", attribute: "title", fingerprint: "f" };
  const decided = { planId: "plan", at: 5 };

  it("to release ends a rejection of the attribute, and has the person planned", () => {
    expect(foldRelease({ ...decided, released: [change] })).toEqual({
      releases: { drop: [], put: [{ ...change, planId: "plan", releasedAt: 5 }] },
      rejections: { drop: [{ objectId: "a", attribute: "title" }], put: [] },
      marks: [{ who: "person", objectId: "a" }],
    });
  });

  it("to reject ends a release of the attribute", () => {
    const rejected = { ...change, evidence: null };
    expect(foldRelease({ ...decided, rejected: [rejected] })).toEqual({
      releases: { drop: [{ objectId: "a", attribute: "title" }], put: [] },
      rejections: { drop: [], put: [{ ...rejected, planId: "plan", rejectedAt: 5 }] },
      marks: [],
    });
  });

  it("to undo rejections ends all of the person's, and has the person planned", () => {
    expect(foldRelease({ ...decided, undone: ["a"] })).toMatchObject({
      rejections: { drop: [{ objectId: "a" }] },
      marks: [{ who: "person", objectId: "a" }],
    });
  });

  it("to reject what makes an account has the reports planned, who may have waited for it", () => {
    const rejected = ["account", "title"].map((attribute) => ({ ...change, attribute, evidence: null }));
    expect(foldRelease({ ...decided, rejected }).marks).toEqual([{ who: "reports", objectId: "a" }]);
  });
});
