import { describe, expect, it } from "vitest";
import { RecordUnavailableError, UnknownOutcomeError } from "../../../src/domain/errors.ts";
import { createWorkplace } from "../workplace.ts";

describe("a protected account", () => {
  it("is not linked to a new person with its userName, in any spelling of the list", async () => {
    await using place = await createWorkplace({ protectedAccounts: new Set(["root@example.com"]) });
    place.target.add({ userName: "Root@example.com", values: { displayName: "Administrator" } });
    place.source.hire("eve", { userPrincipalName: "ROOT@example.com" });
    const result = await place.cycle();
    expect(result.header.summary).toMatchObject({ link: 0, create: 0, skipped: 1 });
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        code: "protectedAccount",
        reason:
          "the Lattice account lat-1 (Root@example.com) is protected (matching.protected): it is neither linked nor changed",
      },
    ]);
    expect(place.target.writes).toEqual([]);
  });

  it("is not written although it is linked, not even for a leaver; that is shown as long as a change is due", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim", { jobTitle: "Analyst" });
    await place.cycle();
    place.settings = { ...place.settings, protectedAccounts: new Set(["lat-1"]) };
    place.target.writes.length = 0;
    const codes = async () => (await place.store.skipped({ after: "", limit: 9 })).map(({ code }) => code);

    await place.cycle();
    expect(await codes()).toEqual([]);
    place.source.change("kim", { jobTitle: "Director" });
    await place.cycle();
    expect(await codes()).toEqual(["protectedAccount"]);
    place.source.remove("kim", "deleted");
    await place.cycle();
    expect(await codes()).toEqual(["protectedAccount"]);
    expect(place.target.writes).toEqual([]);
    expect(place.target.account("kim@example.com").active).toBe(true);
  });

  it("keeps its userName: no create and no rename gives it to another account", async () => {
    await using place = await createWorkplace({ protectedAccounts: new Set(["root@example.com"]) });
    place.source.hire("eve", { userPrincipalName: "root@example.com" });
    place.source.hire("kim");
    await place.cycle();
    place.source.change("eve", { userPrincipalName: "eve@example.com" });
    await place.cycle();
    place.source.change("kim", { userPrincipalName: "root@example.com" });
    await place.cycle();
    expect([...place.target.accounts.values()].map(({ userName }) => userName).sort()).toEqual([
      "eve@example.com",
      "kim@example.com",
    ]);
    // A change that cannot be sent does not keep a leaver's account active.
    place.source.change("kim", { accountEnabled: false });
    await place.cycle();
    expect(place.target.account("kim@example.com").active).toBe(false);
  });
});

it("an account whose create was never answered is not linked once it is protected", async () => {
  await using place = await createWorkplace();
  await place.cycle();
  place.source.hire("kim");
  place.target.after = () => {
    throw new UnknownOutcomeError("no answer came");
  };
  const { find } = place.target;
  place.target.find = async () => {
    throw new RecordUnavailableError("503");
  };
  await place.cycle().catch(() => null);
  expect(await place.store.openIntents()).toHaveLength(1);
  place.target.after = () => {};
  place.target.find = find;
  place.settings = { ...place.settings, protectedAccounts: new Set(["lat-1"]) };
  await place.cycle();
  expect(await place.store.latticeIdOf("kim")).toBeNull();
  expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([{ code: "protectedAccount" }]);
});

describe("a link to an account of the same userName", () => {
  it.each([
    [{ displayName: "Root Admin" }, "its name is not similar to the person's"],
    [
      {
        displayName: "Kim Lee",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "7",
      },
      "its employeeNumber is not the person's",
    ],
    [{ displayName: "LÉE, Kim", title: "Other" }, undefined],
    [{}, undefined],
  ])("reports whether its other values point to another person: %j", async (values, doubtful) => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com", values });
    place.source.hire("kim", { displayName: "Kim Lee", employeeId: "42" });
    const { cycleId } = await place.cycle({ dryRun: true });
    const [operation] = await place.operations(cycleId);
    expect(operation).toMatchObject({ action: "link", adopts: true });
    expect(operation?.doubtful).toBe(doubtful);
    const reason = "existing account with the same userName";
    expect(operation?.reason).toBe(doubtful === undefined ? reason : `${reason}; doubtful: ${doubtful}`);
  });

  it("is not doubtful if the account carries the person's externalId", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "old@example.com", externalId: "kim", values: { displayName: "Someone" } });
    place.source.hire("kim", { displayName: "Kim Lee" });
    const { cycleId } = await place.cycle({ dryRun: true });
    expect((await place.operations(cycleId))[0]).toMatchObject({ action: "link", latticeId: "lat-1" });
    expect((await place.operations(cycleId))[0]?.doubtful).toBeUndefined();
  });
});
