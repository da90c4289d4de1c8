import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import {
  RecordRejectedError,
  RecordUnavailableError,
  StateError,
  UnknownOutcomeError,
} from "../../../src/domain/errors.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

/** A cycle whose process dies after writing to Lattice and before recording it, then a new process. */
async function die(place: Workplace): Promise<void> {
  const dying: StateStore = {
    ...place.store,
    commit: async (change, fence) => {
      if (change.ended !== undefined || change.cycleEnd !== undefined) throw new StateError("killed");
      await place.store.commit(change, fence);
    },
  };
  const request = {
    dryRun: false,
    full: false,
    fence: "private" as const,
    signal: new AbortController().signal,
  };
  await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
  await place.restart();
}

/** The account is identified by the company's employee number. */
const byEmployeeNumber = mappingOf(
  defaultRules.map((rule) =>
    "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
  ),
);

describe("a run that was killed between sending and recording", () => {
  it("finds the accounts that it made, and makes none twice", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", {}, "b");
    place.source.hire("b");
    await die(place);
    expect(place.target.accounts.size).toBe(2);
    expect(await place.store.openIntents()).toHaveLength(2);
    expect(await place.store.totals()).toMatchObject({ linked: 0 });

    const next = await place.cycle();

    expect(next).toMatchObject({ outcome: "done", header: { summary: { create: 0, unchanged: 2 } } });
    expect(place.target.writes).toHaveLength(2);
    expect(await place.store.totals()).toMatchObject({ linked: 2 });
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("does not stop the others if the person of a write that cannot be looked up is deleted for good", async () => {
    await using place = await createWorkplace();
    place.source.hire("x");
    await place.cycle();
    place.source.hire("a");
    place.target.beforeRead = (read) => {
      if (read.startsWith("find")) throw new RecordRejectedError("no filters today", { status: 400 });
    };
    place.target.before = ({ userName }) => {
      if (userName === "a@example.com") throw new UnknownOutcomeError("no answer came");
    };
    await place.cycle();
    expect(await place.store.openIntents()).toHaveLength(1);
    place.source.remove("a", "deleted");
    place.source.hire("b");
    for (let cycle = 0; cycle < 3; cycle += 1) {
      await place.cycle({ full: true });
      place.clock.advance(48 * 3_600_000);
    }
    expect(place.target.active()).toEqual(["b@example.com", "x@example.com"]);
    expect(await place.store.openIntents()).toHaveLength(1);
    place.target.beforeRead = () => {};
    await place.cycle();
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("does not stop the others if one look-up is refused, and sends nothing for that person until it is answered", async () => {
    await using place = await createWorkplace();
    place.source.hire("x");
    await place.cycle();
    place.source.hire("a");
    await die(place);
    place.source.hire("b");
    place.target.beforeRead = (read) => {
      if (read.startsWith("find")) throw new RecordRejectedError("no filters today", { status: 400 });
    };
    place.target.writes.length = 0;
    expect(await place.cycle()).toMatchObject({ done: 1, header: { summary: { create: 1 } } });
    expect(place.target.writes.map(({ userName }) => userName)).toEqual(["b@example.com"]);
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a" }]);
    place.target.beforeRead = () => {};
    expect(await place.cycle()).toMatchObject({ done: 0, outcome: "done" });
    expect(await place.store.openIntents()).toEqual([]);
    expect(await place.store.totals()).toMatchObject({ linked: 3, retrying: 0 });
    expect(place.target.accounts.size).toBe(3);
  });

  it("finds them although the person was renamed in between", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await die(place);
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    const next = await place.cycle();
    expect(next.header.summary).toMatchObject({ create: 0, update: 1 });
    expect([...place.target.accounts.values()]).toMatchObject([{ userName: "renamed@example.com" }]);
  });

  it("deactivates the account of a person who left in between", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await die(place);
    place.source.remove("a", "deleted");
    await place.cycle();
    expect(place.target.account("a@example.com").active).toBe(false);
  });

  it("reads a changed account again", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Lead" });
    await die(place);
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });

  it("counts carried-out writes as done, also a rename in a Lattice that keeps no external ids", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) => (path === "externalId" ? null : value);
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    place.source.change("b", { accountEnabled: false });
    await die(place);
    place.target.reads.length = 0;
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0, update: 0, skipped: 0 });
    expect((await place.operations(2)).map(({ objectId, status }) => [objectId, status]).sort()).toEqual([
      ["a", "done"],
      ["b", "done"],
    ]);
    // By their ids: another account may have one of the userNames.
    expect(new Set(place.target.reads)).toEqual(new Set(["get lat-1", "get lat-2"]));
  });

  it("corrects a change that arrived although it was reverted in between", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Lead" });
    place.target.after = () => {
      throw new UnknownOutcomeError("no answer came");
    };
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    place.target.after = () => {};
    place.target.beforeRead = (read) => {
      if (read === "get lat-1") throw new RecordRejectedError("not now", { status: 400 });
    };
    // As far as the engine knows, nothing is due any more.
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.target.beforeRead = () => {};
    for (let round = 0; round < 3; round += 1) await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });

  it("sends nothing but a deactivation to an account whose write cannot be looked up, whatever changes in Entra", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id, { jobTitle: "Analyst" });
    await place.cycle();
    for (const id of ["a", "b"]) place.source.change(id, { jobTitle: "Lead" });
    place.target.before = () => {
      throw new UnknownOutcomeError("no answer came");
    };
    await place.cycle();
    place.target.before = () => {};
    place.target.beforeRead = (read) => {
      if (read.startsWith("get")) throw new RecordRejectedError("not now", { status: 400 });
    };
    // The look-up fails, and waits for its next try.
    await place.cycle();
    place.target.writes.length = 0;
    place.source.change("a", { jobTitle: "Chief" });
    place.source.change("b", { accountEnabled: false });
    await place.cycle();
    expect(place.target.writes.map(({ userName }) => userName)).toEqual(["b@example.com"]);
    expect(place.target.active()).toEqual(["a@example.com"]);
    expect(await place.store.openIntents()).toMatchObject([{ objectId: "a" }]);
    place.target.beforeRead = () => {};
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
    expect(await place.store.openIntents()).toEqual([]);
  });

  it.each([
    ["a deactivation", { accountEnabled: false }],
    ["a rename", { userPrincipalName: "renamed@example.com" }],
  ])("reports in the cycle that sent it that %s was done, once it is known", async (_what, change) => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b");
    await place.cycle();
    place.source.change("a", change);
    place.target.after = () => {
      throw new UnknownOutcomeError("no answer came");
    };
    const { cycleId } = await place.cycle();
    expect(await place.store.recentCycles(1)).toMatchObject([{ id: cycleId, done: 0, failed: 1 }]);
    place.target.after = () => {};
    await place.cycle();
    expect((await place.store.recentCycles(2))[1]).toMatchObject({ id: cycleId, done: 1, failed: 0 });
  });

  /** Two changes are refused; the third try is carried out, and answered with 503. Its retry waits for longer than a cycle. */
  async function thirdTryInDoubt(place: Workplace, attributes: JsonObject): Promise<void> {
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.change("a", attributes);
    place.target.before = () => {
      throw new RecordRejectedError("not now", { status: 400 });
    };
    await place.cycle();
    await place.cycle();
    place.target.before = () => {};
    place.target.after = () => {
      throw new RecordUnavailableError("503 again");
    };
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    place.target.after = () => {};
  }

  it("are looked up in the next cycle, however long the retry of the write waits", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 1 } });
    await thirdTryInDoubt(place, { userPrincipalName: "x@example.com" });
    place.source.change("a", { userPrincipalName: "y@example.com" });
    // The guard counts the rename that was carried out.
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1, done: 0 });
    expect(place.target.account("x@example.com").externalId).toBe("a");
  });

  it("do not let an account count as unchanged that could not be looked up", async () => {
    await using place = await createWorkplace();
    await thirdTryInDoubt(place, { jobTitle: "Chief" });
    place.target.beforeRead = (read) => {
      if (read === "get lat-1") throw new RecordUnavailableError("503 for a read");
    };
    await place.cycle();
    place.target.beforeRead = () => {};
    place.source.change("a", { jobTitle: null });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "a", code: "waitingForRetry", reason: expect.stringContaining("503 for a read") },
    ]);
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBeUndefined();
    expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
  });

  it("does not treat an account with the same name as its own", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await die(place);
    place.target.accounts.clear();
    place.target.add({ userName: "a@example.com", externalId: "somebody-else" });
    const next = await place.cycle({ full: true });
    expect(await place.store.latticeIdOf("a")).toBeNull();
    expect(next.header.summary).toMatchObject({ create: 0, link: 0, skipped: 1 });
  });

  it("remembers an account that its look-up found and did not link, even if it dies right after", async () => {
    await using place = await createWorkplace();
    place.target.unique = false;
    // Later listings are empty.
    await place.cycle();
    place.source.hire("a");
    place.target.before = () => {
      throw new Error("killed");
    };
    await expect(place.cycle()).rejects.toThrow("killed");
    place.target.before = () => {};
    // In the meantime, another person has made an account with this name.
    place.target.add({ userName: "a@example.com" });
    const { commit } = place.store;
    place.store.commit = async (change, fence) => {
      await commit(change, fence);
      if (change.endedLate !== undefined) throw new Error("killed");
    };
    await expect(place.cycle()).rejects.toThrow("killed");
    await place.restart();
    await place.cycle();
    expect([...place.target.accounts.values()]).toMatchObject([{ externalId: "a" }]);
  });

  it("does not take for a manual change what Lattice did to a report, whose account was written in between", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.source.hire("chief");
    place.source.hire("report", {}, "chief");
    await place.cycle();
    place.source.change("chief", { accountEnabled: false });
    place.source.change("report", { jobTitle: "Director" });
    place.target.after = ({ userName }) => {
      if (userName === "chief@example.com") throw new UnknownOutcomeError("no answer");
    };
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 1 });
    place.target.after = () => {};
    expect(place.target.managerOf("report@example.com")).toBeNull();
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("chief@example.com");
    expect((await place.cycle()).done).toBe(0);
  });

  it("does not count as done what it had noted and never sent", async () => {
    const guard = { ...lenientGuard, maxDeactivations: 6, deactivationFloor: 6 };
    await using place = await createWorkplace({ guard });
    const people = ["a", "b", "c", "d"];
    for (const id of people) place.source.hire(id);
    await place.cycle();
    for (const id of people) place.source.change(id, { accountEnabled: false });
    const dying: StateStore = {
      ...place.store,
      commit: async (change, fence) => {
        if (change.cycleEnd !== undefined) throw new StateError("killed");
        await place.store.commit(change, fence);
        if (change.intents?.begin !== undefined) throw new StateError("killed");
      },
    };
    place.clock.advance(place.settings.intervalMs);
    const request = {
      dryRun: false,
      full: false,
      fence: "private" as const,
      signal: new AbortController().signal,
    };
    await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
    await place.restart();

    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4 });
    expect(place.target.active()).toEqual([]);
    expect((await place.operations(2)).map(({ status }) => status)).toEqual(people.map(() => "cancelled"));
  });

  it("finds accounts by the sent externalId, and switches off people who have left in between", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeNumber });
    place.source.hire("a", { employeeId: "E-7" });
    await die(place);
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    place.source.remove("a", "softDeleted");

    await place.cycle();

    expect(place.target.active()).toEqual([]);
    expect(await place.store.totals()).toMatchObject({ linked: 1 });
  });
});

