import { describe, expect, it } from "vitest";
import { ConfigurationError, RecordForbiddenError, RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace } from "../workplace.ts";

const refuse = (userName: string) => (request: { userName: string }) => {
  if (request.userName === userName) throw new RecordRejectedError("Lattice says no", { status: 400 });
};

const forbid =
  (...userNames: readonly string[]) =>
  (request: { userName: string }) => {
    if (userNames.includes(request.userName)) {
      throw new RecordForbiddenError("protected", { status: 403 });
    }
  };

describe("a 403 for one account", () => {
  it("concerns that account if the key works for others, even alone in its cycle", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = forbid("a@example.com");
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 2, failed: 1 });
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", code: "RECORD_FORBIDDEN" }]);
    // Nothing else is due: a read shows that it is not the key.
    place.target.reads.length = 0;
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 0, failed: 1 });
    expect(place.target.reads).toEqual([expect.stringMatching(/^find externalId [0-9a-f-]{36}$/)]);
    place.target.before = () => {};
    place.clock.advance(place.settings.intervalMs);
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
  });

  it("concerns the key if reading is refused too, and stops the cycle", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = forbid("a@example.com", "b@example.com", "c@example.com");
    place.target.beforeRead = (read) => {
      if (read.startsWith("find")) throw new ConfigurationError("Lattice refused the API key");
    };
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    expect(place.target.writes).toHaveLength(1);
  });

  it("concerns the key if five accounts are refused in a row, once", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    const people = ["a", "b", "c", "d", "e", "f"];
    for (const id of people) place.source.hire(id);
    place.target.before = forbid(...people.map((id) => `${id}@example.com`));
    await expect(place.cycle()).rejects.toThrow("5 accounts in a row");
    expect(place.target.writes).toHaveLength(5);
    // A protected account must not stop later ones for ever.
    place.source.hire("g");
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 1, failed: 6 });
    expect(place.target.active()).toEqual(["g@example.com"]);
  });
});

describe("one person's failure", () => {
  it("does not stop the others and is tried again, at growing intervals", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = refuse("b@example.com");

    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "someFailed", done: 2, failed: 1 });
    expect(
      (await place.operations(first.cycleId)).map(({ objectId, status, error }) => [objectId, status, error]),
    ).toEqual([
      ["a", "done", null],
      ["b", "failed", "Lattice says no"],
      ["c", "done", null],
    ]);
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    // Two failures: the third try is due one interval later, give or take a tenth.
    expect((await place.store.retries(10))[0]).toMatchObject({ objectId: "b", attempts: 2 });
    place.clock.advance(-place.settings.intervalMs / 2);
    const waiting = await place.cycle();
    expect(waiting).toMatchObject({ outcome: "done", header: { summary: { create: 0, skipped: 1 } } });

    place.target.before = () => {};
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
    expect(await place.store.retries(10)).toEqual([]);
  });

  it("is tried at once when the person's values change", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.before = refuse("a@example.com");
    for (let round = 0; round < 6; round += 1) await place.cycle();
    place.target.before = () => {};
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("never delays a deactivation", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b", "c"];
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "title")) throw new RecordRejectedError("no", { status: 400 });
    };
    for (const id of ["a", "b", "c"]) place.source.change(id, { jobTitle: "Refused" });
    for (let round = 0; round < 6; round += 1) await place.cycle();
    expect(await place.store.countSkipped()).toEqual(new Map([["waitingForRetry", 3]]));

    place.source.remove("a", "softDeleted");
    place.source.scope = ["a", "b"];
    place.source.change("b", { accountEnabled: false, jobTitle: null });
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("leaves the reports of a person who could not be created without a manager until that is fixed", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    place.target.before = refuse("boss@example.com");
    const { cycleId } = await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    // The log does not claim that a manager was sent who was not.
    expect((await place.operations(cycleId)).find(({ objectId }) => objectId === "report")).toMatchObject({
      status: "done",
      error: "the manager has no account yet; the manager is set as soon as there is one",
    });
    place.target.before = () => {};
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });

  it("is distinguished from a success that Lattice only claims", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.target.normalise = (path, value) => (path === "active" ? true : value);
    place.source.change("a", { accountEnabled: false, jobTitle: "Leaver" });
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "someFailed", failed: 1 });
    expect((await place.operations(result.cycleId))[0]?.error).toContain("the account is still active");
    // The accepted part is known; the other part is tried again.
    expect((await place.store.linkOf("a"))?.values.title).toBe("Leaver");
    place.target.normalise = (_path, value) => value;
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("keeps the account that was made inactive against the request, instead of losing track of it", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) => (path === "active" ? false : value);
    place.source.hire("a");
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    place.target.normalise = (_path, value) => value;
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0, reactivate: 1 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

describe("people who begin to fail, and people who no longer fail", () => {
  it("are noted once each, also if the directory no longer has the user", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    place.target.before = forbid("a@example.com", "b@example.com");
    await place.cycle();
    place.clock.advance(24 * 3_600_000);
    await place.cycle();
    place.target.before = forbid("b@example.com");
    place.source.remove("b", "deleted");
    await place.cycle({ full: true });
    const changes = await place.store.failureChanges();
    expect(changes.map(({ objectId, change }) => `${objectId} ${change}`).sort()).toEqual([
      "a began",
      "a recovered",
      "b began",
      "b recovered",
    ]);
    expect(await place.store.retries(9)).toEqual([]);
  });
});
