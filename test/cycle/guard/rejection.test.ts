import { describe, expect, it } from "vitest";
import { recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import { isRejected, rejectedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import type { Operation } from "../../../src/domain/plan.ts";
import { createWorkplace, kim, lenientGuard, rejectHeld, type Workplace } from "../workplace.ts";

/** Two people whose new userNames are held, one of them rejected. */
async function rejectedRename(): Promise<Workplace> {
  const place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 1 } });
  place.source.scope = ["a", "b", "c"];
  for (const id of ["a", "b", "c"]) place.source.hire(id);
  await place.cycle();
  for (const id of ["a", "b"]) place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
  const held = await place.cycle();
  expect(held).toMatchObject({ outcome: "held", heldOperations: 2 });
  await rejectHeld(place, held.header.planId, ["a"]);
  await place.cycle();
  return place;
}

describe("a person who had a change rejected is still switched off", () => {
  it.each([
    ["disabled", (place: Workplace) => place.source.change("a", { accountEnabled: false })],
    ["deleted", (place: Workplace) => place.source.remove("a", "softDeleted")],
    [
      "taken out of the scope",
      (place: Workplace) => {
        place.source.scope = ["b", "c"];
      },
    ],
  ])("once %s", async (_what, leaves) => {
    await using place = await rejectedRename();
    leaves(place);
    await place.cycle();
    expect([...place.target.accounts.values()].find(({ externalId }) => externalId === "a")?.active).toBe(
      false,
    );
  });
});

it("a release of everything that a plan holds leaves out the rejected changes, which can still be released by name", async () => {
  await using place = await createWorkplace({
    guard: { ...lenientGuard, maxDeactivations: 1, deactivationFloor: 0 },
  });
  place.source.scope = ["a", "b", "c", "d"];
  for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
  await place.cycle();
  for (const id of ["a", "b", "c"]) place.source.change(id, { accountEnabled: false });
  const { planId } = (await place.cycle()).header;
  await rejectHeld(place, planId, ["a"]);
  await place.cycle();
  const everything = await resolveRelease(place.store, { planId });
  expect(everything.released.map(({ objectId }) => objectId)).toEqual(["b", "c"]);
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    everything,
    place.clock.now(),
  );
  await place.cycle();
  const active = (): unknown[] =>
    ["a", "b", "c"].map(
      (id) => [...place.target.accounts.values()].find(({ externalId }) => externalId === id)?.active,
    );
  expect(active()).toEqual([true, false, false]);
  await expect(resolveRelease(place.store, { planId })).rejects.toThrow(
    /^every held change of the plan \S+ was rejected. To release some of them after all, name the people. Nothing was done$/,
  );
  const named = await resolveRelease(place.store, { planId, only: ["a"] });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    named,
    place.clock.now(),
  );
  await place.cycle();
  expect(active()).toEqual([false, false, false]);
});

it("a rejected deactivation is forgotten once the person is found back in the scope on demand", async () => {
  await using place = await createWorkplace({
    guard: { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 },
  });
  place.source.scope = ["a", "b"];
  for (const id of ["a", "b"]) place.source.hire(id);
  await place.cycle();
  place.source.scope = ["b"];
  const held = await place.cycle();
  await rejectHeld(place, held.header.planId, ["a"]);
  await place.cycle();
  expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
    { objectId: "a", code: "rejected" },
  ]);
  place.source.scope = ["a", "b"];
  await place.cycle({ only: ["a"] });
  expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
});

it("does not decide by a name that went to another person, and names both people", async () => {
  await using place = await createWorkplace({
    guard: { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0, maxRenames: 0 },
  });
  for (const id of ["a", "b", "c"]) place.source.hire(id);
  await place.cycle();
  place.source.remove("a", "softDeleted");
  place.source.change("b", { userPrincipalName: "a@example.com" });
  const { planId } = (await place.cycle()).header;
  const ambiguous = "“a@example.com” is the name of 2 people. Use the object id (a or b). Nothing was done";
  await expect(resolveRelease(place.store, { planId, only: ["a@example.com"] })).rejects.toThrow(ambiguous);
  await expect(rejectHeld(place, planId, ["a@example.com"])).rejects.toThrow(ambiguous);
  await rejectHeld(place, planId, ["a", "b"]);
  const undo = (names: readonly string[]) => resolveRelease(place.store, { planId, undoReject: names });
  await expect(undo(["a@example.com"])).rejects.toThrow(ambiguous);
  expect((await undo(["a", "a"])).undone).toEqual([{ objectId: "a", userName: "a@example.com" }]);
});

it("a link is not rejected together with the changes that came with it", () => {
  const change = { attribute: "title", before: "Lead", after: "Head" } as const;
  const link: Operation = {
    objectId: "a",
    userName: "a@example.com",
    latticeId: "l",
    action: "link",
    reason: "",
    adopts: true,
    evidence: null,
    changes: [change],
  };
  const update = { ...link, action: "update", adopts: false } as const;
  const rejected = rejectedChanges(update).map((one) => ({ ...one, planId: "p", rejectedAt: 7 }));
  expect(isRejected(update, rejected)).toBe(true);
  expect(isRejected(link, rejected)).toBe(false);
  expect(isRejected({ ...link, changes: [] }, rejected)).toBe(false);
  expect(
    isRejected(
      link,
      rejectedChanges(link).map((one) => ({ ...one, planId: "p", rejectedAt: 7 })),
    ),
  ).toBe(true);
});

it("does not decide by a part of a name, and lists the people it may mean", async () => {
  await using place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 1 } });
  for (const id of ["kim.a", "kim.b", "sam"]) place.source.hire(id);
  await place.cycle();
  for (const id of ["kim.a", "kim.b"])
    place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
  const held = await place.cycle();
  await expect(rejectHeld(place, held.header.planId, ["kim"])).rejects.toThrow(
    "has no held changes for “kim”. Similar names with held changes: “kim.a.new@example.com”, “kim.b.new@example.com”. Use the whole name or the object id. Nothing was done",
  );
  await expect(rejectHeld(place, held.header.planId, ["sam"])).rejects.toThrow(
    "has no held changes for “sam”. Nothing was done",
  );
  expect(await place.store.rejections(9)).toEqual([]);
});
