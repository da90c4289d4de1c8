import { describe, expect, it } from "vitest";
import { changedSinceHeld, recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import { createWorkplace, kim, lenientGuard, mappingOf, rejectHeld, type Workplace } from "../workplace.ts";

const strict = { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 };
const people = ["a", "b", "c", "d", "e", "f", "g", "h"];

async function company(guard = strict): Promise<Workplace> {
  const place = await createWorkplace({ guard });
  place.source.scope = people;
  for (const id of people) place.source.hire(id, { telephoneNumber: "1", businessPhones: ["1"] });
  await place.cycle();
  return place;
}

async function rejectedIn(place: Workplace): Promise<readonly string[]> {
  return (await place.store.rejections(100)).map(({ objectId, attribute, evidence }) =>
    [objectId, attribute, evidence ?? ""].join(" ").trim(),
  );
}

/** `a` has left the scope; the deactivation is held and rejected. */
async function keptAlive(): Promise<Workplace> {
  const place = await company();
  place.source.scope = people.slice(1);
  const held = await place.cycle();
  expect(held).toMatchObject({ outcome: "held", heldOperations: 1 });
  await rejectHeld(place, held.header.planId, ["a"]);
  expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  expect(await rejectedIn(place)).toEqual(["a active leftScope"]);
  return place;
}

describe("a rejection of held changes", () => {
  it("stays when a phone number changes, and that change is sent", async () => {
    await using place = await company();
    place.source.change("a", { accountEnabled: false });
    const held = await place.cycle();
    await rejectHeld(place, held.header.planId, ["a"]);
    await place.cycle();
    place.source.change("a", { businessPhones: ["2"] });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    const account = place.target.account("a@example.com");
    expect(account.active).toBe(true);
    expect(JSON.stringify(account.values)).toContain('"2"');
    // Reported again once the rest is done, without waiting for a full comparison.
    await place.cycle();
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        objectId: "a",
        code: "rejected",
        reason: expect.stringMatching(/^the deactivation \(account disabled in Entra\) was rejected on /),
      },
    ]);
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "done", done: 0 });
    expect(await rejectedIn(place)).toEqual(["a active accountDisabled"]);
  });

  it("does not keep the account active if the person is disabled later", async () => {
    await using place = await keptAlive();
    place.settings = { ...place.settings, guard: lenientGuard };
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.account("a@example.com").active).toBe(false);
    expect(await rejectedIn(place)).toEqual([]);
  });

  it("does not keep the account active if the person's leave date has come", async () => {
    const filters = [
      { clauses: [{ attribute: "employeeLeaveDateTime", operator: "IS NULL" }] },
      { clauses: [{ attribute: "employeeLeaveDateTime", operator: "IN THE FUTURE" }] },
    ];
    await using place = await createWorkplace({ guard: strict, mapping: mappingOf(undefined, filters) });
    place.source.scope = people;
    const leaves = new Date(place.clock.now() + 3 * 24 * 3_600_000).toISOString();
    for (const id of people) place.source.hire(id, id === "a" ? { employeeLeaveDateTime: leaves } : {});
    await place.cycle();
    place.source.scope = people.slice(1);
    await rejectHeld(place, (await place.cycle()).header.planId, ["a"]);
    place.settings = { ...place.settings, guard: lenientGuard };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(place.target.account("a@example.com").active).toBe(true);
    place.clock.advance(4 * 24 * 3_600_000);
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.account("a@example.com").active).toBe(false);
  });

  it("for failing one clause of the filters does not apply to another clause", async () => {
    const filters = [
      {
        clauses: [
          { attribute: "companyName", operator: "EQUALS", value: "Example" },
          { attribute: "department", operator: "NOT EQUALS", value: "Left" },
        ],
      },
    ];
    await using place = await createWorkplace({ guard: strict, mapping: mappingOf(undefined, filters) });
    for (const id of people) place.source.hire(id, { companyName: "Example", department: "Sales" });
    await place.cycle();
    place.source.change("a", { companyName: "Other" });
    await rejectHeld(place, (await place.cycle()).header.planId, ["a"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    place.source.change("a", { companyName: "Example", department: "Left" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(await rejectedIn(place)).toEqual([]);
  });

  it("of two leaving events prevents both deactivations", async () => {
    await using place = await keptAlive();
    place.source.change("a", { accountEnabled: false });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 1 });
    await rejectHeld(place, held.header.planId, ["a"]);
    place.settings = { ...place.settings, guard: lenientGuard };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "done", done: 0 });
    expect(place.target.account("a@example.com").active).toBe(true);
    expect(await rejectedIn(place)).toEqual(["a active accountDisabled", "a active leftScope"]);
  });

  it("lasts while another leaving event is the reason, and prevents the deactivation when that one is undone", async () => {
    await using place = await keptAlive();
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(await rejectedIn(place)).toEqual(["a active leftScope"]);
    place.source.change("a", { accountEnabled: true });
    place.settings = { ...place.settings, guard: lenientGuard };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(place.target.account("a@example.com").active).toBe(true);
  });

  it("ends when the change is no longer due, so that it does not apply again later", async () => {
    await using place = await keptAlive();
    place.source.scope = people;
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(await rejectedIn(place)).toEqual([]);
    place.source.scope = people.slice(1);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
  });

  it("of a new userName does not stop other changes, and ends with another userName", async () => {
    await using place = await company({ ...lenientGuard, maxRenames: 0, renameFloor: 0 });
    place.source.change("a", { userPrincipalName: "a.new@example.com" });
    await rejectHeld(place, (await place.cycle()).header.planId, ["a"]);
    place.source.change("a", { jobTitle: "Lead" });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
    expect(await rejectedIn(place)).toEqual(["a userName"]);
    place.source.change("a", { userPrincipalName: "a.other@example.com" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(await rejectedIn(place)).toEqual([]);
  });

  it("of a new account lasts whatever values the account would get", async () => {
    await using place = await company({ ...lenientGuard, maxCreates: 0 });
    place.source.scope = [...people, "new"];
    place.source.hire("new");
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 1 });
    await rejectHeld(place, held.header.planId, ["new"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    place.source.change("new", { jobTitle: "Lead" });
    place.settings = { ...place.settings, guard: lenientGuard };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(await rejectedIn(place)).toEqual(["new account"]);
    await takeBack(place, held.header.planId, ["new"]);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });

  it("can be undone, and the change is weighed again", async () => {
    await using place = await keptAlive();
    const planId = (await place.store.rejections(1))[0]?.planId ?? "";
    await expect(resolveRelease(place.store, { planId, undoReject: ["b@example.com"] })).rejects.toThrow(
      /no change for “b@example.com” is rejected.*Nothing was done/,
    );
    await takeBack(place, planId, ["A@example.com"]);
    expect(await rejectedIn(place)).toEqual([]);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1, done: 0 });
  });

  it("can be undone after its plan has left the log", async () => {
    await using place = await keptAlive();
    const planId = (await place.store.rejections(1))[0]?.planId ?? "";
    place.clock.advance(2 * place.settings.retentionMs);
    await place.cycle();
    expect(await place.store.cycleOfPlan(planId)).toBeNull();
    await takeBack(place, planId, ["a"]);
    expect(await rejectedIn(place)).toEqual([]);
  });
});

