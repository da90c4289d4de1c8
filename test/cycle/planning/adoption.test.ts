import { describe, expect, it } from "vitest";
import { RecordGoneError, RecordRejectedError, UnknownOutcomeError } from "../../../src/domain/errors.ts";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

describe("an account that was listed in an earlier cycle", () => {
  it("is read again before it is adopted, and not adopted if its userName has changed since", async () => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "kim@example.com", values: { title: "Theirs" } });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...account, userName: "another@example.com" });
    place.source.hire("kim", { jobTitle: "Ours" });
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      status: "failed",
      error: expect.stringMatching(
        /^the Lattice account lat-1 has changed since it was matched: .*; the next cycle matches the person again$/,
      ),
    });
    expect(place.target.account("another@example.com").values.title).toBe("Theirs");
    // Matched again, not given up: no account has the name any more.
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.account("kim@example.com")).toMatchObject({ externalId: "kim" });
    expect(place.target.account("another@example.com")).toMatchObject({ externalId: null });
  });

  it("is adopted if it still matches by another attribute", async () => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "kim@example.com", externalId: "kim" });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...account, userName: "kim.lee@example.com" });
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
    // The next plan corrects the name that it has got since.
    await place.cycle({ full: true });
    expect(place.target.account("kim@example.com").latticeId).toBe("lat-1");
  });

  it("is planned again if it was switched off since: a new hire is not inactive until the next listing", async () => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "kim@example.com" });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...account, active: false });
    place.source.hire("kim");
    await place.cycle();
    expect((await place.cycle()).header).toMatchObject({
      cycle: "incremental",
      summary: { reactivate: 1 },
    });
    expect(place.target.account("kim@example.com").active).toBe(true);
    expect((await place.cycle()).header.summary).toMatchObject({ unchanged: 1, reactivate: 0 });
  });

  it("is planned again if a value has changed since, which the plan did not know", async () => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "kim@example.com", values: { title: "Analyst" } });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...account, values: { title: "Edited" } });
    place.source.hire("kim", { jobTitle: "Analyst" });
    await place.cycle();
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Analyst");
  });

  it("is not read again in the cycle that listed it", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.source.hire("kim");
    await place.cycle();
    expect(place.target.reads).toEqual(["list"]);
  });
});

it("an externalId that is shown in another form than it was sent is never acknowledged", async () => {
  await using place = await createWorkplace();
  place.target.add({ userName: "kim@example.com" });
  place.target.normalise = (path, value) => (path === "externalId" ? "another" : value);
  place.source.hire("kim");
  await place.cycle();
  const link = await place.store.linkOf("kim");
  expect(link?.externalId).toBe("another");
  expect(link?.acknowledged).toEqual({});
});

