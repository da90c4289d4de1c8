import { describe, expect, it } from "vitest";
import { recordRelease, resolveRelease } from "../../src/cycle/guard/release.ts";
import { HostUnavailableError, RecordRejectedError } from "../../src/domain/errors.ts";
import type { LogEntry } from "../../src/domain/log.ts";
import { createWorkplace, kim, lenientGuard, rejectHeld, type Workplace } from "./workplace.ts";

const strict = { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 };
const people = Array.from({ length: 120 }, (_, number) => `p${String(number).padStart(3, "0")}`);

async function company(
  settings: Parameters<typeof createWorkplace>[0] = { guard: strict },
): Promise<Workplace> {
  const place = await createWorkplace(settings);
  for (const id of people) place.source.hire(id);
  await place.cycle();
  return place;
}

function log(place: Workplace): Promise<readonly LogEntry[]> {
  return place.store.history({ limit: 10_000 });
}

async function heldOf(place: Workplace, planId: string): Promise<readonly string[]> {
  return (await resolveRelease(place.store, { planId })).released.map(({ objectId }) => objectId);
}

async function release(place: Workplace, planId: string, only?: readonly string[]): Promise<void> {
  const decided = await resolveRelease(place.store, { planId, only });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    decided,
    place.clock.now(),
  );
}

describe("a held operation", () => {
  it("is one row for each person, however many cycles hold it", async () => {
    await using place = await company();
    for (const id of people.slice(0, 100)) place.source.change(id, { accountEnabled: false });
    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "held", heldOperations: 100 });
    const rows = (await log(place)).length;
    for (let round = 0; round < 20; round += 1) {
      expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 100 });
      expect(await log(place)).toHaveLength(rows);
    }
    // One person comes back, and one more leaves: as many rows as changes.
    place.source.change("p000", { accountEnabled: true });
    place.source.change("p110", { accountEnabled: false });
    await place.cycle();
    const later = await log(place);
    expect(later).toHaveLength(rows + 1);
    expect(later.filter(({ status }) => status === "held")).toHaveLength(100);
    expect(later.find(({ objectId, action }) => objectId === "p000" && action === "deactivate")?.status).toBe(
      "cancelled",
    );
  });

  it("can be released by the plan that the person saw first, as far as it is unchanged", async () => {
    await using place = await company();
    for (const id of ["p000", "p001", "p002"]) place.source.change(id, { accountEnabled: false });
    const first = await place.cycle();
    place.source.change("p003", { accountEnabled: false });
    await place.cycle();
    // Another reason to leave is another change.
    place.source.remove("p002", "softDeleted");
    const newest = await place.cycle();
    expect(await heldOf(place, first.header.planId)).toEqual(["p000", "p001"]);
    expect(await heldOf(place, newest.header.planId)).toEqual(["p000", "p001", "p002", "p003"]);
    await release(place, first.header.planId);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2, done: 2 });
    await expect(resolveRelease(place.store, { planId: first.header.planId })).rejects.toThrow(
      /has no held changes/,
    );
    // Sent, and reported once.
    const told = (await log(place)).filter(
      ({ objectId, action }) => objectId === "p000" && action !== "create",
    );
    expect(told.map(({ status }) => status)).toEqual(["done"]);
  });

  it("is found by the plan of everybody although a cycle on demand has held it since", async () => {
    await using place = await company();
    for (const id of ["p000", "p001"]) place.source.change(id, { accountEnabled: false });
    const { planId } = (await place.cycle()).header;
    await place.cycle({ only: ["p000"] });
    expect(await heldOf(place, planId)).toEqual(["p001", "p000"]);
    expect(await log(place)).toHaveLength(people.length + 2);
  });

  it("stays a row while it is rejected, so that its plan can release it, but is not part of a newer plan", async () => {
    await using place = await company();
    for (const id of ["p000", "p001"]) place.source.change(id, { accountEnabled: false });
    const first = await place.cycle();
    await rejectHeld(place, first.header.planId, ["p000"]);
    const second = await place.cycle();
    expect(second).toMatchObject({ heldOperations: 1 });
    expect(await heldOf(place, second.header.planId)).toEqual(["p001"]);
    await release(place, first.header.planId, ["p000"]);
    expect(await place.cycle()).toMatchObject({ heldOperations: 1, done: 1 });
    expect(place.target.account("p000@example.com").active).toBe(false);
  });

  it("that is a part of an operation is carried to the next plan while the rest is sent", async () => {
    await using place = await company({ guard: { ...lenientGuard, maxRenames: 0, renameFloor: 0 } });
    place.source.change("p000", { userPrincipalName: "new@example.com", jobTitle: "Lead" });
    const first = await place.cycle();
    expect(first).toMatchObject({ heldOperations: 1, done: 1 });
    place.source.change("p000", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ heldOperations: 1, done: 1 });
    expect((await log(place)).filter(({ status }) => status === "held")).toHaveLength(1);
    expect(await heldOf(place, first.header.planId)).toEqual(["p000"]);
  });
});

