import { describe, expect, it } from "vitest";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const byEmployeeId = mappingOf(
  defaultRules.map((rule) =>
    "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
  ),
);

const skipped = async (place: Workplace) =>
  (await place.store.skipped({ after: "", limit: 999 })).map(({ objectId, code }) => [objectId, code]);

describe("people who map to one externalId", () => {
  it("get no account, neither the first nor the second, and are named", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    for (const id of ["a", "b"]) place.source.hire(id, { employeeId: "7" });
    place.source.hire("c", { employeeId: "8" });
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1, skipped: 2 });
    expect(await place.store.skipped({ after: "", limit: 1 })).toMatchObject([
      {
        objectId: "a",
        code: "duplicateExternalId",
        reason: 'the mapped externalId "7" also belongs to b; make it unique in Entra',
      },
    ]);
    expect([...place.target.accounts.values()].map(({ userName }) => userName)).toEqual(["c@example.com"]);

    place.source.change("b", { employeeId: "9" });
    expect(await place.cycle()).toMatchObject({ done: 2 });
    expect(await skipped(place)).toEqual([]);
  });

  it("are found in different cycles and on different pages of a plan; a person with an account keeps it, and its changes", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("a", { employeeId: "7" });
    for (let number = 0; number < 300; number += 1) {
      place.source.hire(`m${number}`, { employeeId: `m${number}`, accountEnabled: false });
    }
    await place.cycle();
    const account = await place.store.latticeIdOf("a");
    place.source.hire("z", { employeeId: "7" });
    place.source.change("a", { jobTitle: "Lead" });
    await place.cycle();
    expect((await skipped(place)).filter(([, code]) => code !== "disabled")).toEqual([
      ["z", "duplicateExternalId"],
    ]);
    expect(await place.store.latticeIdOf("a")).toBe(account);
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
    await place.cycle({ full: true });
    expect(place.target.accounts.size).toBe(1);
    // The person who has it leaves: the other one is planned again at once.
    place.source.remove("a", "deleted");
    await place.cycle();
    await place.cycle();
    expect(await place.store.latticeIdOf("z")).toBe(account);
  });

  it.each([
    ["when the scope is read", {}],
    ["when one of them is asked for on demand", { only: ["a"] }],
  ])("are planned again when one leaves the scope, %s", async (_name, request) => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.scope = ["a", "b"];
    for (const id of ["a", "b"]) place.source.hire(id, { employeeId: "7" });
    await place.cycle();
    expect(place.target.accounts.size).toBe(0);
    place.source.scope = ["b"];
    await place.cycle(request);
    // Each cycle reads the same scope: only the mark shows that "b" is due.
    await place.cycle();
    expect(
      [...place.target.accounts.values()].map(({ externalId, userName }) => [externalId, userName]),
    ).toEqual([["7", "b@example.com"]]);
  });

  it("are planned again when the disabled one loses the account to another person", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("old", { employeeId: "7" });
    await place.cycle();
    place.source.change("old", { employeeId: "8", accountEnabled: false });
    place.source.hire("next", { employeeId: "8" });
    await place.cycle();
    expect(await skipped(place)).toContainEqual(["next", "duplicateExternalId"]);
    place.source.hire("other", { employeeId: "7" });
    for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle();
    expect(await place.store.latticeIdOf("other")).toBe("lat-1");
    expect(place.target.account("next@example.com").externalId).toBe("8");
  });

  it("are planned again when time takes one out of the scope", async () => {
    const leaves = [{ clauses: [{ attribute: "employeeHireDate", operator: "UP TO DAYS AGO", value: 7 }] }];
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules, leaves) });
    const day = (days: number) => new Date(place.clock.now() - days * 86_400_000).toISOString();
    place.source.hire("a", { employeeId: "7", employeeHireDate: day(6) });
    place.source.hire("b", { employeeId: "7", employeeHireDate: day(0) });
    await place.cycle();
    expect(place.target.accounts.size).toBe(0);
    place.clock.advance(2 * 86_400_000);
    await place.cycle();
    expect([...place.target.accounts.values()].map(({ userName }) => userName)).toEqual(["b@example.com"]);
  });

  it("cost one look-up of the id in a plan", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    for (let number = 0; number < 600; number += 1) place.source.hire(`p${number}`, { employeeId: "7" });
    const { store } = place;
    let keys = 0;
    place.store = new Proxy(store, {
      get: (target, property, receiver) =>
        property === "sharing"
          ? (...asked: Parameters<typeof store.sharing>) => {
              keys += asked[0].length;
              return store.sharing(...asked);
            }
          : Reflect.get(target, property, receiver),
    });
    await place.cycle();
    expect(keys).toBe(1);
    expect((await place.store.skipped({ after: "", limit: 1 }))[0]?.reason).toBe(
      'the mapped externalId "7" also belongs to p1, p10, p100 and 596 more; make it unique in Entra',
    );
  });

  it("are not looked for if the externalId is the object id", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    const [candidate] = await place.store.candidates({
      select: "everybody",
      everyoneInScope: true,
      after: "",
      limit: 1,
    });
    expect(candidate).toMatchObject({ externalIdKey: null, sharesExternalId: false });
  });
});

