import { afterEach, beforeEach, expect, it } from "vitest";
import type { CycleResult } from "../../src/cycle/course/request.ts";
import { recordRelease, resolveRelease } from "../../src/cycle/guard/release.ts";
import { type RevertOrder, revertedCycle } from "../../src/cycle/reverts/reverts.ts";
import {
  ConfigurationError,
  RecordRejectedError,
  StateError,
  UnknownOutcomeError,
  UsageError,
} from "../../src/domain/errors.ts";
import type { Change } from "../../src/domain/plan.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { operationRow } from "../state/contract/rows.ts";
import { createWorkplace, kim, lenientGuard, type Workplace } from "./workplace.ts";

let place: Workplace;
const people = ["ann", "ben", "cid"];

beforeEach(async () => {
  place = await createWorkplace();
  place.source.scope = ["boss", ...people];
  place.source.hire("boss");
  for (const id of people) place.source.hire(id, { jobTitle: "Analyst" }, "boss");
  await place.cycle();
});
afterEach(() => place[Symbol.asyncDispose]());

function revert(
  cycle: Pick<CycleResult, "cycleId">,
  order: Partial<RevertOrder> = {},
  more: Parameters<Workplace["cycle"]>[0] = {},
): Promise<CycleResult> {
  const which = String(cycle.cycleId);
  return place.cycle({
    ...more,
    revert: { which, deactivateCreated: false, release: false, by: kim, ...order },
  });
}
const titles = () => people.map((id) => accountOf(id).values.title);
const accountOf = (id: string) => {
  return place.target.account(`${id}@example.com`);
};
function edit(id: string, title: string): void {
  const account = accountOf(id);
  place.target.accounts.set(account.latticeId, { ...account, values: { ...account.values, title } });
}
function leaveScope(id: string): void {
  place.source.scope = (place.source.scope ?? []).filter((member) => member !== id);
}
async function promoted(title = "Chief"): Promise<CycleResult> {
  for (const id of people) place.source.change(id, { jobTitle: title });
  return place.cycle();
}

it("takes a cycle back, and the next cycles leave it so until the directory wants another value", async () => {
  const wrong = await promoted();
  const result = await revert(wrong);
  expect(result).toMatchObject({ outcome: "done", done: 3, header: { cycle: "revert" } });
  expect(titles()).toEqual(["Analyst", "Analyst", "Analyst"]);
  expect(await place.cycle()).toMatchObject({ done: 0, header: { summary: { skipped: 3 } } });
  expect(await place.cycle({ full: true })).toMatchObject({ done: 0 });
  expect(titles()).toEqual(["Analyst", "Analyst", "Analyst"]);
  place.source.change("ann", { jobTitle: "Head" });
  await place.cycle();
  expect(titles()).toEqual(["Head", "Analyst", "Analyst"]);
});

it("shows what is rejected, by whom and why, and ends it with the undo of a rejection", async () => {
  const wrong = await promoted();
  const { cycleId, header } = await revert(wrong, { reason: "wrong titles" });
  const [first] = await place.store.rejections(10);
  expect(first).toMatchObject({
    attribute: "title",
    planId: header.planId,
    decision: { by: kim, reason: `cycle ${wrong.cycleId} taken back: wrong titles` },
  });
  expect((await place.store.recentCycles(1))[0]).toMatchObject({
    id: cycleId,
    kind: "revert",
    notes: [`Takes back cycle ${wrong.cycleId}, as cli:kim@host ordered (wrong titles).`],
  });
  const undo = { planId: header.planId, undoReject: ["ben"] };
  const ports = { store: place.store, fence: "private" } as const;
  await recordRelease(
    ports,
    { ...undo, by: kim },
    await resolveRelease(place.store, undo),
    place.clock.now(),
  );
  await place.cycle();
  expect(titles()).toEqual(["Analyst", "Chief", "Analyst"]);
});

it("loses no change of the directory that came before the revert", async () => {
  const wrong = await promoted();
  place.source.change("ann", { department: "Legal" });
  await revert(wrong, { only: ["ann"] });
  await place.cycle();
  expect(accountOf("ann").values).toMatchObject({ title: "Analyst" });
  expect(JSON.stringify(accountOf("ann").values)).toContain("Legal");
  expect(titles()).toEqual(["Analyst", "Chief", "Chief"]);
});

