import { describe, expect, it } from "vitest";
import { AlreadyExistsError, RecordRejectedError, UnknownOutcomeError } from "../../../src/domain/errors.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const byExternalIdAlone = defaultRules.map((rule) =>
  "target" in rule && rule.target === "userName" ? { target: "userName", source: "userPrincipalName" } : rule,
);

/** An administrator creates an account by hand after the listing; the person is hired in Entra. */
async function madeByHand(
  place: Workplace,
  account: Parameters<Workplace["target"]["add"]>[0],
): Promise<void> {
  await place.cycle();
  place.target.add(account);
  place.source.hire("kim", { jobTitle: "Ours", displayName: "Kim Lee" });
}

const failureOf = async (place: Workplace, cycleId: number) => (await place.operations(cycleId))[0]?.error;

describe("a create that meets an account", () => {
  it("links it as a plan with this knowledge would, and plans the person again", async () => {
    await using place = await createWorkplace();
    await madeByHand(place, { userName: "kim@example.com", active: false, values: { title: "Old" } });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(place.target.account("kim@example.com")).toMatchObject({
      externalId: "kim",
      active: true,
      values: { title: "Ours" },
    });
    expect((await place.cycle()).header.summary).toMatchObject({ unchanged: 1 });
    expect(place.target.accounts.size).toBe(1);
  });

  it("writes nothing to a stranger's account if accounts are matched only by externalId", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(byExternalIdAlone) });
    await madeByHand(place, { userName: "kim@example.com", values: { title: "Theirs" } });
    const result = await place.cycle();
    expect(await failureOf(place, result.cycleId)).toBe(
      "no account was created for kim@example.com, because Lattice already has lat-1 (kim@example.com): the matching attributes of the mapping find none of them; correct it in Lattice, or match by userName",
    );
    expect(place.target.account("kim@example.com")).toMatchObject({
      externalId: null,
      values: { title: "Theirs" },
    });
  });

  it("overwrites and reactivates nothing that the actions forbid, now or after they are switched on", async () => {
    await using place = await createWorkplace({
      actions: { create: true, update: false, deactivate: true },
    });
    await madeByHand(place, { userName: "kim@example.com", values: { title: "Theirs" } });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
    expect(place.target.account("kim@example.com").values.title).toBe("Theirs");
    // A value that was never sent was not acknowledged.
    expect((await place.store.linkOf("kim"))?.acknowledged).toEqual({});
  });

  it("keeps the values of an account with the person's externalId if updates are off", async () => {
    await using place = await createWorkplace({
      actions: { create: true, update: false, deactivate: true },
    });
    await madeByHand(place, { userName: "k@example.com", externalId: "kim", values: { title: "Theirs" } });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
    expect(place.target.account("k@example.com").values).toEqual({ title: "Theirs" });
  });

  it("leaves a link to an account with another person's values to the next plan, which the guard weighs", async () => {
    await using place = await createWorkplace();
    await madeByHand(place, { userName: "kim@example.com", values: { displayName: "Root Admin" } });
    const met = await place.cycle();
    expect(await failureOf(place, met.cycleId)).toBe(
      "Lattice already has the account lat-1 for kim@example.com: the next cycle plans to link it, within the limits of the guard (existing account with the same userName; doubtful: its name is not similar to the person's)",
    );
    expect(place.target.account("kim@example.com").externalId).toBeNull();
    const next = await place.cycle({ dryRun: true });
    expect((await place.operations(next.cycleId))[0]).toMatchObject({
      action: "link",
      doubtful: "its name is not similar to the person's",
    });
  });

  it("remembers the account if it refuses the values, so that no second one is made", async () => {
    await using place = await createWorkplace();
    await madeByHand(place, { userName: "kim@example.com" });
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordRejectedError("not now", { status: 400 });
    };
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    place.target.before = () => {};
    // A server that allows duplicate names would make a second account.
    place.target.unique = false;
    place.target.writes.length = 0;
    await place.cycle();
    expect(place.target.writes.map(({ kind }) => kind)).toEqual(["update"]);
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });

  it("leaves a link that renames the account to the next plan, which the guard weighs", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 0, renameFloor: 0 } });
    await madeByHand(place, { userName: "k@example.com", externalId: "kim" });
    const met = await place.cycle();
    expect(await failureOf(place, met.cycleId)).toContain(
      "the next cycle plans to link it, within the limits of the guard",
    );
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 1 });
    expect(place.target.active()).toEqual(["k@example.com"]);
  });

  it("leaves the account of a person who has left to the next plan, although it was handed over in Lattice", async () => {
    await using place = await createWorkplace();
    place.source.hire("old");
    await place.cycle();
    place.source.remove("old", "deleted");
    for (let round = 0; round < 2; round += 1) await place.cycle();
    const account = place.target.account("old@example.com");
    place.target.accounts.set("lat-1", { ...account, userName: "new@example.com", externalId: "new" });
    place.source.hire("new");
    const met = await place.cycle();
    expect(await failureOf(place, met.cycleId)).toContain(
      "the next cycle plans to link it, within the limits of the guard",
    );
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(place.target.active()).toEqual(["new@example.com"]);
  });

  it("never changes a protected account", async () => {
    await using place = await createWorkplace({ protectedAccounts: new Set(["lat-1"]) });
    await madeByHand(place, { userName: "kim@example.com" });
    const result = await place.cycle();
    expect(await failureOf(place, result.cycleId)).toContain("is protected (matching.protected)");
    expect(place.target.account("kim@example.com").externalId).toBeNull();
  });

  it("adopts an account with another system's externalId only if the configuration allows it", async () => {
    for (const adoptForeignExternalId of [false, true]) {
      await using place = await createWorkplace({ adoptForeignExternalId });
      await madeByHand(place, { userName: "kim@example.com", externalId: "former-7" });
      const result = await place.cycle();
      expect(result.done).toBe(adoptForeignExternalId ? 1 : 0);
      if (!adoptForeignExternalId) expect(await failureOf(place, result.cycleId)).toContain('"former-7"');
    }
  });

  it("recognises its own account by the externalId if its answer was lost, and completes it", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(byExternalIdAlone) });
    await place.cycle();
    place.source.hire("kim", { jobTitle: "Ours" });
    place.target.after = ({ kind }) => {
      if (kind === "create") throw new UnknownOutcomeError("no answer came");
    };
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(place.target.accounts.size).toBe(1);
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });

  /** Answers the creates with the account of that Lattice id. @param makes whether the create makes an account too */
  const answerWith = ({ target }: Workplace, latticeId: string, makes: boolean): void => {
    const { create } = target;
    target.unique = false;
    target.create = async (writes, signal) => {
      if (makes) await create(writes, signal);
      const user = target.accounts.get(latticeId);
      if (user === undefined) throw new Error(`Lattice has no account ${latticeId}`);
      return { user, status: 200, requestId: undefined };
    };
  };

  it("links the account that it made, although the answer shows another one with the same userName", async () => {
    await using place = await createWorkplace();
    await madeByHand(place, { userName: "kim@example.com" });
    answerWith(place, "lat-1", true);
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-2");
    expect(place.target.accounts.get("lat-1")).toMatchObject({ externalId: null, values: {} });
  });

  it("does not take an account that the answer shows again for one that it made", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(byExternalIdAlone) });
    place.target.add({ userName: "kim@example.com" });
    await place.cycle();
    place.source.hire("kim", { jobTitle: "Ours" });
    answerWith(place, "lat-1", false);
    const result = await place.cycle();
    expect(await failureOf(place, result.cycleId)).toContain(
      "no account was created for kim@example.com, because Lattice already has lat-1",
    );
    expect(await place.store.latticeIdOf("kim")).toBeNull();
    expect(place.target.accounts.get("lat-1")).toMatchObject({ externalId: null, values: {} });
  });

  it("leaves an account with other values, which the answer shows, to the guard", async () => {
    await using place = await createWorkplace();
    await madeByHand(place, { userName: "kim@example.com", values: { displayName: "Root Admin" } });
    answerWith(place, "lat-1", false);
    const result = await place.cycle();
    expect(await failureOf(place, result.cycleId)).toContain(
      "Lattice already has the account lat-1 for kim@example.com: the next cycle plans to link it, within the limits of the guard",
    );
    expect(await place.store.latticeIdOf("kim")).toBeNull();
  });

  it("adopts an unlinked one and updates it", async () => {
    await using place = await createWorkplace();
    await place.cycle();
    // Made in Lattice by hand after the listing.
    place.target.add({ userName: "new@example.com", active: false });
    place.source.hire("new", { jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.accounts.size).toBe(1);
    expect(place.target.account("new@example.com")).toMatchObject({
      externalId: "new",
      active: true,
      values: { title: "Analyst" },
    });
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ unchanged: 1, update: 0 });
  });

  it("does not adopt one with another system's externalId", async () => {
    await using place = await createWorkplace();
    await place.cycle();
    place.target.add({ userName: "new@example.com", externalId: "from-another-system" });
    place.source.hire("new");
    const result = await place.cycle();
    expect(result.failed).toBe(1);
    expect((await place.operations(result.cycleId))[0]?.error).toContain("from-another-system");
    expect(place.target.account("new@example.com").values).toEqual({});
  });

  it("never takes an account that is linked to another person, with an externalId or without", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    // A Lattice that does not keep external ids.
    place.target.normalise = (path, value) => (path === "externalId" ? null : value);
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    // A newcomer gets the name; the rename of the old account fails, and the newcomer's create meets the account.
    place.source.change("old", { userPrincipalName: "kim.old@example.com" });
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordRejectedError("not now", { status: 400 });
    };
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(await place.store.latticeIdOf("new")).toBeNull();
    place.target.before = () => {};
    await place.cycle();
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(place.target.active()).toEqual(["kim.old@example.com", "kim@example.com"]);
  });

  it("fails only for this person if the account cannot be found", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b");
    place.target.before = ({ userName }) => {
      if (userName === "a@example.com") throw new AlreadyExistsError("there is one", { status: 409 });
    };
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 1, failed: 1 });
  });
});