describe("an account that goes over to the next person with the same externalId", () => {
  it("does not become its own manager if the next person reports to the former one", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("old", { employeeId: "7" });
    await place.cycle();
    place.source.scope = ["new"];
    place.source.hire("new", { employeeId: "7" }, "old");
    for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(place.target.managerOf("new@example.com")).toBeNull();
    expect(place.target.writes.flatMap(({ writes }) => writes.map(({ value }) => value))).not.toContain(
      "lat-1",
    );
  });

  it("does not keep the former owner's manager for the next person, without a full comparison", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("boss", { employeeId: "1" });
    place.source.hire("old", { employeeId: "7" }, "boss");
    await place.cycle();
    const account = await place.store.latticeIdOf("old");
    place.source.scope = ["boss", "new"];
    place.source.hire("new", { employeeId: "7" }, "old");
    for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe(account);
    expect(place.target.managerOf("new@example.com")).toBeNull();
  });

  it("is not given to a newcomer as the manager's account in the same cycle", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("old", { employeeId: "7" });
    await place.cycle();
    place.source.scope = ["new", "report"];
    place.source.hire("new", { employeeId: "7" });
    place.source.hire("report", { employeeId: "8" }, "old");
    await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(place.target.managerOf("report@example.com")).toBeNull();
    expect((await place.store.totals()).waitingForManager).toBe(1);
  });

  it("is not the manager of the former owner's reports, from the next cycle on and without a full comparison", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("old", { employeeId: "7" });
    place.source.hire("report", { employeeId: "8" }, "old");
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("old@example.com");
    place.source.scope = ["report", "new"];
    place.source.hire("new", { employeeId: "7" });
    await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect((await place.store.totals()).waitingForManager).toBe(1);
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    await handedBack(place);
  });

  /** The manager comes back, and gets a new account. */
  const handedBack = async (place: Workplace): Promise<void> => {
    place.source.scope = ["report", "new", "old"];
    place.source.change("new", { employeeId: "9" });
    place.source.change("old", { employeeId: "10" });
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("old@example.com");
  };
});

describe("an externalId that has changed in Entra", () => {
  it("is reported, because it is not sent to Lattice again, until it is written in Lattice", async () => {
    await using place = await createWorkplace({ mapping: byEmployeeId });
    place.source.hire("kim", { employeeId: "7" });
    await place.cycle();
    place.source.change("kim", { employeeId: "9" });
    const result = await place.cycle();
    const told =
      'the Lattice account lat-1 has the external id "7", but Entra now gives this person "9". An external id is sent only with a new account; change this one in Lattice';
    expect(await place.operations(result.cycleId)).toMatchObject([
      { action: "update", status: "done", reason: `employeeNumber changed; ${told}` },
    ]);
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle();
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "kim", code: "externalIdConflict", reason: told },
    ]);
    const account = place.target.account("kim@example.com");
    place.target.accounts.set(account.latticeId, { ...account, externalId: "9" });
    await place.cycle({ full: true });
    expect(await skipped(place)).toEqual([]);
  });

  it("is not reported if settings allow accounts to keep other externalIds", async () => {
    for (const settings of [{ adoptForeignExternalId: true }, { formerOwner: "handOver" as const }]) {
      await using place = await createWorkplace({ mapping: byEmployeeId, ...settings });
      place.source.hire("kim", { employeeId: "7" });
      await place.cycle();
      place.source.change("kim", { employeeId: "9" });
      await place.cycle();
      expect(await skipped(place)).toEqual([]);
    }
  });
});
