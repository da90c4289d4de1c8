import { describe, expect, it } from "vitest";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const codes = async (place: Workplace) =>
  (await place.store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]);

/** A person who left, with a deactivated account, and a new person with the same userName. */
async function successor(
  place: Workplace,
  { gone = "deleted" }: { readonly gone?: "deleted" | "softDeleted" } = {},
): Promise<void> {
  place.source.hire("old", { userPrincipalName: "kim@example.com", jobTitle: "Analyst" });
  await place.cycle();
  place.source.remove("old", gone);
  await place.cycle();
  place.source.hire("new", { userPrincipalName: "kim@example.com", jobTitle: "Director" });
  place.target.writes.length = 0;
}

describe("the account of a deleted person whose userName another person has now", () => {
  it.each(["deleted", "softDeleted"] as const)(
    "is reported with its former owner and two solutions (%s)",
    async (gone) => {
      await using place = await createWorkplace();
      await successor(place, { gone });
      await place.cycle();
      const [skipped] = await place.store.skipped({ after: "", limit: 9 });
      expect(skipped).toEqual({
        objectId: "new",
        userName: "kim@example.com",
        code: "formerOwner",
        reason:
          "the Lattice account lat-1 with this userName belongs to kim@example.com (old), deleted in Entra since 2026-11-23. Either hand the account over (matching.formerOwner: handOver, or set its externalId in Lattice to new), or free the name (rename that account in Lattice, or disconnect it there and change its address)",
      });
      expect(place.target.writes).toEqual([]);
    },
  );

  it("belongs to the next person if that person's object id was written into it", async () => {
    await using place = await createWorkplace();
    await successor(place);
    await place.cycle();
    place.target.accounts.set("lat-1", { ...place.target.account("kim@example.com"), externalId: "new" });
    const result = await place.cycle({ full: true });
    expect((await place.operations(result.cycleId))[0]).toMatchObject({
      action: "reactivate",
      formerOwner: "old",
      reason:
        "existing inactive account with the same userName, until now the account of kim@example.com (old)",
    });
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(await place.store.latticeIdOf("old")).toBeNull();
    expect(place.target.account("kim@example.com")).toMatchObject({
      active: true,
      values: { title: "Director" },
    });
    expect((await place.cycle()).header.summary).toMatchObject({ unchanged: 1, skipped: 0 });
  });

  it.each([
    ["has the new object id", {}, "new"],
    ["has an employeeId that both have", { employeeId: "7" }, "7"],
  ])(
    "becomes the next person's at once if it %s: it is not switched off in between",
    async (_name, attributes, externalId) => {
      const rules = defaultRules.map((rule) =>
        externalId === "7" && "target" in rule && rule.target === "externalId"
          ? { ...rule, source: "employeeId" }
          : rule,
      );
      await using place = await createWorkplace({ mapping: mappingOf(rules) });
      place.source.hire("old", { userPrincipalName: "kim@example.com", ...attributes });
      await place.cycle();
      place.target.accounts.set("lat-1", { ...place.target.account("kim@example.com"), externalId });
      place.source.remove("old", "deleted");
      place.source.hire("new", { userPrincipalName: "kim@example.com", ...attributes });
      place.target.writes.length = 0;
      await place.cycle({ full: true });
      await place.cycle();
      expect(await place.store.latticeIdOf("new")).toBe("lat-1");
      expect(await place.store.latticeIdOf("old")).toBeNull();
      const switched = place.target.writes.flatMap(({ writes }) =>
        writes.filter(({ path }) => path === "active"),
      );
      expect(switched).toEqual([]);
      expect((await place.cycle()).header.summary).toMatchObject({ unchanged: 1, skipped: 0 });
    },
  );

  it("is switched off nevertheless if the person whose externalId it carries cannot take it", async () => {
    await using place = await createWorkplace();
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...place.target.account("kim@example.com"), externalId: "new" });
    place.source.remove("old", "deleted");
    place.source.hire("new", { userPrincipalName: "no address" });
    await place.cycle({ full: true });
    expect(place.target.account("kim@example.com").active).toBe(false);
  });

  it("is handed over by setting, once the changes due for the former owner are done", async () => {
    await using place = await createWorkplace({ formerOwner: "handOver" });
    place.source.hire("zoe", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.remove("zoe", "deleted");
    place.source.hire("ann", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
    expect(await codes(place)).toEqual([["ann", "formerOwner"]]);
    await place.cycle();
    expect(await place.store.latticeIdOf("ann")).toBe("lat-1");
    expect(place.target.account("kim@example.com").active).toBe(true);
    expect((await place.cycle()).header.summary).toMatchObject({ unchanged: 1, skipped: 0 });
    expect(place.target.accounts.size).toBe(1);
  });

  it("allows a new account if the name was freed in Lattice", async () => {
    await using place = await createWorkplace();
    await successor(place);
    await place.cycle();
    const account = place.target.account("kim@example.com");
    place.target.accounts.set("lat-1", { ...account, userName: "kim.before@example.com" });
    await place.cycle({ full: true });
    expect(place.target.account("kim@example.com")).toMatchObject({ externalId: "new", active: true });
    expect(place.target.account("kim.before@example.com").active).toBe(false);
  });

  it("is not handed over while its owner exists and is in scope", async () => {
    await using place = await createWorkplace({ formerOwner: "handOver" });
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.change("old", { userPrincipalName: "no address" });
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(await codes(place)).toEqual([
      ["new", "linkedToAnother"],
      ["old", "invalidUserName"],
    ]);
    // Also without a full comparison after the person is gone.
    place.source.remove("old", "deleted");
    for (let round = 0; round < 3; round += 1) await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(place.target.active()).toEqual(["kim@example.com"]);
  });
});

