import { describe, expect, it } from "vitest";
import { releasedChanges } from "../../../src/cycle/operations/fingerprint.ts";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import { kept } from "../../state/kept.ts";
import {
  atOnce,
  createWorkplace,
  defaultRules,
  lenientGuard,
  mappingOf,
  type Workplace,
} from "../workplace.ts";

const dayMs = 24 * 60 * 60_000;

async function company(place: Workplace, people: readonly string[]): Promise<void> {
  for (const id of people) place.source.hire(id);
  place.source.groups = { staff: people };
  await place.cycle();
  place.source.reads.length = 0;
}

const asked = ({ source }: Workplace): readonly string[] =>
  source.reads.filter((read) => /^(user|membership|groups of) /.test(read));

describe("a person who is missing from a listing of the scope", () => {
  it("is not deactivated if the directory confirms the membership by id", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b", "c"]);
    place.source.unlisted.add("b");
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "done", done: 0 });
    expect(result.header.summary).toMatchObject({ deactivate: 0, unchanged: 3, skipped: 0 });
    expect(result.header.notes).toEqual([
      "1 person was missing from one of Entra's lists, but Entra still has them when asked by id: not deactivated.",
    ]);
    expect(asked(place)).toEqual(["membership b"]);
    expect(place.target.active()).toHaveLength(3);
    expect((await place.store.recentCycles(1))[0]?.notes).toEqual(result.header.notes);

    // The listing continues to leave the person out, then has the person again; then the person leaves.
    await place.cycle();
    expect(asked(place)).toEqual(["membership b", "membership b"]);
    place.source.unlisted.clear();
    expect((await place.cycle()).header.notes).toEqual([]);
    place.source.groups = { staff: ["a", "c"] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.active()).toEqual(["a@example.com", "c@example.com"]);
  });

  it("still gets the changes that are due", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.unlisted.add("b");
    place.source.change("b", { jobTitle: "Analyst" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 1, deactivate: 0 });
    expect(place.target.account("b@example.com").values.title).toBe("Analyst");
  });

  it("is not asked about if nothing would be deactivated: no one left, disabled, excluded by name, delayed", async () => {
    const outOfScope = { do: "deactivate", afterMs: 3 * dayMs } as const;
    await using place = await createWorkplace({ events: { ...atOnce, outOfScope } });
    await company(place, ["a", "b", "c"]);
    place.source.change("a", { accountEnabled: false });
    place.source.groups = { staff: ["a", "b"] };
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(asked(place)).toEqual([]);
    place.settings = {
      ...place.settings,
      events: atOnce,
      mapping: mappingOf(defaultRules, [], { exclude: ["b@example.com"] }),
    };
    expect(await place.cycle()).toMatchObject({ done: 2 });
    expect(asked(place)).toEqual(["membership c"]);
  });

  it("is confirmed by a second listing if membership cannot be asked about for single people", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b", "c"]);
    place.source.refuseMembership = true;
    place.source.groups = { staff: ["a", "c"] };
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.source.reads.filter((read) => read === "scope")).toHaveLength(2);
    expect(place.target.active()).toEqual(["a@example.com", "c@example.com"]);
  });
});

