import { describe, expect, it } from "vitest";
import { split } from "../../../src/cycle/operations/split.ts";
import { notPlannedAgain, wasCarriedOut, weightsOf } from "../../../src/cycle/operations/weights.ts";
import type { Change, Hold, Operation } from "../../../src/domain/plan.ts";
import type { Weight } from "../../../src/domain/weight.ts";

const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const email = 'emails[type eq "work"].value';

function operation(parts: Partial<Operation>): Operation {
  return {
    action: "update",
    objectId: "a",
    userName: "a@example.com",
    latticeId: "l",
    reason: "made up",
    evidence: null,
    changes: [],
    adopts: false,
    ...parts,
  };
}

function change(attribute: string, before: Change["before"], after: Change["after"], more = {}): Change {
  return { attribute, before, after, ...more };
}

function weights(parts: Partial<Operation>, firstRun = false): string[] {
  return weightsOf(operation(parts), { firstRun }).map(({ kind, detail }) =>
    detail === undefined ? kind : `${kind} ${detail}`,
  );
}

const evidence = { kind: "leftScope", detail: "no longer assigned" } as const;
const off = change("active", true, false);
const moved = change(manager, "old@example.com", "new@example.com", {
  reference: { beforeId: "l1", afterObjectId: "new" },
});

describe("the guard's weights of an operation", () => {
  it.each<[string, Partial<Operation>, string[]]>([
    [
      "a deactivation, by its evidence",
      { action: "deactivate", evidence, changes: [off] },
      ["deactivate leftScope"],
    ],
    [
      "a deactivation of an account that does not show whether it is active",
      { action: "deactivate", evidence, changes: [{ ...off, before: null }] },
      ["deactivate leftScope"],
    ],
    ["a reactivation", { action: "reactivate", changes: [change("active", false, true)] }, ["reactivate"]],
    ["a create", { action: "create", latticeId: null, changes: [change("title", null, "Lead")] }, ["create"]],
    ["a link", { action: "link", adopts: true }, ["link"]],
    [
      "a doubtful link",
      { action: "link", adopts: true, doubtful: "another employeeNumber" },
      ["link", "doubtfulLink"],
    ],
    [
      "two e-mail addresses of one person, who is one",
      {
        changes: [
          change(email, "a@example.com", "b@example.com"),
          change('emails[type eq "home"].value', "c@example.com", "d@example.com"),
        ],
      },
      ["email"],
    ],
    ["another userName", { changes: [change("userName", "a@example.com", "b@example.com")] }, ["rename"]],
    ["a cleared value", { changes: [change("title", "Lead", null)] }, ["clear title"]],
    ["a replaced value", { changes: [change("title", "Lead", "Chief")] }, ["replacement title"]],
    ["another manager", { changes: [moved] }, [`manager ${manager}`]],
    [
      "a manager taken away",
      { changes: [{ ...moved, after: null, reference: { beforeId: "l1", afterObjectId: null } }] },
      [`manager ${manager}`, `clear ${manager}`],
    ],
    ["another e-mail address", { changes: [change(email, "a@example.com", "b@example.com")] }, ["email"]],
    ["nothing for a value where there was none", { changes: [change("title", null, "Lead")] }, []],
    ["nothing for a first manager", { changes: [{ ...moved, before: null }] }, []],
    [
      "nothing for a userName or an e-mail address in another letter case",
      {
        changes: [
          change("userName", "a@example.com", "A@Example.com"),
          change(email, "a@example.com", "A@Example.com"),
        ],
      },
      [],
    ],
    ["nothing that was released", { changes: [change("title", "Lead", null, { released: true })] }, []],
    ["nothing of a released link", { adopts: true, doubtful: "another employeeNumber", released: true }, []],
  ])("are %s", (_what, parts, expected) => {
    expect(weights(parts)).toEqual(expected);
  });

  it("in a first run include neither creates nor links, but doubtful links and their changes", () => {
    expect(weights({ action: "create", latticeId: null }, true)).toEqual([]);
    const link = { action: "link", adopts: true, doubtful: "another employeeNumber" } as const;
    expect(weights({ ...link, changes: [change("title", "Lead", "Chief")] }, true)).toEqual([
      "doubtfulLink",
      "replacement title",
    ]);
  });
});

