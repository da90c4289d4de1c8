import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { heldBecause } from "../../../src/cycle/guard/hold.ts";
import { protectAccount, unprotectAccount } from "../../../src/cycle/guard/protect.ts";
import { recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import type { CanarySettings, CycleSettings } from "../../../src/cycle/ports/settings.ts";
import type { LoggedOperation } from "../../../src/domain/operation.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { placeInFreshSchema } from "../../state/postgres/place.ts";
import { createWorkplace, defaultRules, kim, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const onA: CanarySettings = { people: 0, users: ["a"], group: null, goesOn: null };
const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const titled = mappingOf([
  ...defaultRules.filter((rule) => !("target" in rule && rule.target === "title")),
  { target: "title", constant: "new" },
]);

/** People with accounts, of whom a new mapping wants another title. It is tried on `a`. */
async function company(
  settings: Partial<CycleSettings> = {},
  inStore: "sqlite" | "postgres" = "sqlite",
): Promise<Workplace> {
  const place = await createWorkplace(settings);
  if (inStore === "postgres") {
    await place.store.close();
    place.store = await openStore(await placeInFreshSchema(), { leaseClock: "caller" });
  }
  for (const id of ["a", "b", "c"]) place.source.hire(id);
  await place.cycle();
  await place.cycle();
  place.settings = { ...place.settings, canary: onA, mapping: titled };
  place.target.writes.length = 0;
  return place;
}

const rename = (place: Workplace, id: string, name: string): void =>
  place.source.change(id, { userPrincipalName: `${name}@example.com` });

const operationOf = async (
  place: Workplace,
  { cycleId }: CycleResult,
  id: string,
): Promise<LoggedOperation | undefined> =>
  (await place.operations(cycleId)).find(({ objectId }) => objectId === id);

/** The canary's reason for each person of whom something is held. */
async function heldByCanary(place: Workplace, result: CycleResult): Promise<Record<string, boolean>> {
  const held = (await place.operations(result.cycleId)).filter(({ status }) => status === "held");
  return Object.fromEntries(
    held.map((operation) => [
      operation.objectId,
      heldBecause(operation, result.header.guard).some((reason) => reason.startsWith("canary: ")),
    ]),
  );
}

const skipCodes = async (place: Workplace): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await place.store.skipped({ after: "", limit: 100 })).map(({ objectId, code }) => [objectId, code]),
  );

const userNames = (place: Workplace): Record<string, string> =>
  Object.fromEntries(
    [...place.target.accounts.values()].map(({ externalId, userName }) => [
      externalId,
      userName.slice(0, userName.indexOf("@")),
    ]),
  );

async function releaseAll(place: Workplace, { header: { planId } }: CycleResult): Promise<void> {
  const decided = await resolveRelease(place.store, { planId });
  const ports = { store: place.store, fence: "private" } as const;
  await recordRelease(ports, { planId, by: kim }, decided, place.clock.now());
}

describe.each(["sqlite", "postgres"] as const)("people who need each other's userNames (%s)", (inStore) => {
  it("wait together, with the canary's reason, if one of them is the canary: when it begins", async () => {
    await using place = await company({}, inStore);
    rename(place, "a", "b");
    rename(place, "b", "free");
    const begun = await place.cycle();
    expect(begun).toMatchObject({ outcome: "held", done: 0, failed: 0 });
    expect(await heldByCanary(place, begun)).toEqual({ a: true, b: true, c: true });

    await releaseAll(place, begun);
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 3, failed: 0 });
    expect(userNames(place)).toEqual({ a: "b", b: "free", c: "c" });
  });

  it("wait together, with the canary's reason, if one of them is the canary: while it is under way", async () => {
    await using place = await company({}, inStore);
    place.settings = { ...place.settings, canary: { ...onA, users: ["a", "b"] } };
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 2 });
    // a needs the name of b, who needs that of c, who is not of the canary.
    rename(place, "a", "b");
    rename(place, "b", "c");
    rename(place, "c", "free");
    const next = await place.cycle();
    expect(next).toMatchObject({ outcome: "held", done: 0, failed: 0, heldOperations: 3 });
    expect(next.header.guard.reasons).toEqual([
      "canary: 3 operations wait, because a new configuration is tried on 2 people first; they wait until a person releases the plan",
    ]);
    expect(await heldByCanary(place, next)).toEqual({ a: true, b: true, c: true });

    // Without these names, they are sent to as before.
    rename(place, "a", "a");
    rename(place, "b", "b");
    place.source.change("a", { department: "moved" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 1, heldOperations: 1 });

    rename(place, "a", "c");
    await releaseAll(place, await place.cycle());
    await place.cycle();
    expect(userNames(place)).toEqual({ a: "c", b: "b", c: "free" });
  });
});