describe("a manager whose account was made by a run that was killed", () => {
  it("is set on the waiting reports", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["report"];
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    await place.cycle();
    place.source.scope = ["report", "boss"];
    await die(place);
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });
});

describe("an account that a look-up found after a create without an answer", () => {
  it("is remembered although the remaining values are refused", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    place.target.normalise = (path, value) => (path === "title" ? String(value).toUpperCase() : value);
    place.target.after = ({ kind }) => {
      if (kind === "create") throw new UnknownOutcomeError("no answer came");
    };
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordRejectedError("not allowed", { status: 400 });
    };
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    place.target.after = () => {};
    place.target.before = () => {};
    place.target.writes.length = 0;

    await place.cycle();
    // A server that allows duplicate names would have made a second account.
    expect(place.target.writes.map(({ kind }) => kind)).not.toContain("create");
    expect(place.target.active()).toEqual(["a@example.com"]);
    expect((await place.cycle()).header.summary).toMatchObject({
      create: 0,
      link: 0,
      update: 0,
      unchanged: 1,
    });
  });

  it("is linked, so that a person who leaves before the rest is accepted is switched off", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a"];
    place.source.hire("a", { jobTitle: "Analyst" });
    place.target.normalise = (path, value) => (path === "title" ? String(value).toUpperCase() : value);
    place.target.after = ({ kind }) => {
      if (kind === "create") throw new UnknownOutcomeError("no answer came");
    };
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordRejectedError("not allowed", { status: 400 });
    };
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    place.target.after = () => {};
    place.target.before = () => {};
    place.source.scope = [];
    expect(await place.cycle()).toMatchObject({ header: { summary: { deactivate: 1 } } });
    expect(place.target.active()).toEqual([]);
  });
});