describe("a write whose answer was lost", () => {
  const account = { latticeId: "l", userName: "a@example.com", externalId: "a", siblings: {} };

  it("counts if a weighed value is now what it was to become", () => {
    const left = operation({ action: "deactivate", evidence, changes: [off] });
    expect(wasCarriedOut(left, { ...account, active: false, values: {} })).toBe(true);
    expect(wasCarriedOut(left, { ...account, active: true, values: {} })).toBe(false);
    const first = operation({ changes: [change("title", null, "Lead")] });
    expect(wasCarriedOut(first, { ...account, active: true, values: { title: "Lead" } })).toBe(false);
  });
});

describe("the held part of an operation", () => {
  const part = (parts: Partial<Operation>, ...holds: Hold[]) => {
    const planned = operation(parts);
    const row = { ...planned, id: 7, cycleId: 1, wave: 0, status: "planned", error: null } as const;
    return split({ ...row, weights: weightsOf(planned, { firstRun: false }) }, holds);
  };
  const title = change("title", "Lead", null);
  const phone = change("phoneNumbers", "1", "2");

  it("is empty if no change of that kind has a weight", () => {
    expect(part({ changes: [phone] }, { kind: "clear", details: ["title"] })).toBeNull();
    expect(part({ changes: [title] }, { kind: "clear", details: ["department"] })).toBeNull();
    const released = { ...title, released: true as const };
    expect(part({ changes: [released] }, { kind: "clear", details: ["title"] })).toBeNull();
  });

  it("is only the change, for an update, a link and a deactivation", () => {
    const hold: Hold = { kind: "clear", details: ["title"] };
    for (const parts of [
      { changes: [title, phone] },
      { action: "link", adopts: true, changes: [title, phone] },
      { action: "deactivate", evidence, changes: [off, title, phone] },
    ] as const) {
      const held = part(parts, hold);
      expect(held?.changes).toEqual([title]);
      expect(held?.rest?.changes).toEqual(parts.changes.filter((one) => one !== title));
      expect(held?.rest?.weights.some(({ kind }) => kind === "clear")).toBe(false);
    }
    // Nothing of the update remains; the link remains as an operation.
    expect(part({ changes: [title] }, hold)).toMatchObject({ changes: [title], rest: null });
    expect(part({ action: "link", adopts: true, changes: [title] }, hold)?.rest?.changes).toEqual([]);
  });

  it("is the whole operation, for a deactivation, reactivation, create or link that is itself held", () => {
    const whole = (parts: Partial<Operation>, hold: Hold) => expect(part(parts, hold)?.rest).toBeNull();
    whole(
      { action: "deactivate", evidence, changes: [off, phone] },
      { kind: "deactivate", details: ["leftScope"] },
    );
    whole({ action: "reactivate", changes: [change("active", false, true), phone] }, { kind: "reactivate" });
    whole({ action: "create", changes: [change("title", null, "Lead")] }, { kind: "create" });
    whole(
      { action: "link", adopts: true, doubtful: "another employeeNumber", changes: [phone] },
      { kind: "doubtfulLink" },
    );
    const other = { kind: "deactivate", details: ["filteredOut"] } as const;
    expect(part({ action: "deactivate", evidence, changes: [off] }, other)).toBeNull();
  });

  it("takes a held manager out of an operation that waits for one", () => {
    const held = part({ changes: [moved, phone] }, { kind: "manager", details: [manager] });
    expect(held).toMatchObject({ changes: [moved], rest: { changes: [phone], referenceHeld: true } });
  });
});

describe("a write in doubt", () => {
  it("weighs what the plan for the same person does not weigh again", () => {
    const weights = [
      { kind: "deactivate", detail: "deleted" },
      { kind: "clear", detail: "title" },
    ] as const;
    const beyond = (...planned: readonly Weight[]) => notPlannedAgain({ weights, planned }).weights;
    expect(beyond()).toEqual(weights);
    expect(beyond({ kind: "reactivate" })).toEqual(weights);
    expect(beyond({ kind: "deactivate", detail: "disabled" })).toEqual([weights[1]]);
    expect(beyond({ kind: "clear", detail: "department" })).toEqual(weights);
    expect(beyond({ kind: "clear", detail: "title" })).toEqual([weights[0]]);
  });
});
