import { describe, expect, it } from "vitest";
import { releasedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import { ConfigurationError } from "../../../src/domain/errors.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, lenientGuard, mappingOf } from "../workplace.ts";

const people = ["a", "b", "c", "d", "e", "f", "g", "h"];

describe("an alarm that makes few deactivations doubtful", () => {
  it("is raised by a directory without users: nothing of its answer is believed", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b"]) place.source.hidden.add(id);
    place.source.remove("a", "deleted");
    const held = await place.cycle({ full: true });
    expect(held).toMatchObject({ outcome: "held", done: 0 });
    expect(held.header.guard.reasons.join()).toContain(
      "Entra's list of users is empty. No one is treated as a leaver, and nothing is sent until Entra lists people again. Check the application's permissions",
    );
    expect(place.target.active()).toHaveLength(2);
    // No person was asked about by id, and the people who come back are believed again.
    expect(place.source.reads.filter((read) => read.startsWith("user"))).toEqual([]);
    place.source.hidden.clear();
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.active()).toEqual(["b@example.com"]);
  });

  it("is raised by a group of the scope that became empty or disappeared", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 3 } });
    for (const id of people) place.source.hire(id);
    place.source.groups = { sales: ["a", "b", "c", "d"], legal: ["e", "f", "g", "h"] };
    await place.cycle();
    place.source.groups = { sales: [], legal: ["e", "f", "g", "h"] };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 4, done: 0 });
    expect(held.header.guard.reasons).toEqual([
      'the group "sales" of the scope has become empty (4 members before), and 4 accounts would be deactivated',
    ]);
    // A disabled person is deactivated nevertheless, and the alarm lasts longer than a cycle.
    place.source.change("e", { accountEnabled: false });
    place.source.groups = { legal: ["e", "f", "g", "h"] };
    const still = await place.cycle();
    expect(still).toMatchObject({ outcome: "held", heldOperations: 4, done: 1 });
    expect(still.header.guard.reasons.join()).toContain(
      'the group "sales" of the scope no longer exists (4 members before), and 4 accounts would be deactivated',
    );

    const operations = (await place.operations(still.cycleId)).filter(({ status }) => status === "held");
    await kept(place.store).released(
      still.header.planId,
      operations.flatMap(releasedChanges),
      place.clock.now(),
    );
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 4 });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  });

  it("lasts for an emptied group until its leavers are released or as many people are back", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 3 } });
    for (const id of people) place.source.hire(id);
    place.source.groups = { sales: ["a", "b", "c", "d"], legal: ["e", "f", "g", "h"] };
    await place.cycle();
    place.source.groups = { sales: [], legal: ["e", "f", "g", "h"] };
    await place.cycle();
    place.source.groups = { sales: ["a", "b"], legal: ["e", "f", "g", "h"] };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });
    expect(held.header.guard.reasons).toEqual([
      'the group "sales" of the scope became empty, and now has only 2 of its members back (4 members before), and 2 accounts would be deactivated',
    ]);
    place.source.groups = { sales: ["a", "b", "c", "d"], legal: ["e", "f", "g", "h"] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    // Now it is believed again.
    place.source.groups = { sales: ["a", "b", "c"], legal: ["e", "f", "g", "h"] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });

  it("is raised for a group that was emptied while the directory had no users: such a cycle accepts no scope", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 3 } });
    for (const id of people) place.source.hire(id);
    place.source.groups = { sales: ["a", "b", "c", "d"], legal: ["e", "f", "g", "h"] };
    await place.cycle();
    for (const id of people) place.source.hidden.add(id);
    place.source.groups = { sales: [], legal: ["e", "f", "g", "h"] };
    expect(await place.cycle({ full: true })).toMatchObject({ outcome: "held", done: 0 });
    place.source.hidden.clear();
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 4, done: 0 });
    expect(held.header.guard.reasons.join()).toContain('the group "sales" of the scope has become empty');
    expect(place.target.active()).toHaveLength(people.length);
  });

  it("is not raised by the last member of a small group", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, deactivationFloor: 1 } });
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.groups = { sales: ["a"], legal: ["b"] };
    await place.cycle();
    place.source.groups = { sales: [], legal: ["b"] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });

  it("is raised by a changed mode or changed filters of the scope", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id, { department: id });
    await place.cycle();
    const filters = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "a" }] }];
    place.settings = { ...place.settings, scopeDigest: "scope-2", mapping: mappingOf(undefined, filters) };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 1, done: 0 });
    expect(held.header.guard.reasons[0]).toContain(
      "entra.scope has changed in the configuration, and 1 account would be deactivated because of it",
    );
    // A cycle for one person neither releases the alarm nor accepts the new scope.
    expect(await place.cycle({ only: ["b"] })).toMatchObject({ outcome: "held" });
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "done" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    place.source.change("b", { department: "a" });
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
  });

  it("is raised by another tenant than the database's: nothing is read or written", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.settings = { ...place.settings, tenantId: "tenant-2" };
    place.source.reads.length = 0;
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    expect(place.source.reads).toEqual([]);
  });
});