describe("an answer to a create", () => {
  const employee = defaultRules.map((rule) =>
    "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
  );

  it("that shows another person's account takes no link away", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    place.target.create = async () => ({
      user: place.target.account("kim@example.com"),
      status: 200,
      requestId: undefined,
    });
    place.source.hire("lee");
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      status: "failed",
      error: "the Lattice account lat-1 matches lee@example.com, but belongs to the person kim",
    });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
    expect(await place.store.latticeIdOf("lee")).toBeNull();
  });

  it.each(["never came", "shows a stranger's account"])(
    "that %s takes no link away, whatever externalId the found account has by then",
    async (answer) => {
      await using place = await createWorkplace();
      const stranger = place.target.add({ userName: "other@example.com", externalId: "1001" });
      place.source.hire("kim");
      await place.cycle();
      const kims = place.target.account("kim@example.com");
      place.target.accounts.set(kims.latticeId, { ...kims, externalId: "lee" });
      place.target.create = async () => {
        if (answer === "never came") throw new UnknownOutcomeError("no answer");
        return { user: stranger, status: 200, requestId: undefined };
      };
      place.source.hire("lee");
      const result = await place.cycle();
      expect((await place.operations(result.cycleId))[0]?.error).toBe(
        `the Lattice account ${kims.latticeId} matches lee@example.com, but belongs to the person kim`,
      );
      expect(await place.store.latticeIdOf("kim")).toBe(kims.latticeId);
      expect(await place.store.latticeIdOf("lee")).toBeNull();
    },
  );

  it("that shows another externalId than was sent shows a stranger's account, and the id is never acknowledged", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(employee) });
    const stranger = place.target.add({ userName: "other@example.com", externalId: "1001" });
    await place.cycle();
    place.target.create = async () => ({ user: stranger, status: 200, requestId: undefined });
    place.source.hire("kim", { employeeId: "7" });
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      status: "failed",
      error:
        'Lattice answered the create of kim@example.com with the account lat-1, which has the external id "1001". That is another person\'s account and is not linked; correct it in Lattice',
    });
    expect(await place.store.latticeIdOf("kim")).toBeNull();
    expect((await place.store.accountOf("lat-1"))?.acknowledged).toEqual({});
  });

  it("that shows another's externalId next to the person's own userName is reported by each plan from then on", async () => {
    await using place = await createWorkplace();
    await place.cycle();
    const stranger = place.target.add({ userName: "kim@example.com", externalId: "1001" });
    place.target.create = async () => ({ user: stranger, status: 200, requestId: undefined });
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.cycle()).toMatchObject({ failed: 0, header: { summary: { create: 0, skipped: 1 } } });
    expect(await place.store.countSkipped()).toEqual(new Map([["externalIdConflict", 1]]));
  });

  it("that shows a stranger's account although one was made leads to the one that was made, and to no second one", async () => {
    await using place = await createWorkplace();
    place.target.unique = false;
    const stranger = place.target.add({ userName: "other@example.com", externalId: "1001" });
    await place.cycle();
    const { create } = place.target;
    place.target.create = async (writes, signal) => ({ ...(await create(writes, signal)), user: stranger });
    place.source.hire("kim");
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]).toMatchObject({ status: "done" });
    const made = [...place.target.accounts.values()].filter(({ externalId }) => externalId === "kim");
    expect(made).toHaveLength(1);
    expect(await place.store.latticeIdOf("kim")).toBe(made[0]?.latticeId);
  });
});

describe("an account that matches two people who are both disabled and without an account", () => {
  it("belongs to neither if it has the userName of both", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    for (const id of ["a", "b"]) {
      place.source.hire(id, { userPrincipalName: "kim@example.com", accountEnabled: false });
    }
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(
      (await place.store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]),
    ).toEqual([
      ["a", "duplicateUserName"],
      ["b", "duplicateUserName"],
    ]);
    // If one of them leaves, the other one gets the account, and it is deactivated.
    place.source.change("b", { userPrincipalName: "lee@example.com" });
    await place.cycle();
    expect(place.target.account("kim@example.com")).toMatchObject({ externalId: "a", active: false });
  });

  it("belongs to the person whose externalId it carries, whichever person has its userName", async () => {
    await using place = await createWorkplace({ adoptForeignExternalId: true });
    place.target.add({ userName: "kim@example.com", externalId: "b" });
    place.source.hire("a", { userPrincipalName: "kim@example.com", accountEnabled: false });
    place.source.hire("b", { userPrincipalName: "lee@example.com", accountEnabled: false });
    await place.cycle();
    expect(await place.store.latticeIdOf("b")).toBe("lat-1");
    expect(await place.store.latticeIdOf("a")).toBeNull();
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "a", code: "externalIdOfAnother" },
    ]);
    expect(place.target.account("lee@example.com")).toMatchObject({ externalId: "b", active: false });
  });
});

describe("an account that is switched off when it is adopted", () => {
  it("gets its externalId although another value is refused, because it is sent at no other time", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "title"))
        throw new RecordRejectedError("no such title", { status: 400 });
    };
    place.source.hire("kim", { accountEnabled: false, jobTitle: "Refused" });
    await place.cycle();
    expect(place.target.account("kim@example.com")).toMatchObject({ active: false, externalId: "kim" });
  });

  it("is only switched off if it does not accept the externalId", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "externalId"))
        throw new RecordRejectedError("no such id", { status: 400 });
    };
    place.source.hire("kim", { accountEnabled: false, jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });
});