it("leaves what has changed in Lattice since, also if the state database does not know it yet", async () => {
  const wrong = await promoted();
  edit("ann", "Queen");
  const { revert: effect } = await revert(wrong);
  expect(titles()).toEqual(["Queen", "Analyst", "Analyst"]);
  expect(effect?.report.changedSince).toMatchObject([{ objectId: "ann" }]);
});

it("switches accounts on again that a wrong scope switched off, and off again when that is taken back", async () => {
  leaveScope("ann");
  const wrong = await place.cycle();
  expect(accountOf("ann").active).toBe(false);
  const back = await revert(wrong);
  expect(accountOf("ann").active).toBe(true);
  await place.cycle({ full: true });
  expect(accountOf("ann").active).toBe(true);
  const again = await revert(back);
  expect(accountOf("ann").active).toBe(false);
  expect((await place.operations(again.cycleId))[0]).toMatchObject({
    action: "deactivate",
    evidence: { kind: "reverted", detail: `cycle ${back.cycleId} is taken back` },
  });
});

it("knows people by their name in the log and by the one they have today", async () => {
  const wrong = await promoted();
  place.source.change("ann", { userPrincipalName: "ann.lee@example.com" });
  place.source.change("ben", { userPrincipalName: "ann@example.com" });
  place.source.change("cid", { userPrincipalName: "cid.lee@example.com" });
  await place.cycle();
  const changed = async (only: string) => {
    const { revert: effect } = await revert(wrong, { only: [only] }, { dryRun: true });
    return effect?.report.reverts.map(({ objectId }) => objectId);
  };
  expect(await changed("Cid@example.com")).toEqual(["cid"]);
  expect(await changed("CID.lee@example.com")).toEqual(["cid"]);
  expect(await changed("BEN")).toEqual(["ben"]);
  await expect(changed("ann@example.com")).rejects.toThrow(
    "“ann@example.com” is the name of 2 people. Use the object id (ben or ann)",
  );
  await expect(changed("boss@example.com")).rejects.toThrow("has changed nothing of “boss@example.com”");
});

it("says in one sentence which changes of a person are rejected", async () => {
  for (const id of people) place.source.change(id, { jobTitle: "Chief", department: "Legal" });
  await revert(await place.cycle());
  await place.cycle();
  const [first] = await place.store.skipped({ after: "", limit: 9 });
  expect(first?.reason).toMatch(
    /^the changes of title and department were rejected on .*: they are not sent unless the person changes in Entra$/,
  );
});

it("keeps the accounts of leavers off, unless they are named", async () => {
  place.source.change("ann", { accountEnabled: false });
  const gone = await place.cycle();
  const { revert: effect } = await revert(gone);
  expect(accountOf("ann").active).toBe(false);
  expect(effect?.report.skipped).toMatchObject([{ objectId: "ann", what: [{ attribute: "active" }] }]);
  await revert(gone, { only: ["ann"] });
  expect(accountOf("ann").active).toBe(true);
  await place.cycle();
  expect(accountOf("ann").active).toBe(true);
});

it("asks Entra before it switches an account on: a leaver whom no cycle has seen yet stays off", async () => {
  leaveScope("ann");
  const wrong = await place.cycle();
  place.source.change("ann", { accountEnabled: false });
  await revert(wrong);
  expect(accountOf("ann").active).toBe(false);
});

it("deactivates created accounts only if it is ordered, and does not reactivate them", async () => {
  const first = { cycleId: 1 };
  expect(await revert(first)).toMatchObject({ done: 0 });
  expect(await revert(first, { deactivateCreated: true, only: ["cid"] })).toMatchObject({ done: 1 });
  expect(accountOf("cid").active).toBe(false);
  await place.cycle({ full: true });
  expect(accountOf("cid").active).toBe(false);
});

it("is sent whole or not at all where it exceeds a limit, and nothing is rejected then", async () => {
  const wrong = await promoted();
  place.settings = {
    ...place.settings,
    guard: { ...lenientGuard, maxReplacementPercent: 1, replacementFloor: 0 },
  };
  const held = await revert(wrong);
  expect(held).toMatchObject({ outcome: "held", done: 0, heldOperations: 3 });
  expect(held.header.guard.reasons[0]).toContain("guard.maxReplacementPercent");
  expect(titles()).toEqual(["Chief", "Chief", "Chief"]);
  expect(await place.operations(held.cycleId)).toEqual([]);
  await place.cycle();
  expect(await place.store.rejections(10)).toEqual([]);
  expect(await revert(wrong, { release: true })).toMatchObject({ outcome: "done", done: 3 });
  expect(titles()).toEqual(["Analyst", "Analyst", "Analyst"]);
});

