import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const asked = ({ source }: Workplace): readonly string[] =>
  source.reads.filter((read) => /^(user|membership|groups of) /.test(read));

/** A disabled manager with an inactive account, whose old deletion the next round of changes repeats, and a report. */
async function disabledManager(place: Workplace): Promise<void> {
  place.source.hire("boss");
  place.source.hire("ann", {}, "boss");
  await place.cycle();
  place.source.change("boss", { accountEnabled: false });
  await place.cycle();
  // Lattice takes a deactivated manager away from the reports; the next cycle sets it again.
  await place.cycle();
  place.source.repeats = [{ kind: "removed", objectId: "boss", presence: "softDeleted" }];
  place.source.reads.length = 0;
  place.target.writes.length = 0;
}

const skippedCodes = async ({ store }: Workplace): Promise<readonly (readonly string[])[]> =>
  (await store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]);

describe("a manager with an inactive account who is removed according to a round of changes", () => {
  it("stays the manager if Entra has the person when asked by id", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    const result = await place.cycle();
    expect(asked(place)).toEqual(["user boss"]);
    expect(place.target.writes).toEqual([]);
    expect(place.target.managerOf("ann@example.com")).toBe("boss@example.com");
    expect(await place.store.findSource("boss")).toMatchObject({ presence: "present" });
    expect(result.header.summary).toMatchObject({ update: 0, unchanged: 2 });
    expect(result.header.notes).toEqual([
      "1 person was counted as gone, but Entra still has them when asked by id: nothing that depends on it is sent.",
    ]);
  });

  it("stays the manager while Entra does not answer, and the rest of the report's changes is sent", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    place.source.change("ann", { jobTitle: "Analyst" });
    place.source.refuseUser = () => new HostUnavailableError("503");
    const result = await place.cycle();
    expect(place.target.account("ann@example.com").values.title).toBe("Analyst");
    expect(place.target.managerOf("ann@example.com")).toBe("boss@example.com");
    expect((await place.operations(result.cycleId)).map(({ reason }) => reason)).toEqual(["title changed"]);
    expect(result.header.notes).toEqual([
      "1 person was counted as gone, but Entra did not confirm it by id: nothing that depends on it is sent now. The next cycle asks again.",
    ]);

    // The report is looked at again, although a write was confirmed meanwhile and no new change shows.
    place.source.repeats = [];
    place.source.refuseUser = null;
    place.source.remove("boss", "softDeleted");
    await place.cycle();
    expect(place.target.managerOf("ann@example.com")).toBeNull();
  });

  it("is no reason to keep a report active who has left", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    place.source.change("ann", { accountEnabled: false });
    place.source.refuseUser = () => new HostUnavailableError("503");
    await place.cycle();
    const written = place.target.writes.flatMap(({ writes }) => writes);
    expect(written).toMatchObject([{ path: "active", value: false }]);
    expect(place.target.active()).toEqual([]);
  });

  it("is cleared if Entra confirms by id that the person is gone, and is not asked for again", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    place.source.remove("boss", "softDeleted");
    await place.cycle();
    expect(asked(place)).toEqual(["user boss"]);
    expect(place.target.managerOf("ann@example.com")).toBeNull();
    await place.cycle();
    expect(asked(place)).toEqual(["user boss"]);
  });

  it("is not asked for if nothing would be written because of it", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    place.source.setManager("ann", null);
    await place.cycle();
    place.source.change("ann", { jobTitle: "Analyst" });
    await place.cycle();
    expect(asked(place)).toEqual([]);
  });

  it("is not written by a cycle on demand of the report", async () => {
    await using place = await createWorkplace();
    await disabledManager(place);
    place.source.refuseUser = () => new HostUnavailableError("503");
    await place.cycle();
    place.source.repeats = [];
    place.source.refuseUser = null;
    place.source.change("boss", { accountEnabled: true });
    place.target.writes.length = 0;
    await place.cycle({ only: ["ann"] });
    expect(place.target.writes).toEqual([]);
    expect(place.target.managerOf("ann@example.com")).toBe("boss@example.com");
    await place.cycle();
    expect(place.target.active()).toEqual(["ann@example.com", "boss@example.com"]);
  });

  it("is asked for after the plan was weighed if there are many of them", async () => {
    await using place = await createWorkplace();
    const numbers = Array.from({ length: 51 }, (_, index) => String(index).padStart(2, "0"));
    for (const number of numbers) {
      place.source.hire(`boss${number}`);
      place.source.hire(`ann${number}`, {}, `boss${number}`);
    }
    await place.cycle();
    for (const number of numbers) place.source.change(`boss${number}`, { accountEnabled: false });
    place.settings = { ...place.settings, guard: { ...place.settings.guard, maxDeactivations: 100 } };
    await place.cycle();
    await place.cycle();
    place.source.repeats = numbers.map((number) => {
      return { kind: "removed", objectId: `boss${number}`, presence: "softDeleted" };
    });
    place.source.remove("boss07", "softDeleted");
    place.source.reads.length = 0;
    const result = await place.cycle();
    expect(asked(place)).toHaveLength(51);
    expect(result).toMatchObject({ outcome: "done", done: 1, failed: 0 });
    expect(result.header.summary).toMatchObject({ update: 1, unchanged: 101 });
    expect(numbers.filter((number) => place.target.managerOf(`ann${number}@example.com`) === null)).toEqual([
      "07",
    ]);
  });
});

