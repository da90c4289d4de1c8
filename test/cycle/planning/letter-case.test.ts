import { describe, expect, it } from "vitest";
import { createWorkplace, lenientGuard } from "../workplace.ts";

describe("a userName in another letter case", () => {
  it("is the same: thirty links are thirty links, not thirty renames that the guard holds", async () => {
    await using place = await createWorkplace({ guard: { ...lenientGuard, maxRenames: 5, renameFloor: 0 } });
    for (let number = 0; number < 30; number += 1) {
      place.target.add({
        userName: `PERSON${number}@Example.com`,
        values: { displayName: `person${number}` },
      });
      place.source.hire(`person${number}`);
    }
    const result = await place.cycle();
    expect(result).toMatchObject({
      outcome: "done",
      header: { summary: { link: 30 }, guard: { held: false } },
    });
    const changed = (await place.operations(result.cycleId)).flatMap(({ changes }) =>
      changes.map(({ attribute }) => attribute),
    );
    expect(changed).not.toContain("userName");
    expect(place.target.account("PERSON7@Example.com").externalId).toBe("person7");
    expect(await place.operations((await place.cycle({ full: true })).cycleId)).toEqual([]);
  });

  it("is neither a change of the directory nor drift in Lattice, and an e-mail address is treated like a userName", async () => {
    await using place = await createWorkplace();
    const email = 'emails[type eq "work"].value';
    place.source.hire("kim", { mail: "kim@example.com", jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("kim", { userPrincipalName: "Kim@Example.com", mail: "Kim@Example.com" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, unchanged: 1 });

    const account = place.target.account("kim@example.com");
    const values = { ...account.values, [email]: "KIM@example.com" };
    place.target.accounts.set(account.latticeId, { ...account, userName: "KIM@EXAMPLE.COM", values });
    const full = await place.cycle({ full: true });
    expect(await place.operations(full.cycleId)).toEqual([]);
    const drift = { drift: true, afterWave: -1, afterId: 0, limit: 9 } as const;
    expect(await place.store.operations(full.cycleId, drift)).toEqual([]);
    expect((await place.store.linkOf("kim"))?.drifted).toEqual({});

    // A title in another letter case is another title, and another address another address.
    place.source.change("kim", { jobTitle: "ANALYST", mail: "kim.lee@example.com" });
    const next = await place.cycle();
    const [operation] = await place.operations(next.cycleId);
    expect(operation?.changes.map(({ attribute }) => attribute)).toEqual(["title", email]);
  });

  it("may show in the answer to a write, and is not remembered", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) => (path === "userName" ? String(value).toLowerCase() : value);
    place.source.hire("kim", { userPrincipalName: "Kim.Lee@example.com" });
    await place.cycle();
    expect(place.target.reads).toEqual(["list"]);
    const link = await place.store.linkOf("kim");
    expect(link?.userName).toBe("kim.lee@example.com");
    expect(link?.acknowledged).toEqual({});
  });
});
