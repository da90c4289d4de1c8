import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError } from "../../../src/domain/errors.ts";
import type { ScopeLists } from "../../../src/mapping/rules/scoping-filter.ts";
import { createWorkplace, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function scoped(clauses: readonly object[], lists: Partial<ScopeLists> = {}) {
  const filters = clauses.length === 0 ? [] : [{ clauses }];
  return { mapping: mappingOf(undefined, filters, lists), scopeDigest: JSON.stringify([clauses, lists]) };
}

const identity = [
  { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
  { target: "externalId", source: "objectId" },
  { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
];

/** Reads the scope like a cycle without other work. */
async function marked(place: Workplace): Promise<readonly string[]> {
  const people = await place.store.candidates({
    select: "marked",
    everyoneInScope: true,
    after: "",
    limit: 10,
  });
  return people.map(({ source }) => source.objectId);
}

describe("a filter on a date", () => {
  const hired = [{ attribute: "employeeHireDate", operator: "IN THE PAST" }];

  it("takes a person in on the day, in a cycle without other changes", async () => {
    await using place = await createWorkplace(scoped(hired));
    // The clock says 23 November, 8 o'clock.
    place.source.hire("a", { employeeHireDate: "2026-11-24T00:00:00Z" });
    place.source.hire("b", { employeeHireDate: "2020-01-01T00:00:00Z" });
    await place.cycle();
    expect(place.target.active()).toEqual(["b@example.com"]);
    place.clock.advance(14 * hourMs);
    await place.cycle();
    expect(place.target.active()).toEqual(["b@example.com"]);
    expect(await marked(place)).toEqual([]);
    place.clock.advance(hourMs);
    const result = await place.cycle();
    expect(result.header).toMatchObject({ cycle: "incremental", summary: { create: 1 } });
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
  });

  it("takes a person out when the leave date has passed, by the end of the day in the configured zone", async () => {
    const leaving = [{ attribute: "employeeLeaveDateTime", operator: "UP TO DAYS AGO", value: 0 }];
    await using place = await createWorkplace(scoped(leaving, { timeZone: "America/New_York" }));
    place.source.hire("a", { employeeLeaveDateTime: "2026-11-23T00:00:00Z" });
    await place.cycle();
    place.clock.advance(Date.UTC(2026, 10, 24, 4) - place.clock.now());
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
    const result = await place.cycle();
    expect(place.target.active()).toEqual([]);
    expect((await place.operations(result.cycleId))[0]?.evidence).toMatchObject({ kind: "filteredOut" });
  });

  it("follows the date when it is moved", async () => {
    await using place = await createWorkplace(scoped(hired));
    place.source.hire("a", { employeeHireDate: "2026-11-24T00:00:00Z" });
    await place.cycle();
    place.source.change("a", { employeeHireDate: "2026-11-30T00:00:00Z" });
    await place.cycle();
    place.clock.advance(2 * dayMs);
    await place.cycle();
    expect(place.target.active()).toEqual([]);
    place.clock.advance(5 * dayMs);
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("detects two people who should have one name from the day on which both are in scope", async () => {
    await using place = await createWorkplace(scoped(hired));
    place.source.hire("a", {
      userPrincipalName: "kim@example.com",
      employeeHireDate: "2026-11-25T00:00:00Z",
    });
    place.source.hire("b", {
      userPrincipalName: "KIM@example.com",
      employeeHireDate: "2020-01-01T00:00:00Z",
    });
    await place.cycle();
    expect(place.target.active()).toEqual(["KIM@example.com"]);
    place.clock.advance(2 * dayMs);
    await place.cycle();
    const skipped = await place.store.skipped({ after: "", limit: 10 });
    expect(skipped.map(({ objectId, code }) => [objectId, code])).toEqual([
      ["a", "duplicateUserName"],
      ["b", "duplicateUserName"],
    ]);
  });
});

describe("an expression on a group", () => {
  const byGroup = (expression: string, clauses: readonly object[] = []) => {
    const { scopeDigest } = scoped(clauses);
    const filters = clauses.length === 0 ? [] : [{ clauses }];
    return { mapping: mappingOf([...identity, { target: "title", expression }], filters), scopeDigest };
  };
  const titles = (place: Workplace) =>
    [...place.target.accounts.values()].map(({ values }) => values.title ?? null);

  it("gives members another value, and changes it when they enter or leave the group", async () => {
    await using place = await createWorkplace(byGroup('FirstMemberOf("Sales", "Support")'));
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.source.namedGroups = { Sales: ["a"], Support: ["a", "b"] };
    await place.cycle();
    expect(titles(place)).toEqual(["Sales", "Support", null]);
    place.source.namedGroups = { Sales: ["c"], Support: ["a", "b"] };
    const result = await place.cycle();
    expect(result.header).toMatchObject({ cycle: "incremental", summary: { update: 2 } });
    expect(titles(place)).toEqual(["Support", "Support", "Sales"]);
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, unchanged: 3 });
  });

  it("changes nothing if the group is gone: its members are not known", async () => {
    await using place = await createWorkplace(byGroup('IIF(MemberOf("Sales"), "Seller", "Colleague")'));
    place.source.hire("a");
    place.source.namedGroups = { Sales: ["a"] };
    await place.cycle();
    place.source.namedGroups = {};
    await expect(place.cycle()).rejects.toBeInstanceOf(ConfigurationError);
    expect(titles(place)).toEqual(["Seller"]);
  });

  it("is weighed by the guard: values that a list of too few members would replace are held", async () => {
    await using place = await createWorkplace({
      ...byGroup('IIF(MemberOf("Sales"), "Seller", "Colleague")'),
      guard: { ...lenientGuard, maxReplacementPercent: 20, replacementFloor: 1 },
    });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.source.namedGroups = { Sales: ["a", "b", "c"] };
    await place.cycle();
    place.source.namedGroups = { Sales: ["a"] };
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });
    expect(titles(place)).toEqual(["Seller", "Seller", "Seller"]);
    // The list is whole again: nothing is due any more.
    place.source.namedGroups = { Sales: ["a", "b", "c"] };
    expect(await place.cycle()).toMatchObject({ outcome: "done", heldOperations: 0, done: 0 });
  });

  it("raises no alarm of the scope when its group becomes empty", async () => {
    await using place = await createWorkplace({
      ...byGroup('IIF(MemberOf("Sales"), "Seller", "Colleague")', [{ memberOf: "Pilots" }]),
      guard: { ...lenientGuard, deactivationFloor: 1 },
    });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.source.namedGroups = { Sales: ["a", "b", "c"], Pilots: ["a", "b", "c"] };
    await place.cycle();
    place.source.namedGroups = { Sales: [], Pilots: ["a", "b"] };
    const result = await place.cycle();
    expect(result.header.guard.reasons.filter((reason) => reason.includes("Sales"))).toEqual([]);
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
  });
});

describe("a filter on a group", () => {
  const pilots = [{ memberOf: "Pilots" }];

  it("takes members in, and takes people out who leave the group", async () => {
    await using place = await createWorkplace(scoped(pilots));
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.source.namedGroups = { Pilots: ["a", "b"] };
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
    place.source.namedGroups = { Pilots: ["b", "c", "c", "stranger"] };
    const result = await place.cycle();
    expect(result.header).toMatchObject({ cycle: "incremental", summary: { create: 1, deactivate: 1 } });
    expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);
    expect(
      (await place.operations(result.cycleId)).find(({ action }) => action === "deactivate"),
    ).toMatchObject({ reason: 'fails the scoping filter: MEMBER OF "Pilots"' });
    await place.cycle();
    expect(await marked(place)).toEqual([]);
    expect(place.source.reads.filter((read) => read === "group Pilots")).toHaveLength(3);
  });

  it("excludes members if it is negated", async () => {
    await using place = await createWorkplace(scoped([{ notMemberOf: "Externals" }]));
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.namedGroups = { Externals: ["b"] };
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
    place.source.namedGroups = { Externals: ["a"] };
    await place.cycle();
    expect(place.target.active()).toEqual(["b@example.com"]);
  });

  it("deactivates no one if the group is gone, or was not read to its end", async () => {
    await using place = await createWorkplace(scoped(pilots));
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.source.namedGroups = { Pilots: ["a", "b", "c"] };
    await place.cycle();
    place.source.namedGroups = {};
    await expect(place.cycle()).rejects.toBeInstanceOf(ConfigurationError);
    place.source.namedGroups = { Pilots: ["a", "x", "y"] };
    place.source.breakNamedGroup = true;
    await expect(place.cycle()).rejects.toBeInstanceOf(HostUnavailableError);
    expect(place.target.active()).toHaveLength(3);
    place.source.breakNamedGroup = false;
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("holds the changes after a group became empty", async () => {
    await using place = await createWorkplace({
      ...scoped(pilots),
      guard: { ...lenientGuard, deactivationFloor: 1 },
    });
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.namedGroups = { Pilots: ["a", "b"] };
    await place.cycle();
    place.source.namedGroups = { Pilots: [] };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 2, done: 0 });
    expect(held.header.guard.reasons).toEqual([
      'the group "Pilots" of the scoping filters has become empty (2 members before), and 2 accounts would be deactivated',
    ]);
  });

  it("forgets the members of a group that is not in the filters any more", async () => {
    await using place = await createWorkplace(scoped(pilots));
    place.source.hire("a");
    place.source.namedGroups = { Pilots: ["a"] };
    await place.cycle();
    place.settings = { ...place.settings, ...scoped([]) };
    await place.cycle();
    const [candidate] = await place.store.candidates({
      select: "everybody",
      everyoneInScope: true,
      after: "",
      limit: 1,
    });
    expect([...(candidate?.groups ?? ["none"])]).toEqual([]);
  });
});