it("sends exactly what was agreed to", async () => {
  const wrong = await promoted();
  const before = await promoted("Head");
  const shown = await revert(before, {}, { dryRun: true });
  expect(shown.revert?.agreement.operations).toBe(3);
  edit("ann", "Queen");
  const agreed = shown.revert?.agreement.digest;
  await expect(revert(before, {}, { agreed })).rejects.toThrow(ConfigurationError);
  expect(titles()).toEqual(["Queen", "Head", "Head"]);
  await expect(revert({ cycleId: 99 })).rejects.toThrow(UsageError);
  expect(wrong.done).toBe(3);
});

/** A revert whose process dies after writing to Lattice and before recording it, then a new process. */
async function die(
  cycle: Pick<CycleResult, "cycleId">,
  more: Parameters<typeof revert>[2] = {},
): Promise<void> {
  const whole = place.store;
  place.store = {
    ...whole,
    commit: async (change, fence) => {
      if (change.ended !== undefined || change.cycleEnd !== undefined) throw new StateError("killed");
      await whole.commit(change, fence);
    },
  };
  await expect(revert(cycle, {}, more)).rejects.toThrow("killed");
  place.store = whole;
  await place.restart();
}

it("rejects what a killed run has taken back, and nothing that it has not", async () => {
  const wrong = await promoted();
  place.target.before = ({ userName }) => {
    if (userName === "cid@example.com") throw new UnknownOutcomeError("it never arrived");
  };
  await die(wrong);
  place.target.before = () => {};
  expect(titles()).toEqual(["Analyst", "Analyst", "Chief"]);
  expect(await place.cycle()).toMatchObject({ done: 0 });
  await place.cycle({ full: true });
  expect(titles()).toEqual(["Analyst", "Analyst", "Chief"]);
  const rejected = (await place.store.rejections(10)).map(({ objectId }) => objectId);
  expect(rejected.toSorted()).toEqual(["ann", "ben"]);
  // The rest can be taken back with the same command.
  expect(await revert(wrong)).toMatchObject({ done: 1 });
  await place.cycle();
  expect(titles()).toEqual(["Analyst", "Analyst", "Analyst"]);
});

it("goes on with what is left of exactly what was agreed to if a run of it died, and with nothing else", async () => {
  const wrong = await promoted();
  const agreed = (await revert(wrong, {}, { dryRun: true })).revert?.agreement.digest;
  const before = place.target.writes.length;
  place.target.before = ({ userName }) => {
    if (userName !== "ann@example.com") throw new UnknownOutcomeError("it never arrived");
  };
  await die(wrong, { agreed });
  place.target.before = ({ userName }) => {
    if (userName === "cid@example.com") throw new UnknownOutcomeError("it never arrived");
  };
  await die(wrong, { agreed });
  place.target.before = () => {};
  expect(titles()).toEqual(["Analyst", "Analyst", "Chief"]);
  // It finds that the write to cid never arrived.
  await place.cycle();
  edit("cid", "Queen");
  await expect(revert(wrong, {}, { agreed })).rejects.toThrow(/no longer those that were shown/);
  edit("cid", "Chief");
  expect(await revert(wrong, {}, { agreed })).toMatchObject({ outcome: "done", done: 1 });
  expect(titles()).toEqual(["Analyst", "Analyst", "Analyst"]);
  // Three of them never arrived.
  expect(place.target.writes.slice(before)).toHaveLength(6);
  await expect(revert(wrong, {}, { agreed })).rejects.toThrow(/no longer those that were shown/);
});

it("rejects no part that Lattice refuses to take back", async () => {
  for (const id of people) place.source.change(id, { jobTitle: "Chief", department: "Legal" });
  const wrong = await place.cycle();
  place.target.before = ({ userName, writes }) => {
    if (userName === "ann@example.com" && writes.some(({ path }) => path === "title"))
      throw new RecordRejectedError("no such title", { status: 400, detail: "title is not allowed" });
  };
  await revert(wrong, { only: ["ann"] });
  place.target.before = () => {};
  const rejected = await place.store.rejections(10);
  expect(rejected.map(({ attribute }) => attribute)).toEqual([expect.stringContaining("department")]);
  expect(titles()[0]).toBe("Chief");
});