describe("a swap of userNames with one person of the canary in it", () => {
  it("is held as a whole if it goes through a temporary name, before the canary and during it", async () => {
    await using place = await company({ renameRings: "temporaryName" });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    rename(place, "a", "b");
    rename(place, "b", "a");
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", done: 0, failed: 0 });
    expect(await heldByCanary(place, held)).toEqual({ a: true, b: true, c: true });
    expect(userNames(place)).toEqual({ a: "a", b: "b", c: "c" });
    await releaseAll(place, held);
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle();
    expect(userNames(place)).toEqual({ a: "b", b: "a", c: "c" });

    await using fresh = await company({ renameRings: "temporaryName" });
    rename(fresh, "a", "b");
    rename(fresh, "b", "a");
    const begun = await fresh.cycle();
    expect(begun).toMatchObject({ outcome: "held", done: 0, failed: 0 });
    expect(await heldByCanary(fresh, begun)).toEqual({ a: true, b: true, c: true });
  });

  it("is reported, if rings are, and the canary has its other values", async () => {
    await using place = await company();
    rename(place, "a", "b");
    rename(place, "b", "a");
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 1, failed: 0, heldOperations: 2 });
    expect(userNames(place)).toEqual({ a: "a", b: "b", c: "c" });
    await place.cycle();
    expect(await skipCodes(place)).toMatchObject({ a: "renameRing" });
  });
});

describe("a manager who gets an account in the same plan, and is not of the canary", () => {
  it("is held; the person of the canary gets everything else, and the manager with the account", async () => {
    await using place = await company();
    place.source.hire("m");
    place.source.setManager("a", "m");
    const begun = await place.cycle();
    expect(begun).toMatchObject({ outcome: "held", done: 1, failed: 0, heldOperations: 3 });
    expect(await heldByCanary(place, begun)).toEqual({ b: true, c: true, m: true });
    expect(place.target.writes.map(({ kind, userName }) => `${kind} ${userName}`)).toEqual([
      "update a@example.com",
    ]);
    const own = await operationOf(place, begun, "a");
    expect(own?.changes.map(({ attribute }) => attribute)).toEqual(["title", manager]);
    expect(own?.error).toBe("the manager has no account yet; the manager is set as soon as there is one");
    expect((await place.store.totals()).waitingForManager).toBe(1);

    const next = await place.cycle();
    expect(next).toMatchObject({ outcome: "held", done: 0, failed: 0 });
    await releaseAll(place, next);
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle();
    expect(place.target.managerOf("a@example.com")).toBe("m@example.com");
    expect((await place.store.totals()).waitingForManager).toBe(0);
  });
});

describe("a person of the canary whose account is protected", () => {
  it("is not tried on, and skipped with the reason; afterwards waits like all others", async () => {
    await using place = await company();
    const order = { account: "a@example.com", by: kim, reason: "break-glass", at: place.clock.now() };
    await protectAccount(place.store, order, place.settings);
    const begun = await place.cycle();
    expect(begun).toMatchObject({ outcome: "held", done: 0, heldOperations: 2 });
    expect(await skipCodes(place)).toEqual({ a: "protectedAccount" });

    await unprotectAccount(place.store, { ...order, at: place.clock.now() }, place.settings);
    const next = await place.cycle();
    expect(next).toMatchObject({ outcome: "held", done: 0, heldOperations: 3 });
    expect(await heldByCanary(place, next)).toEqual({ a: true, b: true, c: true });
    expect(place.target.writes).toEqual([]);
  });

  it("gets nothing more if it is protected while the canary is under way", async () => {
    await using place = await company();
    expect(await place.cycle()).toMatchObject({ done: 1 });
    place.target.writes.length = 0;
    const order = { account: "a@example.com", by: kim, reason: "break-glass", at: place.clock.now() };
    await protectAccount(place.store, order, place.settings);
    place.source.change("a", { department: "moved" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, failed: 0, heldOperations: 2 });
    expect(await skipCodes(place)).toEqual({ a: "protectedAccount" });
    expect(place.target.writes).toEqual([]);
  });
});

describe("a person of the canary whose link is held", () => {
  it("is held with the guard's own reason, and the canary neither passes nor goes on because of that", async () => {
    await using place = await company({ guard: { ...lenientGuard, maxDoubtfulLinks: 0 } });
    const hourMs = 3_600_000;
    const goesOn = { afterMs: hourMs, maxFailures: 0 };
    place.settings = { ...place.settings, canary: { ...onA, users: ["d"], goesOn } };
    const email = 'emails[type eq "work"].value';
    place.source.hire("d", { displayName: "Dana Sample", mail: "dana@example.com" });
    place.target.add({
      userName: "d@example.com",
      values: { displayName: "Goran Muster", [email]: "goran@example.org" },
    });
    const kinds: string[] = [];
    place.onEvent = ({ kind }) => kinds.push(kind);
    const begun = await place.cycle();
    expect(begun).toMatchObject({ outcome: "held", done: 0, heldOperations: 4 });
    const own = await operationOf(place, begun, "d");
    expect(own).toMatchObject({ action: "link", status: "held" });
    expect(own === undefined ? [] : heldBecause(own, begun.header.guard)).toEqual([
      expect.stringContaining("guard.maxDoubtfulLinks"),
    ]);
    place.clock.advance(24 * hourMs);
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 4 });
    expect(kinds).toEqual(["canaryBegun", "guardHeld"]);
  });
});
