import { describe, expect, it } from "vitest";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const skipped = async (place: Workplace) =>
  (await place.store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]);

/** An administrator of Lattice writes an externalId into a person's account. */
function edit(place: Workplace, userName: string, externalId: string): void {
  const account = place.target.account(userName);
  place.target.accounts.set(account.latticeId, { ...account, externalId });
}

const switches = (place: Workplace) =>
  place.target.writes.flatMap(({ writes }) => writes.filter(({ path }) => path === "active"));

/** `kim` has an account that gets the externalId of `lee`, who has no account yet. */
async function relabelled(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  place.source.hire("kim", { jobTitle: "Analyst" });
  await place.cycle();
  edit(place, "kim@example.com", "lee");
  place.source.hire("lee");
  place.source.change("kim", { jobTitle: "Director" });
  place.target.writes.length = 0;
  await place.cycle({ full: true });
  return place;
}

describe("a linked account into which another person's externalId was written in Lattice", () => {
  it("is written for neither person while both are in scope, and both are reported", async () => {
    await using place = await relabelled();
    expect(place.target.writes).toEqual([]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        objectId: "kim",
        code: "externalIdOfAnother",
        reason: `the Lattice account lat-1, linked to this person, has the external id "lee" of lee@example.com (lee): it is not changed. If it is this person's account, set its external id in Lattice to "kim"; if it is the other person's, take this person out of the scope for one cycle`,
      },
      {
        objectId: "lee",
        code: "linkedToAnother",
        reason:
          "the Lattice account lat-1 with this externalId belongs to kim@example.com (kim), who is in scope; it is linked to this person when they have left",
      },
    ]);
  });

  it("is treated as before when it has its own externalId again", async () => {
    await using place = await relabelled();
    edit(place, "kim@example.com", "kim");
    await place.cycle({ full: true });
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Director");
    expect(place.target.account("lee@example.com").externalId).toBe("lee");
    expect(await skipped(place)).toEqual([]);
  });

  it("is treated as before when the other person has left", async () => {
    await using place = await relabelled();
    place.source.remove("lee", "deleted");
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Director");
    await place.cycle();
    expect(await skipped(place)).toEqual([["kim", "externalIdConflict"]]);
  });

  it.each([
    ["is disabled", (place: Workplace) => place.source.change("kim", { accountEnabled: false })],
    ["is deleted", (place: Workplace) => place.source.remove("kim", "deleted")],
  ])(
    "becomes the other person's if the one who had it %s, and is not switched off for that",
    async (_, leave) => {
      await using place = await relabelled();
      leave(place);
      for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle();
      expect(await place.store.latticeIdOf("lee")).toBe("lat-1");
      expect(await place.store.latticeIdOf("kim")).toBeNull();
      expect(switches(place)).toEqual([]);
      expect(place.target.account("lee@example.com")).toMatchObject({ active: true, externalId: "lee" });
      expect((await skipped(place)).map(([, code]) => code)).not.toContain("linkedToAnother");
    },
  );

  it("is detected by the mapped externalId, whatever its source is and however often it is sent", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId"
        ? { target: "externalId", source: "employeeId", matchingPrecedence: 2 }
        : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("kim", { employeeId: "1" });
    await place.cycle();
    edit(place, "kim@example.com", "2");
    place.source.hire("lee", { employeeId: "2" });
    place.target.writes.length = 0;
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    expect(await skipped(place)).toEqual([
      ["kim", "externalIdOfAnother"],
      ["lee", "linkedToAnother"],
    ]);
  });

  it.each([
    ["before", "aaron"],
    ["behind", "zoe"],
  ])("is written for neither if a disabled person shares the externalId, %s the other", async (_, other) => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("kim", { employeeId: "1" });
    place.source.hire("lee", { employeeId: "3" });
    place.source.hire(other, { employeeId: "4" });
    await place.cycle();
    place.source.change("lee", { employeeId: "2" });
    place.source.change(other, { employeeId: "2", accountEnabled: false });
    await place.cycle();
    edit(place, "kim@example.com", "2");
    place.source.change("kim", { jobTitle: "Director" });
    place.target.writes.length = 0;
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    expect(await skipped(place)).toContainEqual(["kim", "externalIdOfAnother"]);
  });

  it("is reported for both people if two accounts have one another's externalIds", async () => {
    await using place = await createWorkplace();
    for (const id of ["kim", "lee"]) place.source.hire(id);
    await place.cycle();
    edit(place, "kim@example.com", "lee");
    edit(place, "lee@example.com", "kim");
    place.source.change("kim", { jobTitle: "Director" });
    place.target.writes.length = 0;
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    expect(await skipped(place)).toEqual([
      ["kim", "externalIdOfAnother"],
      ["lee", "externalIdOfAnother"],
    ]);
  });

  it("stays the first person's, and is reported, if the other person has an account with the same externalId", async () => {
    await using place = await createWorkplace();
    place.target.unique = false;
    for (const id of ["kim", "lee"]) place.source.hire(id);
    await place.cycle();
    edit(place, "kim@example.com", "lee");
    await place.cycle({ full: true });
    expect(await skipped(place)).toEqual([["kim", "externalIdConflict"]]);
    place.source.change("kim", { jobTitle: "Director" });
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Director");
    place.source.remove("kim", "deleted");
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
    expect(place.target.account("lee@example.com").active).toBe(true);
  });
});

