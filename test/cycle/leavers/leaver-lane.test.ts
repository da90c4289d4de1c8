import { describe, expect, it } from "vitest";
import { pauseSending } from "../../../src/cycle/health/sending-pause.ts";
import { parseLeaversDue } from "../../../src/cycle/leavers/leaver-lane.ts";
import { ConfigurationError, HostUnavailableError, RecordRejectedError } from "../../../src/domain/errors.ts";
import { readLeaverLatency } from "../../../src/report/leaver-latency.ts";
import { createWorkplace, kim, lenientGuard, mappingOf, rejectHeld, type Workplace } from "../workplace.ts";

const people = ["ann", "ben", "cat", "dan"];

/** A company of four whose first run has ended. */
async function company(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  for (const id of people) place.source.hire(id);
  await place.cycle();
  place.source.reads.length = 0;
  place.target.writes.length = 0;
  return place;
}

const active = (place: Workplace): string[] => place.target.active().map((name) => name.replace(/@.*/, ""));
const marked = async (place: Workplace): Promise<string[]> =>
  (await place.store.candidates({ select: "marked", everyoneInScope: true, after: "", limit: 99 })).map(
    ({ source }) => source.objectId,
  );
const kinds = async (place: Workplace): Promise<string[]> =>
  (await place.store.recentCycles(9)).map(({ kind }) => kind).reverse();