describe("a person who is removed according to a round of changes", () => {
  it("is not deactivated if an old item is repeated after the one of the restoration", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.change("b", { jobTitle: "Analyst" });
    place.source.repeats = [{ kind: "removed", objectId: "b", presence: "softDeleted" }];
    const result = await place.cycle();
    expect(result.header.summary).toMatchObject({ deactivate: 0, update: 1 });
    expect(result.header.notes.join()).toContain(
      "1 person was missing from one of Entra's lists, but Entra still has them when asked by id: not deactivated.",
    );
    expect(place.target.account("b@example.com")).toMatchObject({
      active: true,
      values: { title: "Analyst" },
    });
    expect(await place.store.findSource("b")).toMatchObject({ presence: "present" });
  });

  it("is not deactivated if the listing of the scope also lacks the person", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.repeats = [{ kind: "removed", objectId: "b", presence: "softDeleted" }];
    place.source.unlisted.add("b");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(asked(place)).toEqual(["user b", "membership b"]);
    expect(place.target.active()).toHaveLength(2);
  });

  it("stays the manager of the reports", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("ann", {}, "boss");
    await place.cycle();
    place.target.writes.length = 0;
    place.source.repeats = [{ kind: "removed", objectId: "boss", presence: "softDeleted" }];
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(place.target.writes).toEqual([]);
    expect(place.target.managerOf("ann@example.com")).toBe("boss@example.com");
  });

  it("stays the manager of the reports while the directory does not confirm it", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("ann", {}, "boss");
    await place.cycle();
    place.source.repeats = [{ kind: "removed", objectId: "boss", presence: "softDeleted" }];
    place.source.refuseUser = () => new HostUnavailableError("Graph went away");
    await place.cycle();
    expect(place.target.managerOf("ann@example.com")).toBe("boss@example.com");
    // Once it is confirmed, the manager is removed.
    place.source.refuseUser = null;
    place.source.remove("boss", "softDeleted");
    await place.cycle();
    expect(place.target.managerOf("ann@example.com")).toBeNull();
  });

  it("is deactivated if the directory confirms by id that the person is gone", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.remove("b", "softDeleted");
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(asked(place)).toEqual(["user b"]);
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("a person who is not found by id on demand", () => {
  it("is asked about once more before the account is switched off", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.remove("b", "deleted");
    const read = place.source.readUser;
    let answers = 0;
    place.source.readUser = async (...given) => {
      answers += 1;
      if (answers === 2) place.source.restore("b");
      return read(...given);
    };
    expect(await place.cycle({ only: ["b"] })).toMatchObject({ done: 0 });
    expect(place.target.active()).toHaveLength(2);
    place.source.remove("b", "deleted");
    expect(await place.cycle({ only: ["b"] })).toMatchObject({ done: 1 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("a person about whom the directory does not answer when asked by id", () => {
  it("is not deactivated in this cycle, is reported, and is asked about again; the others are sent", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b", "c", "d"]);
    place.source.remove("a", "deleted");
    place.source.groups = { staff: ["a", "d"] };
    place.source.refuseUser = (id) =>
      id === "a" || id === "b" ? new HostUnavailableError("503 again.") : null;
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "d@example.com"]);
    expect(result.header.notes).toEqual([
      "2 people were due for deactivation, but Entra did not confirm by id that they have left: not deactivated now. The next cycle asks again.",
    ]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "a", code: "leavingUnconfirmed", reason: expect.stringContaining("(503 again)") },
      { objectId: "b", code: "leavingUnconfirmed" },
    ]);
    place.source.refuseUser = null;
    expect(await place.cycle()).toMatchObject({ done: 2 });
    expect(place.target.active()).toEqual(["d@example.com"]);
  });

  it("is deactivated nevertheless if the account is disabled too", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b"]);
    place.source.change("b", { accountEnabled: false });
    place.source.groups = { staff: ["a"] };
    place.source.refuseUser = () => new HostUnavailableError("503");
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("ends the questions after two in a row, so that an outage costs no long wait", async () => {
    await using place = await createWorkplace();
    await company(place, ["a", "b", "c", "d", "e"]);
    for (const id of ["a", "b", "c", "d"]) place.source.remove(id, "softDeleted");
    place.source.refuseUser = () => new HostUnavailableError("503");
    expect(await place.cycle()).toMatchObject({ done: 0 });
    expect(asked(place)).toEqual(["user a", "user b"]);
    expect(place.target.active()).toHaveLength(5);
  });
});

describe("a person who is missing from the list of a group of the scoping filters", () => {
  const mapping = mappingOf(defaultRules, [{ clauses: [{ memberOf: "hr" }] }]);

  it("is not deactivated as long as the person's own groups include it", async () => {
    await using place = await createWorkplace({ mapping });
    place.source.namedGroups = { hr: ["a", "b"] };
    await company(place, ["a", "b"]);
    place.source.trueNamedGroups = { hr: ["a", "b"] };
    place.source.namedGroups = { hr: ["a"] };
    expect(await place.cycle()).toMatchObject({ done: 0 });
    expect(asked(place)).toEqual(["groups of b"]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "b", code: "leavingUnconfirmed" },
    ]);
    place.source.trueNamedGroups = null;
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("a crowd that would be deactivated", () => {
  const people = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, "0")}`);
  const left = people.slice(0, 55);
  const guard = { ...lenientGuard, maxDeactivations: 50 };

  it("is not asked about while the guard holds it, and is asked about when it is released", async () => {
    await using place = await createWorkplace({ guard });
    await company(place, people);
    place.source.groups = { staff: people.slice(55) };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 55, done: 0 });
    expect(asked(place)).toEqual([]);

    const operations = await place.operations(held.cycleId);
    await kept(place.store).released(
      held.header.planId,
      operations.flatMap(releasedChanges),
      place.clock.now(),
    );
    // One of them is a member after all.
    place.source.groups = { staff: [...people.slice(55), "p07"] };
    place.source.unlisted.add("p07");
    const released = await place.cycle();
    expect(asked(place)).toEqual([`membership ${left.join(" ")}`]);
    expect(released).toMatchObject({ outcome: "done", done: 54, failed: 0 });
    expect(released.header.summary).toMatchObject({ deactivate: 54, unchanged: 6 });
    expect(place.target.active()).toHaveLength(6);
    place.source.unlisted.clear();
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  });
});
