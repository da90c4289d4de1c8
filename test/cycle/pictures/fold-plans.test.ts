import { describe, expect, it } from "vitest";
import { foldPlans, type PersonWithPlan } from "../../../src/cycle/pictures/fold-plans.ts";
import type { Operation, SkipCode } from "../../../src/domain/plan.ts";
import type { PersonPlan } from "../../../src/domain/state/planning.ts";

const cycle = { cycleId: 7, startedAt: 1_000 };

const nothing: PersonWithPlan["known"] = {
  link: null,
  retry: null,
  released: new Map(),
  rejected: [],
  events: new Map(),
  held: [],
};

const rejectedTitle = {
  objectId: "a",
  attribute: "title",
  fingerprint: "f",
  evidence: null,
  planId: "p",
  rejectedAt: 1,
};

/** A failing person with a held operation, a release and a rejection. */
const everything: PersonWithPlan["known"] = {
  link: null,
  retry: {
    objectId: "a",
    attempts: 2,
    firstFailedAt: 1,
    lastFailedAt: 2,
    nextTryAt: 3,
    code: "RECORD_REJECTED",
    message: "no",
  },
  released: new Map([
    ["title", "f"],
    ["active", "g"],
  ]),
  rejected: [rejectedTitle],
  events: new Map([["deleted", 5]]),
  held: [11, 12],
};

const update: Operation = {
  action: "update",
  objectId: "a",
  userName: "a@example.com",
  latticeId: "L",
  reason: "title changed",
  evidence: null,
  changes: [{ attribute: "title", before: "Analyst", after: "Lead" }],
  adopts: false,
};

const operation: PersonPlan = { kind: "operation", operation: update, referencePending: false };
const unchanged: PersonPlan = { kind: "unchanged", objectId: "a", referencePending: false };
const skipped = (code: SkipCode): Extract<PersonPlan, { kind: "skipped" }> => ({
  kind: "skipped",
  skipped: { objectId: "a", userName: "a@example.com", code, reason: "because" },
  referencePending: false,
});

const fold = (known: PersonWithPlan["known"], plan: PersonPlan) => foldPlans([{ known, plan }], cycle);

describe("an operation that is planned", () => {
  it("is added to the log as planned, with its attempt, and keeps the person marked until it is confirmed", () => {
    const change = fold(everything, { ...operation, weights: [{ kind: "rename" }] });
    expect(change.operations?.add).toEqual([
      {
        cycleId: 7,
        status: "planned",
        operation: update,
        weights: [{ kind: "rename" }],
        refersTo: null,
        wave: 1,
        attempt: 3,
        at: 1_000,
      },
    ]);
    expect(change.planned).toEqual([
      { objectId: "a", planAgain: true, awaitsManager: false, skip: null, lookAgainAt: null },
    ]);
  });

  it("names the manager whom it sets", () => {
    const reference = { beforeId: null, afterObjectId: "m" };
    const changes = [{ attribute: "manager", before: null, after: "m@example.com", reference }];
    const change = fold(nothing, { ...operation, operation: { ...update, changes } });
    expect(change.operations?.add?.[0]?.refersTo).toBe("m");
  });

  it("keeps the held operation until it is weighed, and the failures", () => {
    const change = fold(everything, operation);
    expect([change.operations?.patch, change.retries]).toEqual([[], { drop: [] }]);
  });

  it("ends releases that it does not use, and rejections of other changes", () => {
    const change = fold(everything, { ...operation, releasesInUse: ["title"], rejected: [rejectedTitle] });
    expect(change.releases?.drop).toEqual([{ objectId: "a", attribute: "active", fingerprint: "g" }]);
    expect(change.rejections?.drop).toEqual([]);
    expect(fold(everything, operation).rejections?.drop).toEqual([rejectedTitle]);
  });
});

