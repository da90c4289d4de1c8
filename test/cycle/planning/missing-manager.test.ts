import { describe, expect, it } from "vitest";
import { RecordRejectedError } from "../../../src/domain/errors.ts";

import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/** A report whose manager in Entra changes from a person with an account to `next`. */
async function managerBecomes(place: Workplace, next: string): Promise<void> {
  place.source.hire("report", {}, "former");
  place.source.hire("former");
  await place.cycle();
  expect(place.target.managerOf("report@example.com")).toBe("former@example.com");
  place.source.setManager("report", next);
}

const changesOf = async (place: Workplace, cycleId: number) =>
  (await place.operations(cycleId)).flatMap(({ changes }) => changes.map(({ attribute }) => attribute));

describe("the former manager, if the new one has no account in Lattice", () => {
  it.each([
    ["is nobody whom Entra lists (a contact)", () => {}],
    [
      "is out of scope",
      (place: Workplace) => {
        place.source.hire("next");
        place.source.scope = ["report", "former"];
      },
    ],
    ["is disabled", (place: Workplace) => place.source.hire("next", { accountEnabled: false })],
    ["has no valid userName", (place: Workplace) => place.source.hire("next", { userPrincipalName: "none" })],
  ])("is cleared if the new one %s, once", async (_name, arrange) => {
    await using place = await createWorkplace();
    arrange(place);
    await managerBecomes(place, "next");
    const result = await place.cycle();
    const own = (await place.operations(result.cycleId)).find(({ objectId }) => objectId === "report");
    expect(own).toMatchObject({
      action: "update",
      status: "done",
      reason: "manager changed; the manager in Entra has no account in Lattice and will not get one",
      changes: [{ attribute: manager, before: "former@example.com", after: null }],
    });
    expect(place.target.managerOf("report@example.com")).toBeNull();
    place.target.writes.length = 0;
    for (const full of [false, true]) await place.cycle({ full });
    expect(place.target.writes.filter(({ userName }) => userName === "report@example.com")).toEqual([]);
  });

  it("is replaced by the new one as soon as there is an account", async () => {
    await using place = await createWorkplace();
    place.source.hire("next", { accountEnabled: false });
    await managerBecomes(place, "next");
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    expect((await place.store.totals()).waitingForManager).toBe(1);
    place.source.change("next", { accountEnabled: true });
    await place.cycle();
    expect((await place.store.totals()).waitingForManager).toBe(0);
    expect(place.target.managerOf("report@example.com")).toBe("next@example.com");
  });

  it("is replaced, not cleared, if the new one's account is made in the same cycle", async () => {
    await using place = await createWorkplace();
    await managerBecomes(place, "next");
    place.source.hire("next");
    const result = await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("next@example.com");
    expect(
      (await place.operations(result.cycleId)).filter(({ objectId }) => objectId === "report"),
    ).toHaveLength(1);
  });

  it("stays for now if the new one's account is only late: refused, or left to the next cycle", async () => {
    await using place = await createWorkplace();
    await managerBecomes(place, "next");
    place.source.hire("next");
    await place.cycle({ only: ["report"] });
    expect(place.target.managerOf("report@example.com")).toBe("former@example.com");
    const { create } = place.target;
    place.target.create = async () => {
      throw new RecordRejectedError("not now", { status: 400 });
    };
    for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle({ full: true });
    expect(place.target.managerOf("report@example.com")).toBe("former@example.com");
    place.target.create = create;
    place.source.change("next", { jobTitle: "Lead" });
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("next@example.com");
  });

  it.each([
    ["manager.missing: keep", { missingManager: "keep" as const }],
    [
      "onNull: keep of the mapping",
      {
        mapping: mappingOf(
          defaultRules.map((rule) =>
            "target" in rule && rule.target === manager ? { ...rule, onNull: "keep" } : rule,
          ),
        ),
      },
    ],
  ])("is kept with %s", async (_name, settings) => {
    await using place = await createWorkplace(settings);
    place.source.hire("next", { accountEnabled: false });
    await managerBecomes(place, "next");
    const result = await place.cycle();
    expect(await place.operations(result.cycleId)).toEqual([]);
    expect(place.target.managerOf("report@example.com")).toBe("former@example.com");
  });
});