describe("a person who no longer counts for a userName", () => {
  /** A person whose account is inactive under an earlier name, and a new person with the name of today. */
  async function namesakes(place: Workplace): Promise<void> {
    place.source.hire("old");
    place.source.hire("a");
    place.source.groups = { staff: ["old", "a"] };
    await place.cycle();
    place.source.groups = { staff: ["a"] };
    await place.cycle();
    place.source.change("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    place.source.reads.length = 0;
    place.target.writes.length = 0;
  }

  it("still counts if the membership that the list lacks is confirmed by id", async () => {
    await using place = await createWorkplace();
    await namesakes(place);
    place.source.groups = { staff: ["a", "old", "new"] };
    place.source.unlisted.add("old");
    await place.cycle();
    expect(asked(place)).toEqual(["membership old"]);
    expect([...place.target.accounts.values()].map(({ userName }) => userName)).toEqual([
      "a@example.com",
      "old@example.com",
    ]);
    expect(await skippedCodes(place)).toEqual([
      ["new", "duplicateUserName"],
      ["old", "duplicateUserName"],
    ]);
  });

  it("does not count if Entra confirms by id that the person is no member", async () => {
    await using place = await createWorkplace();
    await namesakes(place);
    place.source.groups = { staff: ["a", "new"] };
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1 });
    expect(asked(place)).toEqual(["membership old"]);
    expect(place.target.active()).toEqual(["a@example.com", "kim@example.com"]);
    await place.cycle();
    expect(asked(place)).toEqual(["membership old"]);
  });

  it("stops the new account while Entra does not answer", async () => {
    await using place = await createWorkplace();
    await namesakes(place);
    place.source.groups = { staff: ["a", "new"] };
    place.source.refuseUser = () => new HostUnavailableError("503");
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0 });
    expect(place.target.active()).toEqual(["a@example.com"]);
    place.source.refuseUser = null;
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "kim@example.com"]);
  });

  it("stops the new accounts, of which the report counts none, while Entra does not answer for many", async () => {
    await using place = await createWorkplace();
    const numbers = Array.from({ length: 51 }, (_, index) => String(index).padStart(2, "0"));
    for (const number of numbers) place.source.hire(`old${number}`);
    place.source.hire("a");
    place.source.groups = { staff: ["a"] };
    await place.cycle();
    for (const number of numbers) {
      place.source.hire(`new${number}`, { userPrincipalName: `old${number}@example.com` });
    }
    place.source.groups = { staff: ["a", ...numbers.map((number) => `new${number}`)] };
    place.source.refuseUser = () => new HostUnavailableError("503");
    const { header, done } = await place.cycle();
    expect(header.summary).toMatchObject({ create: 0, unchanged: 1, outOfScope: 102 });
    expect(done).toBe(0);
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("a person who no longer counts for an externalId", () => {
  const mapping = mappingOf(
    defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId"
        ? { target: "externalId", source: "employeeId", matchingPrecedence: 2 }
        : rule,
    ),
  );

  it("still counts if the membership that the list lacks is confirmed by id", async () => {
    await using place = await createWorkplace({ mapping });
    place.source.hire("old", { employeeId: "7" });
    place.source.hire("a", { employeeId: "8" });
    place.source.groups = { staff: ["a"] };
    await place.cycle();
    place.source.hire("new", { employeeId: "7" });
    place.source.groups = { staff: ["a", "old", "new"] };
    place.source.unlisted.add("old");
    place.source.reads.length = 0;
    await place.cycle();
    expect(asked(place)).toEqual(["membership old"]);
    expect(place.target.active()).toEqual(["a@example.com"]);
    expect(await skippedCodes(place)).toEqual([
      ["new", "duplicateExternalId"],
      ["old", "duplicateExternalId"],
    ]);
  });
});

describe("the account of a person who is removed according to a round of changes", () => {
  async function successor(place: Workplace): Promise<void> {
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    await place.cycle();
    place.source.change("old", { accountEnabled: false });
    await place.cycle();
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    place.source.repeats = [{ kind: "removed", objectId: "old", presence: "softDeleted" }];
    place.source.reads.length = 0;
    place.target.writes.length = 0;
  }

  it("is not handed over to a person with its userName if Entra has its owner when asked by id", async () => {
    await using place = await createWorkplace({ formerOwner: "handOver" });
    await successor(place);
    await place.cycle();
    expect(asked(place)).toEqual(["user old"]);
    expect(place.target.writes).toEqual([]);
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(await skippedCodes(place)).toEqual([
      ["new", "duplicateUserName"],
      ["old", "duplicateUserName"],
    ]);
  });

  it("is handed over once Entra confirms by id that the owner is gone", async () => {
    await using place = await createWorkplace({ formerOwner: "handOver" });
    await successor(place);
    place.source.remove("old", "softDeleted");
    await place.cycle();
    expect(asked(place)).toEqual(["user old"]);
    expect(await place.store.latticeIdOf("new")).toBe("lat-1");
  });
});
