import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCycle } from "../../src/cycle/cycle.ts";
import { releasedChanges } from "../../src/cycle/guard/fingerprint.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  RecordRejectedError,
  RecordUnavailableError,
  StateError,
} from "../../src/domain/errors.ts";
import { openScratchStore } from "../../src/state/sqlite/store.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf } from "./workplace.ts";

const departmentPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const strict = { ...lenientGuard, maxDeactivations: 2, deactivationFloor: 0 };

describe("the guard", () => {
  it("holds all deactivations and lets the rest go on", async () => {
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
    // Held until the plan is smaller, in every cycle anew.
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
    // The leaver's manager gets an account in this cycle's first round: the leaver must not come up in the second.
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

  it("counts a change that may have been carried out while nobody can look it up", async () => {
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
  });

  it("remembers its window although the log is kept for less", async () => {
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

  it("counts what was done to the end of its window, and no longer", async () => {
    for (const retentionMs of [30 * 24 * 3_600_000, 3_600_000]) {
      await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 1 }, retentionMs });
      for (const id of ["a", "b", "c"]) place.source.hire(id);
      await place.cycle();
      place.source.change("a", { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
      // In this one the log is cleared of what counts no more.
      place.clock.advance(strict.windowMs - 2 * place.settings.intervalMs);
      await place.cycle();
      place.source.change("b", { accountEnabled: false });
      expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    }
  });

  it("holds of an adoption, and of a change, the part that it weighs, and holds that again until it is released", async () => {
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
    // Nothing of either changes meanwhile.
    const again = await place.cycle();
    expect(again).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });

    const parts = (await place.operations(again.cycleId)).filter(({ status }) => status === "held");
    await place.store.release(again.header.planId, parts.flatMap(releasedChanges), place.clock.now());
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    for (const name of ["a@example.com", "b@example.com"]) {
      expect(place.target.account(name).values.title).toBeUndefined();
    }
  });

  it("does not weigh a deactivation that was asked for one by one differently from any other", async () => {
    await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 0 } });
    place.source.hire("a");
    await place.cycle();
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "held" });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("the provisioning log", () => {
  it("is kept for so long, that of a run which died as well", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const request = {
      dryRun: false,
      full: false,
      fence: "private" as const,
      signal: new AbortController().signal,
    };
    const dying = { ...place.store, finishCycle: () => Promise.reject(new StateError("killed")) };
    await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
    await place.cycle();
    place.clock.advance(place.settings.retentionMs);
    await place.cycle();
    expect((await place.store.recentCycles(9)).map(({ id }) => id)).toEqual([3]);
  });
});

describe("a cycle on demand", () => {
  it("brings one person up to date and nobody else", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.change("a", { jobTitle: "Analyst" });
    place.source.change("b", { jobTitle: "Analyst" });
    const result = await place.cycle({ only: ["a@example.com"] });
    expect(result.header).toMatchObject({ cycle: "on-demand", summary: { update: 1 } });
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    expect(place.target.account("b@example.com").values.title).toBeUndefined();
    expect(place.source.reads.at(-1)).toBe("user a");
    await place.cycle();
    expect(place.target.account("b@example.com").values.title).toBe("Analyst");
  });

  it("works on an empty database, finding the account by look-up", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", {}, "boss");
    place.source.hire("boss");
    place.target.add({ userName: "a@example.com", externalId: "a" });
    expect((await place.cycle({ only: ["a"] })).header.summary).toMatchObject({ link: 1, create: 0 });
    expect(place.target.reads).not.toContain("list");
    expect((await place.cycle()).header.cycle).toBe("initial");
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    expect(place.target.accounts.size).toBe(2);
  });

  it("finds the account by the externalId that is mapped, whatever its name is by now", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { employeeId: "E-7" });
    place.target.add({ userName: "former@example.com", externalId: "E-7" });
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "done", done: 1 });
    expect([...place.target.accounts.values()]).toMatchObject([
      { userName: "a@example.com", externalId: "E-7" },
    ]);
  });

  it("does not write to the people who waited for that one", async () => {
    await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 0 } });
    place.source.scope = ["r"];
    place.source.hire("boss");
    place.source.hire("r", {}, "boss");
    await place.cycle();
    place.source.scope = ["r", "boss"];
    place.target.writes.length = 0;
    await place.cycle({ only: ["boss"] });
    expect(place.target.writes.map((write) => write.userName)).toEqual(["boss@example.com"]);
    await place.cycle();
    expect(place.target.managerOf("r@example.com")).toBe("boss@example.com");
  });

  it("deactivates one person of whom the directory says that there is nobody", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.remove("a", "deleted");
    await place.cycle({ only: ["a@example.com"] });
    expect(place.target.active()).toEqual([]);
  });

  it("does not wait for the retry schedule", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.before = () => {
      throw new RecordRejectedError("no", { status: 400 });
    };
    for (let round = 0; round < 6; round += 1) await place.cycle();
    place.target.before = () => {};
    await place.cycle({ only: ["a"] });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("names a person whom Entra does not know", async () => {
    await using place = await createWorkplace();
    await expect(place.cycle({ only: ["nobody@example.com"] })).rejects.toThrow(ConfigurationError);
    await expect(place.cycle({ only: ["nobody@example.com"] })).rejects.toThrow(/nobody@example\.com/);
  });
});

describe("a dry run", () => {
  it("shows the plan that the run then carries out, and leaves the file and Lattice as they are", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst" }, "c");
    await place.cycle();
    place.source.change("a", { jobTitle: "Lead" });
    place.source.change("b", { accountEnabled: false });
    place.source.hire("d", {}, "a");
    place.target.writes.length = 0;
    await place.restart();
    const before = readFileSync(place.path);

    const scratch = openScratchStore(place.path);
    const preview = await runCycle(
      { ...place.ports(), store: scratch },
      { dryRun: true, full: false, fence: "private", signal: new AbortController().signal },
    );
    const planned = await scratch.operations(preview.cycleId, { afterWave: -1, afterId: 0, limit: 100 });
    await scratch.close();

    expect(place.target.writes).toEqual([]);
    expect(readFileSync(place.path).equals(before)).toBe(true);
    expect(preview.header.summary).toMatchObject({ create: 1, update: 1, deactivate: 1 });

    const real = await place.cycle();
    const done = await place.operations(real.cycleId);
    const essence = (operations: typeof done) =>
      operations.map(({ action, objectId, reason, changes }) => ({ action, objectId, reason, changes }));
    expect(essence(planned)).toEqual(essence(done));
    expect(real.header.summary).toEqual(preview.header.summary);
  });

  it("of an empty database needs no file and makes none", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const scratch = openScratchStore(`${place.path}-not-there`);
    const preview = await runCycle(
      { ...place.ports(), store: scratch },
      { dryRun: true, full: false, fence: "private", signal: new AbortController().signal },
    );
    await scratch.close();
    expect(preview.header.summary.create).toBe(1);
    expect(() => readFileSync(`${place.path}-not-there`)).toThrow("ENOENT");
    expect(place.target.writes).toEqual([]);
  });
});
