import { describe, expect, it } from "vitest";
import { enterpriseUrn, managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { createWorkplace, defaultRules, mappingOf } from "./workplace.ts";

const hourMs = 3_600_000;

describe("a later cycle", () => {
  it("sends one request with the one attribute that changed", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst", department: "Finance" });
    place.source.hire("b");
    await place.cycle();
    place.target.writes.length = 0;
    place.source.change("a", { jobTitle: "Senior Analyst" });

    const result = await place.cycle();

    expect(place.target.writes).toEqual([
      {
        kind: "update",
        userName: "a@example.com",
        writes: [{ path: "title", value: "Senior Analyst" }],
      },
    ]);
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      action: "update",
      reason: "title changed",
      status: "done",
      changes: [{ attribute: "title", before: "Analyst", after: "Senior Analyst" }],
    });
  });

  it("clears cleared values, and keeps them if the mapping says so", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "title" ? { ...rule, onNull: "keep" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { jobTitle: "Analyst", department: "Finance" });
    await place.cycle();
    place.source.change("a", { jobTitle: null, department: null });
    await place.cycle();
    const { values } = place.target.account("a@example.com");
    expect(values.title).toBe("Analyst");
    expect(values[`${enterpriseUrn}:department`]).toBeUndefined();
    expect((await place.cycle({ full: true })).header.summary.update).toBe(0);
  });

  it("renames the linked account instead of making another one", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    const result = await place.cycle();
    expect(result.header.summary).toMatchObject({ create: 0, update: 1, deactivate: 0 });
    expect([...place.target.accounts.values()]).toMatchObject([
      { latticeId: "lat-1", userName: "renamed@example.com", externalId: "a", active: true },
    ]);
  });

  it("gives a freed name to the newcomer who has it now", async () => {
    await using place = await createWorkplace();
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.change("old", { userPrincipalName: "kim.old@example.com" });
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    await place.cycle();
    expect(place.target.account("kim.old@example.com").externalId).toBe("old");
    expect(place.target.account("kim@example.com").externalId).toBe("new");
  });

  it("deactivates a disabled person and reactivates the same account", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.change("a", { accountEnabled: false });
    const off = await place.cycle();
    expect((await place.operations(off.cycleId))[0]).toMatchObject({
      action: "deactivate",
      evidence: { kind: "accountDisabled" },
    });
    expect(place.target.active()).toEqual([]);
    place.source.change("a", { accountEnabled: true, jobTitle: "Back" });
    const on = await place.cycle();
    expect(on.header.summary).toMatchObject({ create: 0, reactivate: 1 });
    expect(place.target.account("a@example.com")).toMatchObject({ latticeId: "lat-1", active: true });
    expect(place.target.account("a@example.com").values.title).toBe("Back");
  });

  it("deactivates deleted people, and reactivates restored ones", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b");
    await place.cycle();
    place.source.remove("a", "softDeleted");
    place.source.remove("b", "deleted");
    await place.cycle();
    expect(place.target.active()).toEqual([]);
    place.source.restore("a");
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
    expect(place.target.accounts.size).toBe(2);
  });

  it("deactivates people who left the scope, and reactivates those who come back", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b"];
    place.source.hire("a");
    place.source.hire("b");
    place.source.hire("outsider");
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
    place.source.scope = ["b"];
    const left = await place.cycle();
    expect((await place.operations(left.cycleId))[0]?.evidence?.kind).toBe("leftScope");
    expect(place.target.active()).toEqual(["b@example.com"]);
    place.source.scope = ["a", "b", "outsider"];
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "outsider@example.com"]);
    expect(place.target.accounts.size).toBe(3);
  });

  it("plans a namesake again when the other one leaves the scope", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b"];
    place.source.hire("a", { userPrincipalName: "same@example.com" });
    place.source.hire("b", { userPrincipalName: "same@example.com" });
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    place.source.scope = ["b"];
    await place.cycle();
    expect(place.target.account("same@example.com").externalId).toBe("b");
  });

  it("sets a late manager in the cycle in which the manager gets an account", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["report"];
    place.source.hire("report", {}, "boss");
    place.source.hire("boss");
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    // Nothing to do as long as the manager has no account.
    const idle = await place.cycle();
    expect(await place.operations(idle.cycleId)).toEqual([]);

    place.source.scope = ["report", "boss"];
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
    const after = await place.cycle({ full: true });
    expect(await place.operations(after.cycleId)).toEqual([]);
  });

  it("keeps a disabled manager and clears a deleted one", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    await place.cycle();
    place.source.change("boss", { accountEnabled: false });
    // Lattice removes the manager by itself; the next cycle finds that and sends Entra's manager.
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
    place.source.remove("boss", "softDeleted");
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    place.source.restore("boss");
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });

  it.each([
    { rule: { onNull: "keep" }, next: null },
    { rule: { apply: "onCreate" }, next: "other" },
  ])("keeps the manager in Lattice if the mapping says so ($rule)", async ({ rule, next }) => {
    const rules = defaultRules.map((one) =>
      "source" in one && one.source === "manager" ? { ...one, ...rule } : one,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    for (const id of ["boss", "other"]) place.source.hire(id);
    place.source.hire("report", {}, "boss");
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
    place.source.setManager("report", next);
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, unchanged: 3 });
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });

  it("moves a report to another manager in one request", async () => {
    await using place = await createWorkplace();
    place.source.hire("one");
    place.source.hire("two");
    place.source.hire("report", {}, "one");
    await place.cycle();
    place.source.setManager("report", "two");
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]?.changes).toMatchObject([
      { attribute: managerPath, before: "one@example.com", after: "two@example.com" },
    ]);
    expect(place.target.managerOf("report@example.com")).toBe("two@example.com");
  });

  it("does not resend, with the next change, a value that Lattice keeps in another form", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) =>
      path === "title" && typeof value === "string" ? value.trim() : value;
    place.source.hire("a", { jobTitle: " Analyst " });
    await place.cycle();
    place.target.writes.length = 0;
    place.source.change("a", { displayName: "Kim" });
    await place.cycle();
    expect(place.target.writes).toMatchObject([{ writes: [{ path: "displayName", value: "Kim" }] }]);
    place.source.change("a", { jobTitle: " Lead " });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
  });

  it("undoes manual changes in Lattice when Entra and Lattice are read in full", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    const account = place.target.account("a@example.com");
    place.target.add({ ...account, values: { ...account.values, title: "King" } });
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });

  it("makes a new account if the linked one is gone, and points the reports to it", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    await place.cycle();
    place.target.accounts.delete(place.target.account("boss@example.com").latticeId);
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 0, skipped: 1 });
    place.clock.advance(6 * hourMs);
    const full = await place.cycle({ full: true });
    expect(full.header.summary).toMatchObject({ create: 1, update: 1 });
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });

  it("notices a missing account while updating it, and corrects the reports in the next cycle", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    await place.cycle();
    place.target.accounts.delete(place.target.account("boss@example.com").latticeId);
    place.source.change("boss", { jobTitle: "Chief" });
    place.source.change("report", { jobTitle: "Analyst" });
    // The report's own update refers to no account: Lattice accepts it, or the person is tried again.
    const first = await place.cycle();
    expect(first.failed).toBeGreaterThan(0);
    place.clock.advance(6 * hourMs);
    await place.cycle();
    await place.cycle();
    expect(place.target.account("boss@example.com").values.title).toBe("Chief");
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });
});

describe("a person who is disabled in Entra", () => {
  it("gets no account even if the mapping does not map active", async () => {
    const rules = defaultRules.filter((rule) => !("target" in rule && rule.target === "active"));
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("kim", { accountEnabled: false });
    await place.cycle();
    expect(place.target.accounts.size).toBe(0);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        code: "disabled",
        reason: "the account is disabled in Entra; no account is created for a disabled person",
      },
    ]);
  });
});

describe("actions.create: false", () => {
  it("reactivates no one, and reports it", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    place.source.change("kim", { accountEnabled: false });
    await place.cycle();
    place.settings = { ...place.settings, actions: { ...place.settings.actions, create: false } };
    place.source.change("kim", { accountEnabled: true });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { code: "actionOff", reason: "actions.create is off, which covers reactivation" },
    ]);
  });
});
