import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type ReleaseRequest, recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import type { Actor } from "../../../src/domain/actor.ts";
import { LeaseHeldError } from "../../../src/domain/errors.ts";
import { messageOf } from "../../../src/notify/words.ts";
import { migrationsUpTo } from "../../../src/state/sqlite/files/schema.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

const kim: Actor = { kind: "cli", name: "kim@host" };
const sam: Actor = { kind: "header", name: "sam@example.com" };
const hourMs = 3_600_000;

async function companyWithHeldLeavers(): Promise<{ place: Workplace; planId: string }> {
  const place = await createWorkplace({
    guard: { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 },
  });
  for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
  await place.cycle();
  for (const id of ["a", "b", "c"]) place.source.change(id, { accountEnabled: false });
  return { place, planId: (await place.cycle()).header.planId };
}

async function decide({ store, clock }: Workplace, decision: ReleaseRequest) {
  clock.advance(1000);
  return recordRelease(
    { store, fence: "private" },
    decision,
    await resolveRelease(store, decision),
    clock.now(),
  );
}

/** For the newest entry of the person. */
async function decisionOf(place: Workplace, person: string) {
  return (await place.store.history({ person, limit: 1 }))[0]?.decision;
}

describe("the person who decided about held changes", () => {
  it("is not recorded, nor is the decision, by a run that lost the lease", async () => {
    const { place, planId } = await companyWithHeldLeavers();
    await using _ = place;
    const { store, clock } = place;
    await store.acquireLease("another", clock.now(), hourMs);
    const decision = { planId, only: ["a"], reject: ["b"], by: kim };
    const decided = await resolveRelease(store, decision);
    const lost = { store, fence: { owner: "me" } };
    await expect(recordRelease(lost, decision, decided, clock.now())).rejects.toThrow(LeaseHeldError);
    expect([await store.decisionsOf("a", 1), await store.rejections(1)]).toEqual([[], []]);
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 3 });
  });

  it("is recorded for each person, whichever plan holds the change by then, and is not replaced by later decisions", async () => {
    const { place, planId } = await companyWithHeldLeavers();
    await using _ = place;
    expect(await decisionOf(place, "a")).toBeUndefined();
    // Another plan takes over the held change before a person decides.
    place.source.change("d", { jobTitle: "Lead" });
    await place.cycle();

    const event = await decide(place, { planId, only: ["a"], reject: ["b"], by: kim, reason: "they left" });
    expect(event).toEqual({
      kind: "heldDecided",
      planId,
      by: kim,
      reason: "they left",
      released: 1,
      rejected: 1,
      undone: 0,
    });
    const next = await place.cycle();
    const at = place.clock.now();
    expect(await decisionOf(place, "a")).toMatchObject({
      what: "released",
      by: kim,
      reason: "they left",
      planId,
    });
    expect(await decisionOf(place, "b")).toMatchObject({ what: "rejected", by: kim });
    expect(await decisionOf(place, "c")).toBeUndefined();
    expect(await place.store.rejections(9)).toMatchObject([
      { objectId: "b", decision: { by: kim, reason: "they left" } },
    ]);

    // A different case follows: enabled again, disabled once more, and released by another person.
    place.source.change("a", { accountEnabled: true });
    await place.cycle();
    expect(await decisionOf(place, "a")).toBeUndefined();
    place.source.change("a", { accountEnabled: false });
    await decide(place, { planId: (await place.cycle()).header.planId, only: ["a"], by: sam });
    await place.cycle();
    expect(await decisionOf(place, "a")).toMatchObject({ what: "released", by: sam, reason: null });
    const before = await place.store.history({ person: "a", cycleId: next.cycleId, limit: 1 });
    expect(before[0]?.decision).toMatchObject({ by: kim });
    expect(before[0]?.decision?.at).toBeLessThanOrEqual(at);
    expect((await place.store.decisionsOf("a", 10)).map(({ by }) => by)).toEqual([sam, kim]);
  });

  it("is shown for a skipped person, and sent once to each receiver", async () => {
    const { place, planId } = await companyWithHeldLeavers();
    await using _ = place;
    const event = await decide(place, { planId, reject: ["a"], by: sam, reason: "on leave\u202e" });
    await place.cycle();
    const [skipped] = await place.store.skipped({ after: "", limit: 1, only: ["a"] });
    expect(skipped?.reason).toMatch(/was rejected on 2026-\S+ \S+ UTC by header:sam@example\.com \(plan /);
    const notice = { id: "1", at: 0, event };
    expect(messageOf(notice, { instance: "x", people: "ids", dashboard: undefined }).text).toBe(
      `header:sam@example.com decided about plan ${planId}. Rejected: 1 person. Reason: on leave`,
    );
    const receiver = { name: "ops", events: ["heldDecided"] } as const;
    await place.store.addressEvents([receiver]);
    const told = await place.store.claimDelivery("ops", place.clock.now(), {
      claimMs: hourMs,
      longestWaitMs: 86_400_000,
    });
    expect(told?.kept.event).toEqual(event);
    expect(
      await place.store.claimDelivery("ops", place.clock.now(), {
        claimMs: hourMs,
        longestWaitMs: 86_400_000,
      }),
    ).toBeNull();
  });

  it("is removed with the log, except for rejections in force", async () => {
    const { place, planId } = await companyWithHeldLeavers();
    await using _ = place;
    await decide(place, { planId, only: ["a"], by: kim });
    await decide(place, { planId, reject: ["b"], by: sam });
    await place.cycle();
    const later = place.clock.now() + hourMs;
    await kept(place.store).trimmed({ before: later, countedSince: later, maxRows: null });
    expect(await place.store.decisionsOf("a", 10)).toEqual([]);
    expect(await place.store.decisionsOf("b", 10)).toMatchObject([{ what: "rejected", by: sam }]);
    await decide(place, { planId, undoReject: ["b"], by: kim });
    await kept(place.store).trimmed({ before: later, countedSince: later, maxRows: null });
    expect(await place.store.decisionsOf("b", 10)).toEqual([]);
  });

  it("is unknown for rejections of an earlier version", async () => {
    await using place = await createWorkplace();
    await place.store.close();
    const path = `${place.path}.old`;
    const old = new Database(path);
    for (const sql of migrationsUpTo(21)) old.exec(sql);
    old.pragma("user_version = 21");
    old.exec(
      `INSERT INTO source_user (object_id, attributes, presence, read_in) VALUES ('a', '{}', 'present', 1);
       INSERT INTO rejected_change VALUES ('a', 'active', '*', NULL, 'p', 7)`,
    );
    old.close();
    place.store = openStore(path);
    const [rejection] = await place.store.rejections(9);
    expect(rejection).toMatchObject({ objectId: "a", rejectedAt: 7 });
    expect(rejection).not.toHaveProperty("decision");
  });
});