describe("an operation that was not begun", () => {
  it("leaves no row when Lattice is down, only the end of the cycle", async () => {
    await using place = await company({ guard: lenientGuard, concurrency: 1 });
    for (const id of people.slice(0, 90)) place.source.change(id, { jobTitle: "Lead" });
    place.target.before = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    place.target.beforeRead = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    const rows = (await log(place)).length;
    for (let round = 0; round < 12; round += 1) {
      await expect(place.cycle()).rejects.toThrow("Lattice is down");
      // The write that may have arrived before Lattice went down is looked up first.
      expect((await log(place)).length).toBeLessThanOrEqual(rows + 1);
    }
    const [last] = await place.store.recentCycles(1);
    expect(last).toMatchObject({ outcome: "failed", error: "Lattice is down" });
    place.target.before = () => {};
    place.target.beforeRead = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 90 });
  });

  it("is counted with the cycle that was to send it", async () => {
    await using place = await company({ guard: lenientGuard, concurrency: 1 });
    for (const id of people.slice(0, 90)) place.source.change(id, { jobTitle: "Lead" });
    place.target.before = () => {
      throw new HostUnavailableError("Lattice is down");
    };
    await expect(place.cycle()).rejects.toThrow("Lattice is down");
    const [last] = await place.store.recentCycles(1);
    expect(last?.outcomes).toEqual([{ action: "update", outcome: "cancelled", count: 90 }]);
  });

  it("leaves no row for people who wait for a retry", async () => {
    await using place = await company({ guard: lenientGuard });
    place.target.before = () => {
      throw new RecordRejectedError("Title is too long", { status: 400 });
    };
    place.source.change("p000", { jobTitle: "Lead" });
    await place.cycle();
    const rows = (await log(place)).length;
    for (let round = 0; round < 20; round += 1) await place.cycle();
    // The schedule backs off: 1, 2, 4, 8 cycles.
    expect((await log(place)).length - rows).toBeLessThanOrEqual(6);
  });
});

it("drift that is only reported is in the log once as long as it stays the same", async () => {
  await using place = await company({ drift: "report" });
  const account = place.target.account("p000@example.com");
  place.target.accounts.set(account.latticeId, {
    ...account,
    values: { ...account.values, displayName: "Edited by hand" },
  });
  place.source.change("p000", { displayName: "Kim" });
  await place.cycle();
  const edited = place.target.account("p000@example.com");
  place.target.accounts.set(edited.latticeId, {
    ...edited,
    values: { ...edited.values, displayName: "Edited by hand" },
  });
  for (let round = 0; round < 5; round += 1) await place.cycle({ full: true });
  const reported = (await log(place)).filter(({ status }) => status === "reported");
  expect(reported).toHaveLength(1);
});
