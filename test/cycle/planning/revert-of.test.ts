import { describe, expect, it } from "vitest";
import { asOne, type Revert, revertOf, type SentOperation } from "../../../src/cycle/planning/revert-of.ts";
import type { Change, Operation } from "../../../src/domain/plan.ts";
import type { LinkedTarget } from "../../../src/domain/state/account.ts";

const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

const operation = (changes: readonly Change[], more: Partial<Operation> = {}): Operation => ({
  action: "update",
  objectId: "kim",
  userName: "kim@example.com",
  latticeId: "account-of-kim",
  reason: "title changed",
  evidence: null,
  changes,
  adopts: false,
  ...more,
});
const account = (more: Partial<LinkedTarget> = {}): LinkedTarget => ({
  latticeId: "account-of-kim",
  userName: "kim@example.com",
  externalId: "kim",
  active: true,
  values: { title: "Chief", [manager]: "account-of-new" },
  acknowledged: {},
  drifted: {},
  ...more,
});
const links: ReadonlyMap<string, string> = new Map([
  ["kim", "account-of-kim"],
  ["new", "account-of-new"],
  ["old", "account-of-old"],
]);
const people = new Map([...links].map(([person, id]) => [id, person]));

function revert(
  of: SentOperation,
  now: LinkedTarget | null = account(),
  { deactivateCreated = false, of: linked = links } = {},
): Revert {
  return revertOf(
    of,
    {
      account: now,
      accountOf: (person) => linked.get(person) ?? null,
      personOf: (id) => people.get(id) ?? null,
    },
    { deactivateCreated },
  );
}
const title = { attribute: "title", before: "Analyst", after: "Chief" } as const;
const none = { reverts: [], changedSince: [], cannot: [], skipped: [] };

describe("the revert of a change", () => {
  it("swaps before and after while Lattice has the value that was sent", () => {
    expect(revert(operation([title]))).toEqual({
      ...none,
      reverts: [{ attribute: "title", before: "Chief", after: "Analyst" }],
    });
  });

  it("clears a value that there was none of, and brings back one that was cleared", () => {
    expect(revert(operation([{ ...title, before: null }])).reverts).toMatchObject([{ after: null }]);
    const cleared = account({ values: {} });
    expect(revert(operation([{ ...title, after: null }]), cleared).reverts).toEqual([
      { attribute: "title", before: null, after: "Analyst" },
    ]);
  });

  it("takes back a value that Lattice keeps in a form of its own", () => {
    const now = account({
      values: { title: "CHIEF" },
      acknowledged: { title: { sent: "Chief", observed: "CHIEF" } },
    });
    expect(revert(operation([title]), now).reverts).toMatchObject([{ before: "CHIEF", after: "Analyst" }]);
  });

  it.each([
    ["another value by now", "Head"],
    ["the earlier value already", "Analyst"],
  ])("leaves %s", (reason, value) => {
    const left = revert(operation([title]), account({ values: { title: value } }));
    expect(left).toEqual({
      ...none,
      changedSince: [{ attribute: "title", reason: expect.stringContaining(reason) }],
    });
  });

  it("leaves one attribute and takes back the others", () => {
    const phone: Change = { attribute: "phone", before: "1", after: "2" };
    const { reverts, changedSince } = revert(operation([title, phone]));
    expect(reverts).toMatchObject([{ attribute: "title" }]);
    expect(changedSince).toMatchObject([{ attribute: "phone" }]);
  });

  it("keeps a value for Lattice only marked as such", () => {
    expect(revert(operation([{ ...title, redacted: true }])).reverts).toMatchObject([{ redacted: true }]);
  });

  it("does not take placeholders of the log for values", () => {
    const { reverts, cannot } = revert(operation([{ ...title, logged: "hashed" }]));
    expect([reverts, cannot]).toEqual([
      [],
      [{ attribute: "title", reason: expect.stringContaining("logValues") }],
    ]);
  });

  it("cannot take back an externalId", () => {
    const { reverts, cannot } = revert(operation([{ attribute: "externalId", before: null, after: "kim" }]));
    expect([reverts, cannot]).toMatchObject([[], [{ attribute: "externalId" }]]);
  });
});

describe("the revert of a deactivation and of a reactivation", () => {
  it("reactivates, and says what Lattice does not bring back", () => {
    const off: Change = { attribute: "active", before: true, after: false };
    const { reverts, cannot } = revert(
      operation([off], { action: "deactivate" }),
      account({ active: false }),
    );
    expect(reverts).toEqual([{ attribute: "active", before: false, after: true }]);
    expect(cannot).toEqual([{ attribute: "active", reason: expect.stringContaining("teams, goals") }]);
  });

  it("deactivates again who was inactive", () => {
    const on: Change = { attribute: "active", before: false, after: true };
    expect(revert(operation([on], { action: "reactivate" }))).toEqual({
      ...none,
      reverts: [{ attribute: "active", before: true, after: false }],
    });
  });

  it("deactivates no one of whom it is not known that they were inactive", () => {
    const on: Change = { attribute: "active", before: null, after: true };
    expect(revert(operation([on], { action: "reactivate" }))).toMatchObject({
      reverts: [],
      cannot: [{ attribute: "active" }],
    });
  });

  it("leaves an account that does not show whether it is active", () => {
    const off: Change = { attribute: "active", before: true, after: false };
    expect(revert(operation([off]), account({ active: null }))).toMatchObject({
      reverts: [],
      changedSince: [{ attribute: "active" }],
    });
  });
});

