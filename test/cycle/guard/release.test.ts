import { describe, expect, it } from "vitest";
import { recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import { markReleased, releasedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import { UnknownOutcomeError } from "../../../src/domain/errors.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import type { Change, Operation } from "../../../src/domain/plan.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, kim, lenientGuard, rejectHeld, type Workplace } from "../workplace.ts";

const strict = { ...lenientGuard, maxDeactivations: 1, maxRenames: 1, deactivationFloor: 0 };

async function companyWithLeavers(leavers: readonly string[]): Promise<Workplace> {
  const place = await createWorkplace({ guard: strict });
  for (const id of ["a", "b", "c", "d", "e"]) place.source.hire(id);
  await place.cycle();
  for (const id of leavers) place.source.change(id, { accountEnabled: false });
  return place;
}

/** Releases the held changes of a plan, for all people or for some. */
async function release(place: Workplace, planId: string, only?: readonly string[]): Promise<void> {
  const decided = await resolveRelease(place.store, { planId, only });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    decided,
    place.clock.now(),
  );
}

describe("a release of held changes", () => {
  it("allows exactly that plan's operations, although the plan is made again", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 2 });

    await release(place, held.header.planId);
    for (const id of ["c", "d"]) place.source.change(id, { accountEnabled: false });
    const next = await place.cycle();

    expect(next).toMatchObject({ outcome: "held", done: 2, heldOperations: 2 });
    expect(place.target.active()).toEqual(["c@example.com", "d@example.com", "e@example.com"]);
  });

  it("of 20,000 people by name costs no more than reading them", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const { cycleId, header } = await place.cycle();
    const [one] = await place.store.heldOf(cycleId, { afterWave: -1, afterId: 0, limit: 1 });
    if (one === undefined) throw new Error("nothing is held");
    const held = Array.from({ length: 20_000 }, (_, index) => ({
      ...one,
      id: index + 1,
      objectId: `object-${index}`,
      userName: `Person-${index}@example.com`,
    }));
    const store: StateStore = {
      ...place.store,
      heldOf: async (_, { afterId, limit }) => held.slice(afterId, afterId + limit),
    };
    const names = held.map(({ userName }) => userName.toLowerCase());
    const before = process.cpuUsage();
    const decision = { planId: header.planId, only: names.slice(0, 10_000), reject: names.slice(10_000) };
    const decided = await resolveRelease(store, decision);
    const { user } = process.cpuUsage(before);
    expect([decided.released.length, decided.rejected.length]).toEqual([10_000, 10_000]);
    // A tenth of a second; searching all people for each name took half a minute.
    expect(user / 1e6).toBeLessThan(3);
  });

  it("is not counted against the limits, neither when planned nor later in the window", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    await release(place, (await place.cycle()).header.planId);
    place.source.change("c", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 3 });
    // The limit of one is used up by c, which no person released.
    place.source.change("d", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
  });

  it("ends once the change is a different one", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const held = await place.cycle();
    await release(place, held.header.planId);
    place.source.remove("a", "softDeleted");
    place.source.remove("b", "softDeleted");
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
    // A release that is out of date does not apply again, even if the same change is due again.
    for (const id of ["a", "b"]) place.source.restore(id);
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
    expect(place.target.active()).toHaveLength(5);
  });

  it("ends with the change, and with the guard's window", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    await release(place, (await place.cycle()).header.planId);
    for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: true });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: false });
    const again = await place.cycle();
    expect(again).toMatchObject({ outcome: "held", heldOperations: 2 });

    await release(place, again.header.planId);
    place.clock.advance(strict.windowMs);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2 });
  });

  it("decides per person, and leaves out rejected changes as long as they are due unchanged", async () => {
    await using place = await companyWithLeavers(["a", "b", "c"]);
    const held = await place.cycle();
    await release(place, held.header.planId, ["a"]);
    await rejectHeld(place, held.header.planId, ["b"]);
    expect(await place.cycle()).toMatchObject({ done: 2, outcome: "done" });
    expect(place.target.active()).toEqual(["b@example.com", "d@example.com", "e@example.com"]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "b", code: "rejected" },
    ]);
    // Neither a full comparison nor time nor another change of the person changes that, but another reason to leave does.
    expect(await place.cycle({ full: true })).toMatchObject({ done: 0 });
    expect(place.target.account("b@example.com").active).toBe(true);
    place.clock.advance(strict.windowMs);
    place.source.change("b", { jobTitle: "Analyst" });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("b@example.com")).toMatchObject({
      active: true,
      values: { title: "Analyst" },
    });
    place.source.remove("b", "softDeleted");
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("b@example.com").active).toBe(false);
  });

  it("allows a held rename and no other change of that person", async () => {
    await using place = await companyWithLeavers([]);
    for (const id of ["a", "b"]) place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 2 });
    await release(place, held.header.planId, ["a"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(place.target.active()).toContain("a.new@example.com");
  });

  it("of a rejected change is sent in the next cycle", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const held = await place.cycle();
    await rejectHeld(place, held.header.planId, ["a", "b"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    await release(place, held.header.planId, ["a"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.active()).toEqual([
      "b@example.com",
      "c@example.com",
      "d@example.com",
      "e@example.com",
    ]);
  });

  it("ends if it is rejected before it was sent", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const held = await place.cycle();
    await release(place, held.header.planId);
    await rejectHeld(place, held.header.planId, ["a", "b"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    // Nor does it apply again when the rejection ends.
    await kept(place.store).undone(["a", "b"]);
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
    expect(place.target.active()).toHaveLength(5);
  });

  it("of a write without an answer is reported as done, once that is known", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    await release(place, (await place.cycle()).header.planId);
    place.target.after = () => {
      throw new UnknownOutcomeError("no answer came");
    };
    const { cycleId } = await place.cycle();
    place.target.after = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect((await place.operations(cycleId)).map(({ status }) => status)).toEqual(["done", "done"]);
  });

  it("survives a failure of the released write", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    await release(place, (await place.cycle()).header.planId);
    await place.restart();
    place.target.before = () => {
      throw new Error("the program fell over");
    };
    await expect(place.cycle()).rejects.toThrow("fell over");
    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
  });
});

