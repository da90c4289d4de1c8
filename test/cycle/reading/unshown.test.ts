import { describe, expect, it } from "vitest";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

async function company(place: Workplace): Promise<void> {
  place.source.hire("boss", { jobTitle: "Director" });
  place.source.hire("ann", { jobTitle: "Analyst", department: "Sales" }, "boss");
  place.source.hire("ben", { jobTitle: "Clerk" });
  await place.cycle();
  place.source.change("ben", { accountEnabled: false });
  await place.cycle();
}

const skippedCodes = async (place: Workplace): Promise<readonly string[]> =>
  (await place.store.skipped({ after: "", limit: 99 })).map(({ objectId, code }) => `${objectId} ${code}`);

describe("a property that Entra no longer shows for any person", () => {
  it("deactivates, reactivates and creates no one if it is accountEnabled", async () => {
    await using place = await createWorkplace();
    await company(place);
    const before = place.target.active();
    place.source.unshown = ["accountEnabled"];
    place.source.permissions = ["User.ReadBasic.All"];
    place.source.hire("new");
    place.source.change("ann", { jobTitle: "Lead" });
    const result = await place.cycle({ full: true });
    expect(result.header.summary).toMatchObject({ create: 0, reactivate: 0, deactivate: 0, update: 1 });
    expect(place.target.active()).toEqual(before);
    expect(place.target.account("ann@example.com").values.title).toBe("Lead");
    expect(await skippedCodes(place)).toEqual(["new propertyNotShown"]);
    expect(result.header.notes).toEqual([
      "Entra did not show accountEnabled (4 of 4 people). The last known values are kept, and nothing is created, reactivated, deactivated or cleared because of this. The token's permissions are User.ReadBasic.All; it needs User.Read.All.",
    ]);
    // It is reported until everybody has been read with it.
    expect((await place.cycle()).header.notes).toEqual(result.header.notes);

    place.source.unshown = [];
    const mended = await place.cycle({ full: true });
    expect(mended.header.notes).toEqual([]);
    expect(mended.header.summary).toMatchObject({ create: 1, reactivate: 0, deactivate: 0 });
    expect(await skippedCodes(place)).toEqual([]);
  });

  it("does not change active on an account that is found by matching while the person's property is unknown", async () => {
    await using place = await createWorkplace();
    await company(place);
    const before = place.target.active();
    await using other = await createWorkplace();
    for (const id of ["boss", "ann", "ben"]) other.source.hire(id, { accountEnabled: true });
    other.source.unshown = ["accountEnabled"];
    const result = await other.cycle();
    expect(result.header.summary).toMatchObject({ create: 0, link: 0, skipped: 3 });
    expect(await skippedCodes(other)).toEqual([
      "ann propertyNotShown",
      "ben propertyNotShown",
      "boss propertyNotShown",
    ]);
    expect(before).toHaveLength(2);
  });

  it("does not prevent the deactivation of leavers: deleted, or out of the scope", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b", "c"];
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.source.unshown = ["accountEnabled"];
    place.source.scope = ["a", "b"];
    place.source.remove("b", "softDeleted");
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ deactivate: 2 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it.each([
    ["jobTitle", "title", "Analyst"],
    ["department", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Sales"],
  ])(
    "clears nothing if it is %s, and is cleared once Entra shows that it is empty",
    async (property, path, value) => {
      await using place = await createWorkplace();
      await company(place);
      place.source.unshown = [property];
      const result = await place.cycle({ full: true });
      expect(result.header.summary).toMatchObject({ update: 0 });
      expect(result.header.notes.join()).toContain(`did not show ${property} (`);
      expect(place.target.account("ann@example.com").values[path]).toBe(value);
      place.source.unshown = [];
      place.source.change("ann", { [property]: null });
      await place.cycle({ full: true });
      expect(place.target.account("ann@example.com").values[path]).toBeUndefined();
    },
  );

  it("removes no manager if no person shows one any more", async () => {
    await using place = await createWorkplace();
    await company(place);
    place.source.unshown = ["manager"];
    const result = await place.cycle({ full: true });
    expect(result.header.summary).toMatchObject({ update: 0 });
    expect(result.header.notes.join()).toContain("did not show manager (1 of 3 people)");
    place.source.unshown = [];
    place.source.setManager("ann", null);
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ update: 1 });
  });

  it("puts no one out of the scope if a scoping filter uses it and its value was unknown", async () => {
    const mapping = mappingOf(defaultRules, [
      { clauses: [{ attribute: "companyName", operator: "EQUALS", value: "Contoso" }] },
    ]);
    await using place = await createWorkplace();
    await company(place);
    const before = place.target.active();
    // The filter is new, and the property with it: no answer has ever shown it.
    place.settings = { ...place.settings, mapping };
    place.source.unshown = ["companyName"];
    for (const id of ["boss", "ann"]) place.source.change(id, { companyName: "Contoso" });
    place.source.hire("new", { companyName: "Contoso" });
    const result = await place.cycle();
    expect(result.header.summary).toMatchObject({ create: 0 });
    expect(await skippedCodes(place)).toContain("new propertyNotShown");
    expect(before.every((name) => place.target.active().includes(name))).toBe(true);
  });
});

describe("an item of a round of changes about an unknown person", () => {
  it("that shows only a part makes no account: the person is first read by id", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("hidden", { jobTitle: "Analyst", department: "Sales" }, "a");
    place.source.hidden.add("hidden");
    await place.cycle();
    place.source.reads.length = 0;
    const part = {
      kind: "upsert",
      objectId: "hidden",
      attributes: { id: "hidden", userPrincipalName: "hidden@example.com", jobTitle: "Analyst" },
      complete: false,
      managerId: undefined,
      unshown: ["accountEnabled", "department", "manager"],
    } as const;
    place.source.repeats = [part, part];
    await place.cycle();
    expect(place.source.reads).toEqual(["changes", "user hidden"]);
    expect(await place.store.findSource("hidden")).toMatchObject({
      managerId: "a",
      attributes: { department: "Sales", accountEnabled: true },
    });
    expect(place.target.active()).toHaveLength(2);
  });

  it("is not believed if the directory does not know the person by id", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    const attributes = { id: "ghost", userPrincipalName: "ghost@example.com" };
    const ghost = {
      kind: "upsert",
      objectId: "ghost",
      attributes,
      complete: false,
      managerId: undefined,
    } as const;
    place.source.repeats = [{ ...ghost, unshown: ["accountEnabled"] }];
    expect((await place.cycle()).header.summary.create).toBe(0);
    expect(await place.store.findSource("ghost")).toBeNull();
  });
});