describe("a person for whom nothing is due", () => {
  it("is not planned again, and no longer has a failure, release, rejection or held operation", () => {
    const change = fold(everything, { ...unchanged, lookAgainAt: 99 });
    expect(change).toMatchObject({
      operations: {
        add: [],
        patch: [
          { id: 11, status: "cancelled" },
          { id: 12, status: "cancelled" },
        ],
      },
      certain: [11, 12],
      planned: [{ objectId: "a", planAgain: false, awaitsManager: false, skip: null, lookAgainAt: 99 }],
      retries: { drop: ["a"] },
      rejections: { drop: [rejectedTitle] },
    });
    expect(change.releases?.drop).toHaveLength(2);
  });

  it("has a manual change in the log if it is only reported", () => {
    const change = fold(nothing, { ...unchanged, reported: { ...update, drift: "edited" } });
    expect(change.operations?.add).toMatchObject([{ status: "reported", weights: [] }]);
  });

  it("is not written if the state has nothing about the person", () => {
    const change = fold(nothing, unchanged);
    expect(change).toMatchObject({
      operations: { add: [], patch: [] },
      leaving: [],
      retries: { drop: [] },
      releases: { drop: [] },
      rejections: { drop: [] },
      marks: [],
    });
  });
});

describe("a person who is skipped", () => {
  it.each(["waitingForRetry", "linkedToAnother", "renameRing", "clockInDoubt", "putBack"] as const)(
    "is planned again if the reason ends by itself (%s)",
    (code) => {
      expect(fold(nothing, skipped(code)).planned).toMatchObject([{ planAgain: true, skip: { code } }]);
    },
  );

  it.each(["invalidUserName", "ambiguousMatch", "protectedAccount", "rejected", "actionOff"] as const)(
    "is not planned again until something changes (%s)",
    (code) => {
      expect(fold(nothing, skipped(code)).planned).toMatchObject([{ planAgain: false, skip: { code } }]);
    },
  );

  it("keeps the held operation while the same change is due later, and the releases and rejections", () => {
    for (const code of ["waitingForRetry", "rejected"] as const) {
      const change = fold(everything, skipped(code));
      expect([change.operations?.patch, change.releases?.drop, change.rejections?.drop]).toEqual([
        [],
        [],
        [],
      ]);
    }
    expect(fold(everything, skipped("disabled")).operations?.patch).toHaveLength(2);
  });

  it("keeps the failures, unless nothing is to be sent", () => {
    expect(fold(everything, skipped("ambiguousMatch")).retries?.drop).toEqual([]);
    expect(fold(everything, skipped("managerRing")).retries?.drop).toEqual(["a"]);
  });

  it("has the people planned next on whom the plan depends, unless they were planned later", () => {
    const resting = { known: nothing, plan: { ...skipped("formerOwner"), alsoLookAt: ["b"] } };
    const other: PersonWithPlan = { known: nothing, plan: { ...unchanged, objectId: "b" } };
    expect(foldPlans([other, resting], cycle).marks).toEqual([{ who: "person", objectId: "b" }]);
    expect(foldPlans([resting, other], cycle).marks).toEqual([]);
  });
});

describe("the leaving events of a person", () => {
  it("are stored if they differ from before, and kept if the plan does not mention them", () => {
    const events = new Map([["deleted", 5]] as const);
    expect(fold(everything, { ...unchanged, events }).leaving).toEqual([]);
    expect(fold(nothing, { ...unchanged, events }).leaving).toEqual([{ objectId: "a", events }]);
    expect(fold(everything, { ...unchanged, events: new Map() }).leaving).toEqual([
      { objectId: "a", events: new Map() },
    ]);
    expect(fold(everything, unchanged).leaving).toEqual([]);
  });
});

describe("an account that will not be made", () => {
  const reportsMarked = [{ who: "reports", objectId: "a" }];

  it.each([
    ["was held", { ...nothing, held: [11] }],
    ["had failed", { ...nothing, retry: everything.retry }],
  ])("has the reports planned again, once: it %s", (_, known) => {
    expect(fold(known, { kind: "ignored", objectId: "a" }).marks).toEqual(reportsMarked);
    expect(fold(nothing, { kind: "ignored", objectId: "a" }).marks).toEqual([]);
  });

  it("has no one planned again if it may still be made, or is there", () => {
    for (const code of ["waitingForRetry", "putBack", "clockInDoubt"] as const)
      expect(fold(everything, skipped(code)).marks).toEqual([]);
    expect(fold(everything, operation).marks).toEqual([]);
  });
});