describe("a release of a new account", () => {
  it("lasts although the person's phone number changed in between", async () => {
    await using place = await company({ ...lenientGuard, maxCreates: 0 });
    place.source.scope = [...people, "new"];
    place.source.hire("new", { businessPhones: ["1"] });
    const held = await place.cycle();
    const decided = await resolveRelease(place.store, { planId: held.header.planId });
    await recordRelease(
      { store: place.store, fence: "private" },
      { planId: held.header.planId, by: kim },
      decided,
      place.clock.now(),
    );
    place.source.change("new", { businessPhones: ["2"] });
    const sent = await place.cycle();
    expect(sent).toMatchObject({ outcome: "done", done: 1 });
    expect(await changedSinceHeld(place.store, sent.cycleId, decided.released)).toEqual([]);
    const only = { select: { only: ["new"] }, everyoneInScope: false, after: "", limit: 1 };
    expect([...((await place.store.candidates(only))[0]?.released ?? ["gone"])]).toEqual([]);
    // Used up: the next new account is held again.
    place.source.scope = [...people, "new", "newer"];
    place.source.hire("newer");
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
  });
});

describe("a release of a link", () => {
  it("counts as used although nothing but the link was due", async () => {
    await using place = await company({ ...lenientGuard, linkFloor: 0, maxLinks: 0 });
    place.source.hire("new", { displayName: null });
    place.target.add({ userName: "new@example.com", externalId: "new", active: true });
    place.source.scope = [...people, "new"];
    const held = await place.cycle({ full: true });
    expect((await place.operations(held.cycleId)).filter(({ status }) => status === "held")).toMatchObject([
      { action: "link", changes: [] },
    ]);
    const decided = await resolveRelease(place.store, { planId: held.header.planId });
    const request = { planId: held.header.planId, by: kim };
    await recordRelease({ store: place.store, fence: "private" }, request, decided, place.clock.now());
    const sent = await place.cycle();
    expect(await place.store.latticeIdOf("new")).not.toBeNull();
    expect(await changedSinceHeld(place.store, sent.cycleId, decided.released)).toEqual([]);
  });

  it("counts as changed if the person now matches another account", async () => {
    await using place = await company({ ...lenientGuard, linkFloor: 0, maxLinks: 0 });
    place.source.hire("new", { displayName: null });
    const account = place.target.add({ userName: "new@example.com", externalId: "new", active: true });
    place.source.scope = [...people, "new"];
    const held = await place.cycle({ full: true });
    const decided = await resolveRelease(place.store, { planId: held.header.planId });
    const request = { planId: held.header.planId, by: kim };
    await recordRelease({ store: place.store, fence: "private" }, request, decided, place.clock.now());
    place.target.accounts.delete(account.latticeId);
    place.target.add({ userName: "new@example.com", externalId: "new", active: true });
    const next = await place.cycle({ full: true });
    expect(await changedSinceHeld(place.store, next.cycleId, decided.released)).toMatchObject([
      { objectId: "new" },
    ]);
  });
});