describe("the revert of a change of manager", () => {
  const change: Change = {
    attribute: manager,
    before: "old@example.com",
    after: "new@example.com",
    reference: { beforeId: "account-of-old", afterObjectId: "new" },
  };

  it("names the person of the earlier account, and says that drafts are lost", () => {
    const { reverts, cannot } = revert(operation([change]));
    expect(reverts).toEqual([
      {
        attribute: manager,
        before: "new@example.com",
        after: "old@example.com",
        reference: { beforeId: "account-of-new", afterObjectId: "old" },
      },
    ]);
    expect(cannot).toEqual([{ attribute: manager, reason: expect.stringContaining("reviews") }]);
  });

  it("clears a first manager, of whom nothing is lost", () => {
    const first = { ...change, before: null, reference: { beforeId: null, afterObjectId: "new" } };
    const { reverts, cannot } = revert(operation([first]));
    expect(reverts).toMatchObject([{ after: null, reference: { afterObjectId: null } }]);
    expect(cannot).toEqual([]);
  });

  it("brings back a manager who was cleared", () => {
    const cleared = {
      ...change,
      after: null,
      reference: { beforeId: "account-of-old", afterObjectId: null },
    };
    const { reverts } = revert(operation([cleared]), account({ values: {} }));
    expect(reverts).toMatchObject([{ before: null, reference: { beforeId: null, afterObjectId: "old" } }]);
  });

  it.each([
    ["another manager by now", "account-of-third"],
    ["the earlier manager already", "account-of-old"],
  ])("leaves %s", (_, id) => {
    const { reverts, changedSince } = revert(operation([change]), account({ values: { [manager]: id } }));
    expect([reverts, changedSince]).toMatchObject([[], [{ attribute: manager }]]);
  });

  it("leaves a manager whose account was lost or replaced", () => {
    const { reverts, changedSince } = revert(operation([change]), account(), { of: new Map() });
    expect([reverts, changedSince]).toMatchObject([[], [{ attribute: manager }]]);
  });

  it("cannot name an earlier manager without a person", () => {
    const stranger = { ...change, reference: { beforeId: "nobody's", afterObjectId: "new" } };
    expect(revert(operation([stranger]))).toMatchObject({ reverts: [], cannot: [{ attribute: manager }] });
  });
});

describe("the revert of a new or linked account", () => {
  const created = operation([{ ...title, before: null }], { action: "create" });

  it("only deactivates a created account, and only if asked", () => {
    expect(revert(created)).toEqual({
      ...none,
      cannot: [{ attribute: "account", reason: expect.stringContaining("--deactivate-created") }],
    });
    const off = revert(created, account(), { deactivateCreated: true });
    expect(off.reverts).toEqual([{ attribute: "active", before: true, after: false }]);
    expect(off.cannot).toMatchObject([{ attribute: "account" }]);
  });

  it.each([false, null])("does not deactivate a created account whose active is %s", (active) => {
    const left = revert(created, account({ active }), { deactivateCreated: true });
    expect(left).toMatchObject({ reverts: [], changedSince: [{ attribute: "active" }] });
  });

  it("keeps the link and takes back the values", () => {
    const { reverts, cannot } = revert(operation([title], { action: "link", adopts: true }));
    expect(reverts).toMatchObject([{ attribute: "title", after: "Analyst" }]);
    expect(cannot).toMatchObject([{ attribute: "account" }]);
  });

  it.each([
    ["no account", null],
    ["another account", account({ latticeId: "another" })],
  ])("leaves a person who has %s by now, created or not", (_, now) => {
    for (const done of [created, operation([title])]) {
      const left = revert(done, now, { deactivateCreated: true });
      expect(left).toMatchObject({ reverts: [], changedSince: [{ attribute: "account" }], cannot: [] });
    }
  });
});

describe("several operations of one person in one cycle", () => {
  it("are one, from the first value before to the last value after", () => {
    const middle = { attribute: "title", before: "Analyst", after: "Lead" };
    const last = { attribute: "title", before: "Lead", after: "Chief" };
    const phone: Change = { attribute: "phone", before: null, after: "2" };
    const sum = asOne([operation([middle]), operation([phone, last])]);
    expect(sum.changes).toEqual([title, phone]);
  });

  it("stay a creation, with the account that was made", () => {
    const sum = asOne([
      operation([], { action: "create", latticeId: "account-of-kim" }),
      operation([title], { action: "update" }),
    ]);
    expect(revert(sum).cannot).toMatchObject([{ attribute: "account" }]);
  });

  it("join the manager's ids, and stay without values if one is", () => {
    const reference = (beforeId: string | null, afterObjectId: string | null): Change => ({
      attribute: manager,
      before: beforeId,
      after: afterObjectId,
      reference: { beforeId, afterObjectId },
    });
    const sum = asOne([
      operation([reference("account-of-old", null), { ...title, logged: "omitted", redacted: true }]),
      operation([reference(null, "new"), title]),
    ]);
    expect(sum.changes).toMatchObject([
      { before: "account-of-old", reference: { beforeId: "account-of-old", afterObjectId: "new" } },
      { logged: "omitted", redacted: true },
    ]);
  });
});
