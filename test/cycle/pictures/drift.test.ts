import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/domain/json.ts";
import type { LoggedOperation } from "../../../src/domain/operation.ts";
import { createWorkplace, mappingOf, type Workplace } from "../workplace.ts";

const hourMs = 3_600_000;
const departmentPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

const identity = [
  { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
  { target: "externalId", source: "objectId" },
  { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
];

async function companyOfThree(drift: "report" | "correct"): Promise<Workplace> {
  const place = await createWorkplace({ drift });
  for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst", department: "Sales" });
  await place.cycle();
  return place;
}

/** A person edits an account by hand. */
function edit(
  place: Workplace,
  userName: string,
  values: Record<string, string | null>,
  active = true,
): void {
  const account = place.target.account(userName);
  const next = Object.fromEntries(
    Object.entries({ ...account.values, ...values }).filter(([, value]) => value !== null),
  );
  place.target.accounts.set(account.latticeId, { ...account, values: next, active });
}

async function driftOf(place: Workplace, cycleId: number): Promise<readonly LoggedOperation[]> {
  return place.store.operations(cycleId, { drift: true, afterWave: -1, afterId: 0, limit: 100 });
}

describe("drift", () => {
  it("is found by a full comparison, distinguished from changes of the source, and corrected", async () => {
    await using place = await companyOfThree("correct");
    edit(place, "a@example.com", { title: "Edited" });
    edit(place, "b@example.com", {}, false);
    place.source.change("c", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ done: 1 });

    place.source.change("a", { department: "Legal" });
    const full = await place.cycle({ full: true });
    expect(full).toMatchObject({ done: 2, header: { cycle: "reconcile" } });
    const drift = await driftOf(place, full.cycleId);
    expect(drift.map(({ objectId, action, reason }) => [objectId, action, reason])).toEqual([
      ["a", "update", "title and department changed"],
      ["b", "reactivate", "deactivated in Lattice by hand"],
    ]);
    expect(
      drift[0]?.changes.map(({ attribute, drift: marked }) => [attribute.split(":").at(-1), marked]),
    ).toEqual([
      ["title", true],
      ["department", undefined],
    ]);
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    expect(place.target.active()).toHaveLength(3);
    const after = await place.cycle({ full: true });
    expect(after.done).toBe(0);
    expect(await driftOf(place, after.cycleId)).toEqual([]);
  });

  it("of an attribute is reported, corrected or left to Lattice as its owner says, whatever the setting says", async () => {
    const owned = (drift: "report" | "correct", owner: string | undefined) =>
      createWorkplace({
        drift,
        mapping: mappingOf([
          ...identity,
          { target: "title", source: "jobTitle", ...(owner === undefined ? {} : { owner }) },
        ]),
      });
    for (const [drift, owner, title, reported] of [
      ["report", "entra", "Analyst", 0],
      ["correct", "report", "Edited", 1],
      ["correct", "lattice", "Edited", 0],
      ["report", "lattice", "Edited", 0],
    ] as const) {
      await using place = await owned(drift, owner);
      place.source.hire("a", { jobTitle: "Analyst" });
      await place.cycle();
      edit(place, "a@example.com", { title: "Edited" });
      const full = await place.cycle({ full: true });
      const found = (await driftOf(place, full.cycleId)).filter(({ status }) => status === "reported");
      expect([owner, place.target.account("a@example.com").values.title, found.length]).toEqual([
        owner,
        title,
        reported,
      ]);
    }
  });

  it("of a field that Lattice owns stays, also when Entra changes, when the account is linked anew, and when the value is removed", async () => {
    await using place = await createWorkplace({
      mapping: mappingOf([...identity, { target: "title", source: "jobTitle", owner: "lattice" }]),
    });
    const title = () => place.target.account("a@example.com").values.title;
    place.source.hire("a", { jobTitle: "Analyst" });
    place.source.hire("b");
    await place.cycle();
    edit(place, "a@example.com", { title: "Edited" });
    await place.cycle({ full: true });
    place.source.change("a", { jobTitle: "Chief" });
    place.source.change("b", { jobTitle: "Clerk" });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(title()).toBe("Edited");
    expect(place.target.account("b@example.com").values.title).toBe("Clerk");
    place.source.change("b", { jobTitle: null });
    expect(await place.cycle()).toMatchObject({ done: 0 });
    edit(place, "a@example.com", { title: null });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 0 });
    expect(title()).toBeUndefined();
  });

  it("is only reported if the setting says so, while changes of the source are still sent", async () => {
    await using place = await companyOfThree("report");
    edit(place, "a@example.com", { title: "Edited" });
    edit(place, "b@example.com", {}, false);
    place.source.change("a", { department: "Legal" });
    const full = await place.cycle({ full: true });
    expect(full).toMatchObject({
      done: 1,
      outcome: "done",
      header: { summary: { update: 1, unchanged: 2 } },
    });
    const drift = await driftOf(place, full.cycleId);
    expect(drift.map(({ objectId, status }) => [objectId, status])).toEqual([
      ["a", "reported"],
      ["b", "reported"],
    ]);
    // A change that is sent is not part of the drift that is only reported.
    expect(drift[0]?.changes.map(({ attribute }) => attribute)).toEqual(["title"]);
    expect(place.target.account("a@example.com").values.title).toBe("Edited");
    expect(place.target.active()).toHaveLength(2);

    // A new value in Entra is not drift: it is sent.
    place.source.change("a", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
    // Still reported, by every full comparison.
    const again = await place.cycle({ full: true });
    expect((await driftOf(place, again.cycleId)).map(({ objectId }) => objectId)).toEqual(["b"]);
  });

  it("is reported without the changes of the directory, and a userName like any other value", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.source.hire("a", { jobTitle: "Analyst", department: "Sales" });
    await place.cycle();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, { ...account, userName: "edited@example.com" });
    place.source.change("a", { department: "Research" });
    const full = await place.cycle({ full: true });
    expect(await driftOf(place, full.cycleId)).toMatchObject([
      { status: "reported", changes: [{ attribute: "userName", before: "edited@example.com", drift: true }] },
    ]);
    expect((await place.operations(full.cycleId)).filter(({ status }) => status === "done")).toMatchObject([
      { changes: [{ attribute: departmentPath, after: "Research" }] },
    ]);
    expect(place.target.account("edited@example.com").values[departmentPath]).toBe("Research");
  });

  it("does not include a value that was sent: an earlier value does not count when it is wanted again", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    for (const jobTitle of ["Chief", "Analyst"]) {
      place.source.change("a", { jobTitle });
      expect(await place.cycle()).toMatchObject({ done: 1 });
      expect(place.target.account("a@example.com").values.title).toBe(jobTitle);
    }
  });

  it("includes a value that was added or removed, not only one that was changed", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    const seen: unknown[] = [];
    // Each listing shows one edit more, and the earlier edits unchanged.
    for (const values of [{ title: null }, { [departmentPath]: "Added" }, { displayName: "Edited" }]) {
      edit(place, "a@example.com", values);
      const full = await place.cycle({ full: true });
      expect(full.done).toBe(0);
      const [operation] = await driftOf(place, full.cycleId);
      seen.push(operation?.changes.map(({ attribute }) => attribute.split(":").at(-1)).sort());
    }
    expect(seen).toEqual([["title"], ["department", "title"], ["department", "displayName", "title"]]);
  });

  it("is recognised, for a value that Lattice does not clear, by the value that was wanted", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.target.normalise = (path, value) => (path === "title" && value === null ? "Kept" : value);
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: null });
    await place.cycle();
    edit(place, "a@example.com", { title: "Edited" });
    const full = await place.cycle({ full: true });
    expect(full.done).toBe(0);
    expect(await driftOf(place, full.cycleId)).toMatchObject([
      { changes: [{ attribute: "title", before: "Edited", after: null }] },
    ]);
  });

  it("is recognised, for a value that Lattice once kept in another form, by the value sent last", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.target.normalise = (path, value) => (path === "title" && value === "Analyst" ? "ANALYST" : value);
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Chief" });
    await place.cycle();
    edit(place, "a@example.com", { title: "Edited" });
    const full = await place.cycle({ full: true });
    expect(full.done).toBe(0);
    expect(await driftOf(place, full.cycleId)).toMatchObject([
      { status: "reported", changes: [{ attribute: "title", before: "Edited", after: "Chief" }] },
    ]);
  });

  it("ends when the value is put back by hand", async () => {
    await using place = await companyOfThree("report");
    edit(place, "a@example.com", { title: "Edited" });
    await place.cycle({ full: true });
    edit(place, "a@example.com", { title: "Analyst" });
    const full = await place.cycle({ full: true });
    expect(await driftOf(place, full.cycleId)).toEqual([]);
  });

  it("makes a removed account again, or only reports it", async () => {
    for (const [drift, left] of [
      ["correct", 3],
      ["report", 2],
    ] as const) {
      await using place = await companyOfThree(drift);
      place.target.accounts.delete(place.target.account("a@example.com").latticeId);
      await place.cycle({ full: true });
      place.clock.advance(6 * hourMs);
      const full = await place.cycle({ full: true });
      expect(await driftOf(place, full.cycleId)).toMatchObject([
        { objectId: "a", drift: "removed", status: drift === "report" ? "reported" : "done" },
      ]);
      expect(place.target.active()).toHaveLength(left);
      const after = await place.cycle();
      expect(after.done).toBe(0);
      if (drift === "correct") continue;
      expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
        { code: "removedInLattice" },
      ]);
      // Put back by hand, it is linked again.
      place.target.add({ userName: "a@example.com", externalId: "a" });
      expect(await place.cycle({ full: true })).toMatchObject({
        header: { summary: { link: 1, create: 0 } },
      });
    }
  });

  it("does not include values that the server owns, keeps in another form, or accepts only once", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) =>
      path === "title" && typeof value === "string" ? value.toUpperCase() : value;
    place.source.hire("a", { jobTitle: "Analyst", preferredLanguage: "en" });
    await place.cycle();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, {
      ...account,
      values: { ...account.values, nickName: "unmapped" },
    });
    const full = await place.cycle({ full: true });
    // A value that Lattice keeps in its own form is tried again, and is not drift.
    expect(full.done).toBe(1);
    expect(await driftOf(place, full.cycleId)).toEqual([]);
  });

  it.each([
    ["as it was sent", (_path: string, value: Json) => value],
    [
      "in a form of its own",
      (path: string, value: Json) =>
        path === "title" && typeof value === "string" ? value.toUpperCase() : value,
    ],
  ])("of a value that Lattice keeps %s is still drift when it is edited twice", async (_how, normalise) => {
    await using place = await createWorkplace({ drift: "report" });
    place.target.normalise = normalise;
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    for (const title of ["Edited", "Edited again"]) {
      edit(place, "a@example.com", { title });
      const full = await place.cycle({ full: true });
      expect(full.done).toBe(0);
      expect(await driftOf(place, full.cycleId)).toMatchObject([
        { status: "reported", changes: [{ attribute: "title", before: title, after: "Analyst" }] },
      ]);
    }
  });
});
