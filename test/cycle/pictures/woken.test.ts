import { describe, expect, it } from "vitest";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** Two people who share a userName: neither gets an account. */
async function namesakes(): Promise<Workplace> {
  const place = await createWorkplace();
  for (const id of ["a", "b"]) place.source.hire(id, { userPrincipalName: "same@example.com" });
  expect(await place.cycle()).toMatchObject({ done: 0, header: { summary: { skipped: 2 } } });
  return place;
}

describe("a person whose userName another person had is planned again in the next cycle", () => {
  it.each([
    ["is deleted", (place: Workplace) => place.source.remove("b", "softDeleted")],
    ["is purged", (place: Workplace) => place.source.remove("b", "deleted")],
    ["is disabled", (place: Workplace) => place.source.change("b", { accountEnabled: false })],
    ["is renamed", (place: Workplace) => place.source.change("b", { userPrincipalName: "b@example.com" })],
    [
      "is missing from a full read",
      (place: Workplace) => {
        place.source.remove("b", "deleted");
        place.source.expireWatermarks();
      },
    ],
  ])("when the other one %s", async (_what, happens) => {
    await using place = await namesakes();
    happens(place);
    await place.cycle();
    expect(place.target.account("same@example.com").externalId).toBe("a");
  });

  it("when the other one leaves the scope, is provisioned on demand, or is no longer assigned", async () => {
    for (const only of [undefined, ["b"]]) {
      await using place = await createWorkplace();
      place.source.scope = ["a", "b"];
      for (const id of ["a", "b"]) place.source.hire(id, { userPrincipalName: "same@example.com" });
      await place.cycle();
      place.source.scope = ["a"];
      if (only !== undefined) await place.cycle({ only });
      await place.cycle();
      expect(place.target.account("same@example.com").externalId).toBe("a");
    }
  });

  it("when the account that had it is adopted and renamed for the person whose externalId it carries", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "wanted@example.com", externalId: "p" });
    place.source.hire("q", { userPrincipalName: "wanted@example.com" });
    const [skipped] = [await place.cycle(), await place.store.skipped({ after: "", limit: 9 })].slice(1);
    expect(skipped).toMatchObject([{ objectId: "q", code: "externalIdConflict" }]);

    place.source.hire("p");
    await place.cycle();
    expect(place.target.account("p@example.com").externalId).toBe("p");
    await place.cycle();
    expect(place.target.account("wanted@example.com").externalId).toBe("q");
  });

  it("when the account that got it by hand gets its own name back, whatever the retry schedule says", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, { ...account, userName: "wanted@example.com" });
    // Lattice says that there is such an account, and its search does not show it.
    place.target.find = async () => [];
    place.source.hire("q", { userPrincipalName: "wanted@example.com" });
    for (let cycle = 0; cycle < 5; cycle += 1) await place.cycle();
    const [waiting] = await place.store.retries(9);
    expect(waiting).toMatchObject({ objectId: "q", attempts: 4 });
    expect(waiting?.nextTryAt).toBeGreaterThan(place.clock.now() + 2 * place.settings.intervalMs);

    expect(await place.cycle({ full: true })).toMatchObject({ done: 1 });
    expect(place.target.account("a@example.com").externalId).toBe("a");
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(place.target.account("wanted@example.com").externalId).toBe("q");
  });
});
