import { describe, expect, it } from "vitest";
import { createWorkplace } from "../workplace.ts";

describe("an account to adopt that was listed in an earlier cycle", () => {
  it.each([
    ["it has got another's externalId", { externalId: "another" }],
    [
      "it has got another's externalId and another userName",
      { externalId: "another", userName: "x@example.com" },
    ],
  ])("is not changed if %s since", async (_what, since) => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "a@example.com", values: { title: "Theirs" } });
    await place.cycle();
    const theirs = { ...account, ...since };
    // A Lattice that accepts an externalId once, and ignores another one.
    place.target.normalise = (path, value) => (path === "externalId" ? "another" : value);
    place.target.accounts.set(account.latticeId, theirs);
    place.source.hire("a", { jobTitle: "Ours" });
    await place.cycle();
    expect(place.target.accounts.get(account.latticeId)).toEqual(theirs);
    expect(await place.store.latticeIdOf("a")).not.toBe(account.latticeId);
  });
});

describe("an account to adopt that is gone", () => {
  it("is forgotten after hours of absence, so that the person gets a new one", async () => {
    await using place = await createWorkplace();
    place.source.scope = [];
    place.source.hire("a");
    const { latticeId } = place.target.add({ userName: "a@example.com" });
    place.target.add({ userName: "super.admin@example.com" });
    await place.cycle();
    place.target.accounts.delete(latticeId);
    place.source.scope = ["a"];
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.cycle()).toMatchObject({ failed: 1, header: { summary: { create: 0 } } });
    place.clock.advance(6 * 3_600_000);
    expect(await place.cycle()).toMatchObject({ done: 1, header: { summary: { create: 1 } } });
  });
});