describe("people who are included by name", () => {
  const nobody = [{ attribute: "department", operator: "EQUALS", value: "none" }];

  it("are in scope without being assigned, whatever the filters say, as long as they exist", async () => {
    await using place = await createWorkplace(scoped(nobody, { include: ["A@example.com", "b"] }));
    for (const id of ["a", "b", "c"]) place.source.hire(id, { department: "Sales" });
    place.source.scope = ["c"];
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
    place.source.change("b", { accountEnabled: false });
    place.source.remove("a", "softDeleted");
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("enter the scope with the listed name, and leave it with that name", async () => {
    await using place = await createWorkplace(scoped(nobody, { include: ["kim@example.com"] }));
    place.source.hire("a", { department: "Sales" });
    place.source.scope = [];
    await place.cycle();
    place.source.change("a", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    expect(place.target.active()).toEqual(["kim@example.com"]);
    place.source.change("a", { userPrincipalName: "lee@example.com" });
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("leave the scope when they are excluded, which is held as a changed scope", async () => {
    await using place = await createWorkplace(scoped([]));
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.settings = { ...place.settings, ...scoped([], { exclude: ["a"], include: ["a"] }) };
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 1, done: 0 });
    expect(held.header.guard.reasons.join()).toContain(
      "entra.scope has changed in the configuration, and 1 account would be deactivated because of it",
    );
    expect((await place.operations(held.cycleId))[0]).toMatchObject({
      action: "deactivate",
      evidence: { kind: "leftScope", detail: "excluded by name (entra.scope.exclude)" },
    });
    // Reverted: everything is as before.
    place.settings = { ...place.settings, ...scoped([]) };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  });

  it("leave the scope when they are no longer included", async () => {
    await using place = await createWorkplace(scoped([], { include: ["a"] }));
    place.source.hire("a");
    place.source.scope = [];
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
    place.settings = { ...place.settings, ...scoped([]) };
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
  });

  it("count among those who share a name", async () => {
    await using place = await createWorkplace(scoped([], { include: ["a"] }));
    for (const id of ["a", "b"]) place.source.hire(id, { userPrincipalName: "kim@example.com" });
    place.source.scope = ["b"];
    await place.cycle();
    expect(place.target.active()).toEqual([]);
    expect((await place.store.skipped({ after: "", limit: 10 })).map(({ code }) => code)).toEqual([
      "duplicateUserName",
      "duplicateUserName",
    ]);
  });
});