describe("an account that carries another person's externalId than the linked person's", () => {
  it("becomes that person's when the linked one leaves, without a full comparison", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["old", "new"];
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.target.accounts.set("lat-1", { ...place.target.account("kim@example.com"), externalId: "new" });
    place.source.hire("new", { userPrincipalName: "kim.lee@example.com" });
    await place.cycle({ full: true });
    expect(await codes(place)).toContainEqual(["new", "linkedToAnother"]);
    place.source.change("old", { accountEnabled: false });
    for (let round = 0; round < 3; round += 1) await place.cycle();
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
    expect(place.target.active()).toEqual(["kim.lee@example.com"]);
  });
});

describe("a leaver who has another userName in Entra", () => {
  it("gives up the old one in Lattice if the next person needs it, and keeps it otherwise", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["old"];
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.scope = [];
    await place.cycle();
    place.source.change("old", { userPrincipalName: "kim.old@example.com", jobTitle: "Guest" });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);

    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    place.source.scope = ["new"];
    for (let cycle = 0; cycle < 3; cycle += 1) await place.cycle();
    expect(place.target.account("kim.old@example.com")).toMatchObject({
      externalId: "old",
      active: false,
      values: { displayName: "old" },
    });
    expect(place.target.account("kim@example.com")).toMatchObject({ externalId: "new", active: true });
  });
});

describe("a user principal name that went to another person", () => {
  it("means the living person, whether already known or not", async () => {
    await using place = await createWorkplace();
    place.source.hire("aaa", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.remove("aaa", "deleted");
    await place.cycle();
    place.source.hire("bbb", { userPrincipalName: "kim@example.com" });
    const unknown = await place.cycle({ only: ["kim@example.com"], dryRun: true });
    expect(unknown.onDemand?.people).toEqual(["bbb"]);
    await place.cycle();
    expect((await place.store.findSource("kim@example.com"))?.objectId).toBe("bbb");
    expect((await place.cycle({ only: ["aaa"] })).onDemand?.people).toEqual(["aaa"]);
  });
});