describe("a look for leavers between two cycles", () => {
  it("deactivates those who were disabled or deleted, and writes nothing else", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false, jobTitle: "Former Analyst" });
    place.source.remove("ben", "softDeleted");
    place.source.change("cat", { jobTitle: "Chief" });
    place.source.hire("eve");
    const lane = await place.lane();
    expect(lane).toMatchObject({ kind: "ran", tooMany: false, result: { outcome: "done", done: 2 } });
    expect(active(place)).toEqual(["cat", "dan"]);
    expect(
      place.target.writes.map(({ userName, writes }) => [userName, writes.map(({ path }) => path)]),
    ).toEqual([
      ["ann@example.com", ["active"]],
      ["ben@example.com", ["active"]],
    ]);
    expect(await kinds(place)).toEqual(["initial", "leavers"]);
    // Ben's deletion came from a list of changes, so he was asked for by id.
    expect(place.source.reads).toEqual(["changes", "user ben"]);
  });

  it("is measured: how long each kept the account, from when it was due, also if that took several cycles", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    await place.lane();
    expect(await readLeaverLatency(place.store, place.clock.now())).toMatchObject({ people: 1, p99Ms: 0 });
    place.source.change("ben", { accountEnabled: false });
    place.target.before = () => {
      throw new RecordRejectedError("the account is locked", { status: 422 });
    };
    await place.lane();
    place.target.before = () => {};
    await place.cycle();
    expect(active(place)).toEqual(["cat", "dan"]);
    const latency = await readLeaverLatency(place.store, place.clock.now());
    expect(latency).toMatchObject({ people: 2, p50Ms: 0 });
    expect(latency?.p99Ms).toBeGreaterThanOrEqual(40 * 60_000);
  });

  it("loses nothing of the others: the next cycle sends it, and reads the changes after those of the look", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false, jobTitle: "Former Analyst" });
    place.source.change("cat", { jobTitle: "Chief" });
    place.source.hire("eve");
    await place.lane();
    expect(await marked(place)).toEqual(expect.arrayContaining(["ann", "cat", "eve"]));
    const next = await place.cycle();
    expect(next.header).toMatchObject({
      cycle: "incremental",
      summary: { create: 1, update: 2, deactivate: 0 },
    });
    expect(place.source.reads.filter((read) => read === "all")).toEqual([]);
    expect(place.target.account("ann@example.com").values.title).toBe("Former Analyst");
    expect(place.target.account("cat@example.com").values.title).toBe("Chief");
    expect(await place.cycle()).toMatchObject({ done: 0 });
  });

  it("adds no cycle to the log if the changes show no one who leaves", async () => {
    await using place = await company();
    place.source.change("cat", { jobTitle: "Chief" });
    expect(await place.lane()).toEqual({ kind: "nobody" });
    expect(await place.lane()).toEqual({ kind: "nobody" });
    expect(await kinds(place)).toEqual(["initial"]);
    expect(place.target.writes).toEqual([]);
    expect(await place.cycle()).toMatchObject({ header: { summary: { update: 1 } } });
  });

  it("leaves everything to the cycle before the first run, with another mapping, in a pause for leavers too, and if nothing is deactivated at once", async () => {
    await using place = await createWorkplace();
    place.source.hire("ann");
    expect(await place.lane()).toEqual({ kind: "rested", rest: "firstRun" });
    await place.cycle();
    place.source.change("ann", { accountEnabled: false });
    const { settings } = place;
    const rests = async (other: Partial<typeof settings>): Promise<unknown> => {
      place.settings = { ...settings, ...other };
      const result = await place.lane();
      place.settings = settings;
      return result;
    };
    const otherwise = { kind: "rested", rest: "configurationChanged" };
    expect(await rests({ mapping: mappingOf(undefined, [], { exclude: ["zoe"] }) })).toEqual(otherwise);
    expect(await rests({ tenantId: "tenant-2" })).toEqual(otherwise);
    const off = { kind: "rested", rest: "deactivationsOff" };
    expect(await rests({ actions: { create: true, update: true, deactivate: false } })).toEqual(off);
    const later = { do: "deactivate", afterMs: 7 * 86_400_000 } as const;
    expect(
      await rests({ events: { deleted: { do: "ignore" }, disabled: later, outOfScope: later } }),
    ).toEqual(off);
    await pauseSending(place.store, {
      at: place.clock.now(),
      until: null,
      reason: "a freeze",
      by: kim,
      leaversToo: true,
    });
    expect(await place.lane()).toEqual({ kind: "rested", rest: "paused" });
    expect(place.source.reads).toEqual(["all"]);
    expect(active(place)).toEqual(["ann"]);
  });

  it("keeps a delay: the cycle deactivates the person when it is over", async () => {
    await using place = await company({
      events: {
        deleted: { do: "deactivate", afterMs: 0 },
        disabled: { do: "deactivate", afterMs: 7 * 86_400_000 },
        outOfScope: { do: "deactivate", afterMs: 0 },
      },
    });
    place.source.change("ann", { accountEnabled: false });
    expect(await place.lane()).toEqual({ kind: "nobody" });
    expect(active(place)).toContain("ann");
    expect(await marked(place)).toEqual(["ann"]);
  });

  it("goes on in a pause of sending that lets leavers through, and leaves the plan that the pause shows", async () => {
    await using place = await company();
    place.source.change("cat", { jobTitle: "Chief" });
    await pauseSending(place.store, {
      at: place.clock.now(),
      until: null,
      reason: "a freeze",
      by: kim,
      leaversToo: false,
    });
    const paused = await place.cycle();
    place.source.change("ann", { accountEnabled: false });
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { outcome: "done", done: 1 } });
    expect(active(place)).toEqual(["ben", "cat", "dan"]);
    expect(await place.operations(paused.cycleId)).toMatchObject([{ action: "update", status: "planned" }]);
  });

  it("does not believe a deletion that Entra does not confirm by id", async () => {
    await using place = await company();
    place.source.repeats = [{ kind: "removed", objectId: "ann", presence: "deleted" }];
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 0 } });
    expect(active(place)).toContain("ann");
  });

  it("asks again with the next look if Entra did not answer about the person", async () => {
    await using place = await company();
    place.source.remove("ann", "deleted");
    place.source.refuseUser = () => new HostUnavailableError("no answer");
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 0 } });
    expect(parseLeaversDue(await place.store.meta())).toEqual(["ann"]);
    place.source.refuseUser = null;
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 1 } });
    expect(active(place)).not.toContain("ann");
    expect(parseLeaversDue(await place.store.meta())).toEqual([]);
    expect(await place.lane()).toEqual({ kind: "nobody" });
  });

  it("tries again with the next look if Lattice was away", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    place.target.before = () => {
      throw new HostUnavailableError("Lattice is away", { retryAt: place.clock.now() + 60_000 });
    };
    await expect(place.lane()).rejects.toThrow("Lattice is away");
    place.target.before = () => {};
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 1 } });
    expect(active(place)).not.toContain("ann");
  });

  it("leaves a person to the retry schedule whose deactivation failed", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    place.target.before = () => {
      throw new RecordRejectedError("the account is locked", { status: 422 });
    };
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { outcome: "someFailed", failed: 1 } });
    expect(await place.lane()).toEqual({ kind: "nobody" });
    place.target.before = () => {};
    await place.cycle();
    expect(active(place)).not.toContain("ann");
  });

  it("sends nothing if they are more than the guard allows, in the window before too; the next cycle holds them", async () => {
    const guard = { ...lenientGuard, maxDeactivations: 2, deactivationFloor: 0 };
    await using place = await company({ guard });
    place.source.change("ann", { accountEnabled: false });
    await place.lane();
    for (const id of ["ben", "cat"]) place.source.change(id, { accountEnabled: false });
    expect(await place.lane()).toMatchObject({
      kind: "ran",
      tooMany: true,
      result: { outcome: "done", done: 0 },
    });
    expect(active(place)).toEqual(["ben", "cat", "dan"]);
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 2 });
    // One more leaver alone would be within the limit, but not together with those that are held.
    place.source.remove("dan", "deleted");
    place.clock.advance(guard.windowMs);
    expect(await place.lane()).toEqual({ kind: "rested", rest: "guardHolds" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3 });
    expect(active(place)).toEqual(["ben", "cat", "dan"]);
  });

  it("deactivates people of whom another change is held or was rejected, and the change stays so", async () => {
    await using place = await company({ guard: { ...lenientGuard, maxRenames: 1 } });
    for (const id of ["ann", "ben", "cat"])
      place.source.change(id, { userPrincipalName: `${id}.new@example.com` });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 3 });
    await rejectHeld(place, held.header.planId, ["ann"]);
    await place.cycle();
    for (const id of ["ann", "ben"]) place.source.change(id, { accountEnabled: false });
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { outcome: "done", done: 2 } });
    expect(active(place)).toEqual(["cat", "dan"]);
    await place.cycle();
    expect([...place.target.accounts.values()].map(({ userName }) => userName)).toEqual(
      people.map((id) => `${id}@example.com`),
    );
    const [ann] = await place.store.rejections(9);
    expect(ann).toMatchObject({ objectId: "ann", attribute: "userName" });
  });

  it("keeps the next read of everyone if one was due, and leaves people whom Entra could not show open", async () => {
    await using place = await company();
    await place.cycle({ only: ["cat"] });
    place.source.change("cat", { jobTitle: "Chief" });
    await place.cycle({ only: ["cat"] });
    expect((await place.store.meta()).aheadOfWatermark).toBe("yes");
    place.source.change("ann", { accountEnabled: false });
    await place.store.commit({ notes: { unreadPeople: '["dan"]' } }, "private");
    expect(await place.lane()).toMatchObject({ kind: "ran" });
    expect(await place.store.meta()).toMatchObject({ aheadOfWatermark: "yes", unreadPeople: '["dan"]' });
    place.source.reads.length = 0;
    await place.cycle();
    expect(place.source.reads[0]).toBe("all");
    expect((await place.store.meta()).aheadOfWatermark).toBe("");
  });

  it("moves no watermark if the changes break off, and finds the leaver with the next look", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    place.source.change("cat", { jobTitle: "Chief" });
    const { watermark } = await place.store.meta();
    place.source.breakChanges = true;
    await expect(place.lane()).rejects.toThrow("went away");
    expect((await place.store.meta()).watermark).toBe(watermark);
    place.source.breakChanges = false;
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 1 } });
    expect(active(place)).not.toContain("ann");
  });

  it("leaves an expired watermark to the cycle, which reads everyone", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    place.source.expireWatermarks();
    expect(await place.lane()).toEqual({ kind: "rested", rest: "watermarkExpired" });
    expect(active(place)).toContain("ann");
    await place.cycle();
    expect(active(place)).not.toContain("ann");
  });

  it("touches neither the full comparison nor the accepted scope", async () => {
    await using place = await company();
    const before = await place.store.meta();
    place.source.change("ann", { accountEnabled: false });
    await place.lane();
    const after = await place.store.meta();
    for (const note of [
      "targetListedAt",
      "reconciledAt",
      "acceptedScope",
      "mappingDigest",
      "heldPlan",
    ] as const) {
      expect(after[note]).toBe(before[note]);
    }
  });

  it("plans without sending in a dry run", async () => {
    await using place = await company();
    place.source.change("ann", { accountEnabled: false });
    const lane = await place.lane({ dryRun: true });
    expect(lane).toMatchObject({ kind: "ran", result: { header: { summary: { deactivate: 1 } }, done: 0 } });
    expect(place.target.writes).toEqual([]);
  });

  it("is refused by a token of another tenant", async () => {
    await using place = await createWorkplace();
    place.source.tenant = "tenant-guid-1";
    place.source.hire("ann");
    await place.cycle();
    await place.cycle();
    place.source.change("ann", { accountEnabled: false });
    place.source.tenant = "tenant-guid-2";
    await expect(place.lane()).rejects.toThrow(ConfigurationError);
    expect(active(place)).toEqual(["ann"]);
  });
});