it("leaves the manager as it is if Lattice refuses the earlier one, who has left since", async () => {
  place.target.lifecycle.inactiveManager = "refuse";
  place.source.setManager("ann", "ben");
  const moved = await place.cycle();
  place.source.change("boss", { accountEnabled: false });
  await place.cycle();
  expect(accountOf("ann").values[managerPath]).toBe(accountOf("ben").latticeId);
  expect(await revert(moved)).toMatchObject({ outcome: "done", done: 0 });
  expect(accountOf("ann").values[managerPath]).toBe(accountOf("ben").latticeId);
  expect(await place.cycle({ full: true })).toMatchObject({ outcome: "done" });
  expect(accountOf("ann").values[managerPath]).toBe(accountOf("ben").latticeId);
});

it("sends nothing to a protected account, nor while an earlier write is in doubt", async () => {
  const wrong = await promoted();
  place.settings = { ...place.settings, protectedAccounts: new Set(["ann@example.com"]) };
  place.target.after = ({ userName }) => {
    if (userName === "ben@example.com") throw new UnknownOutcomeError("no answer came");
  };
  await promoted("Head");
  place.target.after = () => {};
  place.target.beforeRead = (read) => {
    if (read === `get ${accountOf("ben").latticeId}`) throw new RecordRejectedError("no", { status: 400 });
  };
  const { revert: effect } = await revert(wrong);
  expect(effect?.report.skipped.map(({ objectId }) => objectId)).toEqual(["ann", "ben"]);
  expect(titles()).toEqual(["Chief", "Head", "Head"]);
});

it("takes back a chain of userNames in one cycle, and leaves names that other accounts have now", async () => {
  place.settings = { ...place.settings, guard: { ...lenientGuard, enabled: false } };
  place.source.change("ann", { userPrincipalName: "anna@example.com" });
  await place.cycle();
  place.source.change("ben", { userPrincipalName: "ann@example.com" });
  place.source.change("ann", { userPrincipalName: "anne@example.com" });
  const wrong = await place.cycle();
  const names = () => [...place.target.accounts.values()].map(({ userName }) => userName).toSorted();
  expect(names()).toContain("anne@example.com");
  await revert(wrong);
  expect(names()).toEqual(["anna@example.com", "ben@example.com", "boss@example.com", "cid@example.com"]);
  place.target.add({ userName: "ann@example.com" });
  await place.cycle({ full: true });
  const { revert: effect } = await revert({ cycleId: wrong.cycleId - 1 });
  expect(effect?.report.changedSince).toMatchObject([
    { objectId: "ann", what: [{ attribute: "userName", reason: expect.any(String) }] },
  ]);
});

it("reads no values of accounts that a cycle has only created, and all that it has sent for a person otherwise", async () => {
  const { store } = place;
  const planId = "recreated";
  const cycleId = await store.beginCycle({ planId, kind: "incremental", startedAt: 1 }, "private");
  const title = (before: string, after: string) => [{ attribute: "title", before, after }];
  const row = (objectId: string, wave: number, action: "create" | "update", changes: readonly Change[]) => {
    const planned = operationRow(cycleId, objectId, { wave });
    return { ...planned, operation: { ...planned.operation, action, changes } };
  };
  const first = await store.newestOperation();
  // A later operation may be sent in an earlier wave.
  const add = [
    row("ann", 3, "update", title("Analyst", "Head")),
    row("ann", 0, "create", title("Head", "Chief")),
    row("ben", 0, "create", title("", "Chief")),
  ];
  await store.commit({ operations: { add } }, "private");
  const ended = add.map((_, index) => ({ id: first + 1 + index, status: "done" as const, finishedAt: 2 }));
  await store.commit({ ended }, "private");
  const { operations } = await revertedCycle(store, { which: planId, deactivateCreated: false });
  expect(operations.map(({ objectId, action, changes }) => ({ objectId, action, changes }))).toEqual([
    { objectId: "ann", action: "update", changes: title("Analyst", "Chief") },
    { objectId: "ben", action: "create", changes: [] },
  ]);
});