describe("an account whose externalId was changed in Lattice since it was listed", () => {
  it("is read before it is switched off, and becomes the person's whose externalId it carries", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    edit(place, "kim@example.com", "lee");
    place.source.hire("lee", { userPrincipalName: "kim@example.com" });
    place.source.remove("kim", "deleted");
    place.target.writes.length = 0;
    const result = await place.cycle();
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      action: "deactivate",
      status: "failed",
      error:
        'the Lattice account lat-1 got the external id "lee" in Lattice since it was listed, and is not deactivated before the next cycle: the Lattice account lat-1 has the externalId of kim@example.com and is handed over to them: it is not deactivated',
    });
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle();
    expect(await place.store.latticeIdOf("lee")).toBe("lat-1");
    expect(switches(place)).toEqual([]);
  });

  it("is switched off nevertheless if no person has the externalId", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    edit(place, "kim@example.com", "old-system-7");
    place.source.remove("kim", "deleted");
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });

  it("is switched off nevertheless if it cannot be read", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    place.target.get = async () => {
      throw new RecordRejectedError("no reading", { status: 403 });
    };
    place.source.remove("kim", "deleted");
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });
});

describe("a linked account whose externalId was changed in Lattice to one that no person has", () => {
  it("is reported in the same cycle, is written as before, and is switched off for a leaver", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    edit(place, "kim@example.com", "old-system-7");
    await place.cycle({ full: true });
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        code: "externalIdConflict",
        reason:
          'the external id of the Lattice account lat-1 was changed to "old-system-7" in Lattice, which no person in scope has; change it back to "kim" in Lattice',
      },
    ]);
    place.source.change("kim", { jobTitle: "Director" });
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Director");
    place.source.change("kim", { accountEnabled: false });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });

  it("is no longer reported after it is written back", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    edit(place, "kim@example.com", "old-system-7");
    await place.cycle({ full: true });
    edit(place, "kim@example.com", "kim");
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ unchanged: 1, skipped: 0 });
  });

  it("is not reported if it was adopted with another system's externalId by setting", async () => {
    await using place = await createWorkplace({ adoptForeignExternalId: true });
    place.target.add({ userName: "kim@example.com", externalId: "old-system-7" });
    place.source.hire("kim");
    await place.cycle();
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ unchanged: 1, skipped: 0 });
  });
});

describe("an unlinked account that carries a living person's externalId", () => {
  it("is not adopted by another person for its userName, although the setting allows externalIds of other systems", async () => {
    await using place = await createWorkplace({
      adoptForeignExternalId: true,
      mapping: mappingOf(defaultRules),
    });
    place.target.add({ userName: "kim@example.com", externalId: "lee" });
    place.source.hire("kim");
    place.source.hire("lee", { userPrincipalName: "no address" });
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await skipped(place)).toEqual([
      ["kim", "externalIdOfAnother"],
      ["lee", "invalidUserName"],
    ]);
    place.source.remove("lee", "deleted");
    await place.cycle();
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });

  it("has the person who could not get it planned again when its externalId is corrected", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com", externalId: "old-system-7" });
    place.source.hire("kim");
    await place.cycle();
    expect(await skipped(place)).toEqual([["kim", "externalIdConflict"]]);
    edit(place, "kim@example.com", "kim");
    await place.cycle({ full: true });
    expect(await place.store.latticeIdOf("kim")).toBe("lat-1");
  });
});