describe("a manager whose account was missing and is found again", () => {
  it("is weighed by the guard when the waiting reports get them, like any other change of managers", async () => {
    await using place = await createWorkplace({ missingManager: "keep" });
    for (const id of ["former", "boss"]) place.source.hire(id);
    for (const id of ["a", "b"]) place.source.hire(id, {}, "former");
    await place.cycle();
    const { latticeId } = place.target.account("boss@example.com");
    place.target.hidden.add(latticeId);
    place.target.before = ({ writes }) => {
      if (place.target.hidden.size > 0 && writes.some(({ value }) => value === latticeId))
        throw new RecordRejectedError("no such manager", { status: 400 });
    };
    for (const id of ["a", "b"]) place.source.setManager(id, "boss");
    await place.cycle();
    place.target.hidden.clear();
    place.clock.advance(6 * 3_600_000);
    place.settings = {
      ...place.settings,
      guard: { ...lenientGuard, maxManagerChanges: 1, managerChangeFloor: 0 },
    };
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });
    expect(place.target.managerOf("a@example.com")).toBe("former@example.com");
  });
});

describe("a manager whose account exists and is not linked yet", () => {
  it("is linked before the reports, who get the manager with their one write", async () => {
    await using place = await createWorkplace();
    for (const id of ["a-report", "z-boss"]) place.target.add({ userName: `${id}@example.com` });
    place.source.hire("a-report", {}, "z-boss");
    place.source.hire("z-boss");
    await place.cycle();
    expect(place.target.managerOf("a-report@example.com")).toBe("z-boss@example.com");
    expect(place.target.writes.map(({ userName }) => userName)).toEqual([
      "z-boss@example.com",
      "a-report@example.com",
    ]);
  });

  it("is not a change in a first dry run, nor in the run", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "Boss@example.com" });
    for (const id of ["a", "b"]) {
      place.target.add({ userName: `${id}@example.com`, values: { displayName: id, [manager]: "lat-1" } });
      place.source.hire(id, {}, "boss");
    }
    place.source.hire("boss");
    const { cycleId } = await place.cycle({ dryRun: true });
    expect(await changesOf(place, cycleId)).not.toContain(manager);
    await place.restart();
    await place.cycle();
    expect(place.target.managerOf("a@example.com")).toBe("Boss@example.com");
    expect(await place.operations((await place.cycle({ full: true })).cycleId)).toEqual([]);
  });

  it("is not cleared if the manager is out of scope: the account is the manager's own", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "boss@example.com" });
    place.target.add({ userName: "a@example.com", values: { displayName: "a", [manager]: "lat-1" } });
    place.source.scope = ["a"];
    place.source.hire("a", {}, "boss");
    place.source.hire("boss");
    await place.cycle();
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
  });

  it("is a change if the account is another person's", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "boss@example.com" });
    place.target.add({ userName: "other@example.com" });
    place.target.add({ userName: "a@example.com", values: { displayName: "a", [manager]: "lat-2" } });
    place.source.hire("a", {}, "boss");
    place.source.hire("boss");
    await place.cycle();
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
  });
});

describe("a manager who is not linked yet", () => {
  it("is judged by the account that the report is linked to, not by another one with the report's userName", async () => {
    await using place = await createWorkplace();
    place.target.unique = false;
    const boss = place.target.add({ userName: "ann@example.com", externalId: "boss" });
    const chief = place.target.add({ userName: "chief@example.com", externalId: "chief" });
    place.target.accounts.set(boss.latticeId, { ...boss, values: { [manager]: chief.latticeId } });
    const ann = place.target.add({ userName: "before@example.com", externalId: "ann" });
    place.target.accounts.set(ann.latticeId, { ...ann, values: { [manager]: boss.latticeId } });
    // Another person has the manager's userName too, so the manager's account is not linked.
    for (const id of ["boss", "other"]) place.source.hire(id, { userPrincipalName: "two@example.com" });
    place.source.hire("ann", { userPrincipalName: "ann@example.com" }, "boss");
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle({ full: true });
    expect(await place.store.latticeIdOf("ann")).toBe(ann.latticeId);
    expect(place.target.accounts.get(ann.latticeId)?.values[manager]).toBe(boss.latticeId);
  });
});