describe("an alarm about the scope", () => {
  it("lasts as long as a named person is neither released nor back", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 3 } });
    for (const id of people) place.source.hire(id);
    place.source.groups = { sales: people.slice(0, 4), legal: people.slice(4) };
    await place.cycle();
    place.source.groups = { sales: [], legal: people.slice(4) };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 4 });
    await rejectHeld(place, held.header.planId, people.slice(0, 4));
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    // Was in no group that day: the emptied group was not checked for this person.
    place.source.groups = { sales: [], legal: people.slice(5) };
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1, done: 0 });
    expect(place.target.active()).toHaveLength(8);
    // They come back: the alarm is over.
    place.source.groups = { sales: people.slice(0, 4), legal: people.slice(4) };
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(await rejectedIn(place)).toEqual([]);
  });

  it("does not end for the others if one of them is rejected and the others are released", async () => {
    await using place = await createWorkplace();
    for (const id of people) place.source.hire(id, { department: id < "d" ? "old" : "new" });
    await place.cycle();
    const filters = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "new" }] }];
    place.settings = { ...place.settings, scopeDigest: "scope-2", mapping: mappingOf(undefined, filters) };
    const { planId } = (await place.cycle()).header;
    const decided = await resolveRelease(place.store, { planId, only: ["b", "c"], reject: ["a"] });
    await recordRelease(
      { store: place.store, fence: "private" },
      { planId, by: kim },
      decided,
      place.clock.now(),
    );
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    place.source.change("d", { department: "old" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.account("a@example.com").active).toBe(true);
  });
});

async function takeBack(place: Workplace, planId: string, undoReject: readonly string[]): Promise<void> {
  const decided = await resolveRelease(place.store, { planId, undoReject });
  expect(decided).toMatchObject({ released: [], rejected: [] });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    decided,
    place.clock.now(),
  );
}