/** A person edits an account by hand. */
function rename(place: Workplace, from: string, to: string): void {
  const account = place.target.account(from);
  place.target.accounts.set(account.latticeId, { ...account, userName: to });
}

describe("a release of a change that Lattice has undone or overtaken", () => {
  it("is used up by the released write", async () => {
    await using place = await companyWithLeavers([]);
    for (const id of ["a", "b"]) place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
    await release(place, (await place.cycle()).header.planId);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    for (const id of ["a", "b"]) rename(place, `${id}.new@example.com`, `${id}@example.com`);
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
  });

  it("ends if Lattice has another value by now than the person saw", async () => {
    await using place = await companyWithLeavers([]);
    for (const id of ["a", "b"]) place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
    await release(place, (await place.cycle()).header.planId);
    for (const id of ["a", "b"]) rename(place, `${id}@example.com`, `${id}.by.hand@example.com`);
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
  });

  it("still applies just before the end of the guard's window", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    await release(place, (await place.cycle()).header.planId);
    place.clock.advance(strict.windowMs - place.settings.intervalMs);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
  });

  const title: Change = { attribute: "title", before: "Analyst", after: "Chief" };
  const manager: Change = {
    attribute: "manager",
    before: "m@example.com",
    after: "n@example.com",
    reference: { beforeId: "lat-m", afterObjectId: "n" },
  };
  const active: Change = { attribute: "active", before: true, after: false };
  const operationWith = (change: Change, parts: Partial<Operation> = {}): Operation => ({
    action: "update",
    objectId: "a",
    userName: "a@example.com",
    latticeId: "lat-a",
    reason: "changed",
    evidence: null,
    changes: [change],
    adopts: false,
    ...parts,
  });
  const leaver = (kind: "accountDisabled" | "deleted"): Partial<Operation> => ({
    action: "deactivate",
    evidence: { kind, detail: kind },
  });
  const isReleased = (seen: Operation, planned: Operation): boolean => {
    const released = new Map(
      releasedChanges(seen).map(({ attribute, fingerprint }) => [attribute, fingerprint]),
    );
    return markReleased(planned, released).changes.some((change) => change.released === true);
  };

  it.each([
    ["the value before", operationWith(title), operationWith({ ...title, before: "Assistant" })],
    ["the value after", operationWith(title), operationWith({ ...title, after: "Director" })],
    ["the attribute", operationWith(title), operationWith({ ...title, attribute: "nickName" })],
    ["the account", operationWith(title), operationWith(title, { latticeId: "lat-b" })],
    [
      "the manager before",
      operationWith(manager),
      operationWith({ ...manager, reference: { beforeId: "lat-x", afterObjectId: "n" } }),
    ],
    [
      "the manager after",
      operationWith(manager),
      operationWith({ ...manager, reference: { beforeId: "lat-m", afterObjectId: "x" } }),
    ],
    [
      "what was seen of a leaver",
      operationWith(active, leaver("accountDisabled")),
      operationWith(active, leaver("deleted")),
    ],
  ])("applies only to what the person saw: not if %s is different", (_what, seen, planned) => {
    expect(isReleased(seen, seen)).toBe(true);
    expect(isReleased(seen, planned)).toBe(false);
  });

  it("does not end because a manager's name changes, or more is planned for the person", () => {
    const renamed = { ...manager, before: "m.new@example.com", after: "n.new@example.com" };
    expect(isReleased(operationWith(manager), operationWith(renamed))).toBe(true);
    const more = { ...operationWith(active, leaver("deleted")), changes: [title, active] };
    expect(isReleased(operationWith(active, leaver("deleted")), more)).toBe(true);
  });
});

describe("the guard's changes of state", () => {
  it("are notified once when the guard begins to hold, and once when it holds nothing any more", async () => {
    await using place = await companyWithLeavers(["a", "b"]);
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    const held = await place.cycle();
    await place.cycle();
    await place.cycle({ only: ["e"] });
    await place.cycle();
    expect(events).toEqual([
      {
        kind: "guardHeld",
        planId: held.header.planId,
        operations: 2,
        reasons: held.header.guard.reasons,
        notes: [expect.stringContaining("2 deactivations: Lattice removes a deactivated person as manager")],
      },
    ]);
    await release(place, held.header.planId);
    await place.cycle();
    await place.cycle();
    expect(events.slice(1)).toMatchObject([{ kind: "guardCleared" }]);
  });
});