describe("two people whose plan is to be linked to one account", () => {
  it("do not both get it, although neither link is on disk yet: the second person is matched again", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "a@example.com" });
    for (const id of ["a", "b"]) place.source.hire(id);
    const { store } = place;
    // As a fault of the matching would do.
    const matches: typeof store.matches = async (requests) => {
      const found = await store.matches(requests);
      const [account] = [...found.values()].flatMap(({ byUserName }) => byUserName);
      if (account === undefined) return found;
      return new Map([...found].map(([id, answer]) => [id, { ...answer, byUserName: [account] }]));
    };
    place.store = new Proxy(store, {
      get: (target, property, receiver) =>
        property === "matches" ? matches : Reflect.get(target, property, receiver),
    });
    const { cycleId } = await place.cycle();
    expect(await place.operations(cycleId)).toMatchObject([
      { objectId: "a", status: "done" },
      {
        objectId: "b",
        status: "failed",
        error: "the Lattice account lat-1 matches b@example.com, but this cycle links it to the person a",
      },
    ]);
    expect(place.target.account("a@example.com").externalId).toBe("a");
  });
});

describe("two accounts that could both be the person's", () => {
  it.each([
    ["userName", { userName: "kim@example.com" }],
    ["externalId", { externalId: "kim" }],
  ])("are neither linked nor written if they share the %s, and both are named", async (attribute, shared) => {
    await using place = await createWorkplace();
    place.target.unique = false;
    for (const userName of ["one@example.com", "two@example.com"]) place.target.add({ userName, ...shared });
    place.source.hire("kim");
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        code: "ambiguousMatch",
        reason: `several Lattice accounts have this ${attribute}: lat-1, lat-2; correct it in Lattice`,
      },
    ]);
  });
});

describe("an account that matches differently when it is read again", () => {
  it("is not linked if another account is the person's by then", async () => {
    await using place = await createWorkplace();
    const first = place.target.add({ userName: "other@example.com", externalId: "kim" });
    const second = place.target.add({ userName: "kim@example.com" });
    await place.cycle();
    place.target.accounts.set(first.latticeId, { ...first, externalId: "stranger" });
    place.source.hire("kim", { jobTitle: "Ours" });
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    expect(place.target.accounts.get(first.latticeId)).toMatchObject({ externalId: "stranger", values: {} });
    await place.cycle();
    expect(await place.store.latticeIdOf("kim")).toBe(second.latticeId);
  });

  it("is not linked if its values then point to another person, which the guard has not weighed", async () => {
    await using place = await createWorkplace({ adoptForeignExternalId: true });
    const account = place.target.add({ userName: "kim@example.com", values: { displayName: "Kim Lee" } });
    await place.cycle();
    const values = { displayName: "Root Admin" };
    place.target.accounts.set(account.latticeId, { ...account, externalId: "former-7", values });
    place.source.hire("kim", { displayName: "Kim Lee", jobTitle: "Ours" });
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    expect(place.target.account("kim@example.com").values).toEqual(values);
    const next = await place.cycle({ dryRun: true });
    expect((await place.operations(next.cycleId))[0]).toMatchObject({
      action: "link",
      doubtful: "its name is not similar to the person's",
    });
  });
});

describe("an account with the person's externalId that answers 404 to a write", () => {
  it("is not linked", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com", externalId: "kim" });
    place.target.add({ userName: "other@example.com" });
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordGoneError("no such account", { status: 404 });
    };
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.store.latticeIdOf("kim")).toBeNull();
    place.target.before = () => {};
    await place.cycle();
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });
});

describe("an account with an externalId, if the mapping has none", () => {
  it("is matched by userName: nothing shows that it belongs to another person", async () => {
    const rules = defaultRules.filter((rule) => !("target" in rule && rule.target === "externalId"));
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.target.add({ userName: "kim@example.com", externalId: "former-7" });
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ done: 1, header: { summary: { link: 1, create: 0 } } });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });
});

describe("an account that is matched only by userName, and refuses the externalId", () => {
  it.each([
    { when: "before", listed: true },
    { when: "after", listed: false },
  ])(
    "belongs to nobody until it accepts it, and is not switched off for a person who leaves in between (made $when the listing)",
    async ({ listed }) => {
      await using place = await createWorkplace();
      const add = () => place.target.add({ userName: "kim@example.com" });
      if (listed) add();
      await place.cycle();
      if (!listed) add();
      place.target.before = ({ kind }) => {
        if (kind === "update") throw new RecordRejectedError("not allowed", { status: 400 });
      };
      place.source.hire("kim");
      expect(await place.cycle()).toMatchObject({ failed: 1 });
      expect(await place.store.latticeIdOf("kim")).toBeNull();
      place.target.before = () => {};
      place.source.remove("kim", "deleted");
      await place.cycle();
      await place.cycle({ full: true });
      expect(place.target.active()).toEqual(["kim@example.com"]);
    },
  );
});
