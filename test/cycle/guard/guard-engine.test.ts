import { describe, expect, it } from "vitest";
import { releasedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import { HostUnavailableError, RecordUnavailableError } from "../../../src/domain/errors.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, lenientGuard } from "../workplace.ts";

const departmentPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

const strict = { ...lenientGuard, maxDeactivations: 2, deactivationFloor: 0 };

describe("the guard in a cycle", () => {
  it("holds all deactivations and sends the rest", async () => {
    await using place = await createWorkplace({ guard: strict });
    for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b", "c"]) place.source.change(id, { accountEnabled: false });
    place.source.change("d", { jobTitle: "Analyst" });
    place.source.hire("e");

    const held = await place.cycle();

    expect(held).toMatchObject({
      outcome: "held",
      heldOperations: 3,
      done: 2,
      header: { guard: { held: true }, summary: { deactivate: 3, update: 1, create: 1 } },
    });
    expect(held.header.guard.reasons[0]).toContain("3 of 4 active accounts");
    expect(place.target.active()).toHaveLength(5);
    expect(place.target.account("d@example.com").values.title).toBe("Analyst");
    // Held again in every cycle, until the plan is smaller.
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3, done: 0 });
    place.source.change("a", { accountEnabled: true });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    expect(place.target.active()).toEqual(["a@example.com", "d@example.com", "e@example.com"]);
  });

  it("also holds in the later rounds of the same cycle", async () => {
    await using place = await createWorkplace({
      guard: { ...strict, maxDeactivations: 0 },
      managerRings: "send",
    });
    place.source.hire("x");
    await place.cycle();
    // The leaver's manager gets an account in this cycle's first round: the leaver must not appear in the second.
    place.source.hire("p", {}, "q");
    place.source.hire("q", {}, "p");
    place.source.setManager("x", "p");
    place.source.change("x", { accountEnabled: false });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.account("x@example.com").active).toBe(true);
    expect(place.target.managerOf("p@example.com")).toBe("q@example.com");
    expect(place.target.managerOf("q@example.com")).toBe("p@example.com");
  });

  it("counts a deactivation that was carried out although no answer came", async () => {
    for (const fault of [new RecordUnavailableError("502"), new HostUnavailableError("went away")]) {
      await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 1 } });
      for (const id of ["a", "b", "c"]) place.source.hire(id);
      await place.cycle();
      place.source.change("a", { accountEnabled: false });
      place.target.after = () => {
        throw fault;
      };
      await place.cycle().catch((error: unknown) => expect(error).toBe(fault));
      place.target.after = () => {};
      expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);

      place.source.change("b", { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
      expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);
    }
  });

  it("counts a change that may have been carried out as long as it cannot be looked up", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 1, renameFloor: 0 } });
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.change("a", { userPrincipalName: "a.new@example.com" });
    place.target.after = () => {
      throw new RecordUnavailableError("502");
    };
    await place.cycle();
    place.target.after = () => {};
    expect(place.target.account("a.new@example.com").externalId).toBe("a");

    const { get } = place.target;
    place.target.get = async (latticeId, signal) => {
      if (latticeId === "lat-1") throw new RecordUnavailableError("503");
      return get(latticeId, signal);
    };
    place.source.change("b", { userPrincipalName: "b.new@example.com" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.account("b@example.com").externalId).toBe("b");
    // Also if something else is sent for the person.
    place.source.remove("a", "deleted");
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1, done: 1 });
    expect(place.target.account("a.new@example.com").active).toBe(false);
    expect(place.target.account("b@example.com").externalId).toBe("b");
  });

  it("remembers its window although the log is kept for a shorter time", async () => {
    const dayMs = 24 * 3_600_000;
    await using place = await createWorkplace({
      guard: { ...strict, windowMs: 7 * dayMs },
      retentionMs: dayMs,
    });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    const outcomes: string[] = [];
    for (const id of ["a", "b", "c"]) {
      place.clock.advance(2 * dayMs);
      place.source.change(id, { accountEnabled: false });
      outcomes.push((await place.cycle()).outcome);
    }
    expect(outcomes).toEqual(["done", "done", "held"]);
  });

  it("counts operations up to the end of its window, and no longer", async () => {
    for (const retentionMs of [30 * 24 * 3_600_000, 3_600_000]) {
      await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 1 }, retentionMs });
      for (const id of ["a", "b", "c"]) place.source.hire(id);
      await place.cycle();
      place.source.change("a", { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
      // This one removes entries from the log that no longer count.
      place.clock.advance(strict.windowMs - 2 * place.settings.intervalMs);
      await place.cycle();
      place.source.change("b", { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    }
  });

  it("holds only the weighed part of an adoption or a change, and holds it again until it is released", async () => {
    const guard = { ...lenientGuard, maxClearsPercent: 0, clearFloor: 0 };
    await using place = await createWorkplace({ guard });
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.target.add({ userName: "b@example.com", values: { title: "Analyst" } });
    place.source.change("a", { jobTitle: null, department: "Sales" });
    place.source.hire("b", { department: "Sales" });

    const held = await place.cycle({ full: true });

    expect(held).toMatchObject({ outcome: "held", heldOperations: 2, done: 2 });
    expect(place.target.account("b@example.com").externalId).toBe("b");
    for (const name of ["a@example.com", "b@example.com"]) {
      const { values } = place.target.account(name);
      expect([values.title, values[departmentPath]]).toEqual(["Analyst", "Sales"]);
    }
    // Neither changes in the meantime.
    const again = await place.cycle();
    expect(again).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });

    const parts = (await place.operations(again.cycleId)).filter(({ status }) => status === "held");
    await kept(place.store).released(again.header.planId, parts.flatMap(releasedChanges), place.clock.now());
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    for (const name of ["a@example.com", "b@example.com"]) {
      expect(place.target.account(name).values.title).toBeUndefined();
    }
  });

  it("weighs deactivations on demand like any other", async () => {
    await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 0 } });
    place.source.hire("a");
    await place.cycle();
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "held" });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});
