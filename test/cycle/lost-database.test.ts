import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StateError } from "../../src/domain/errors.ts";
import { backUp, prepareRestore } from "../../src/state/sqlite/files/backup.ts";
import { replaceDatabase } from "../../src/state/sqlite/files/replace.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "./workplace.ts";

async function lose(place: Workplace): Promise<void> {
  await place.store.close();
  for (const ending of ["", "-wal", "-shm"]) rmSync(`${place.path}${ending}`, { force: true });
  place.store = openStore(place.path);
}

async function restore(place: Workplace, file: string): Promise<void> {
  await place.store.close();
  const { temporary } = prepareRestore(place.path, file);
  await replaceDatabase(place.path, temporary, { owner: "restore", now: place.clock.now(), ttlMs: 60_000 });
  place.store = openStore(place.path);
}

const managerPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

const names = ["a", "b", "c", "d", "e", "f"] as const;

/** Six people with a manager; `f` has left before. */
async function settled(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  for (const name of names) place.source.hire(name, { jobTitle: "Analyst" }, name === "a" ? null : "a");
  await place.cycle();
  place.source.change("f", { accountEnabled: false });
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

describe("a lost database", () => {
  it("is rebuilt by matching, without a write for people whose accounts are correct", async () => {
    await using place = await settled();
    await lose(place);

    const result = await place.cycle();

    expect(result).toMatchObject({ outcome: "done", header: { cycle: "initial" } });
    expect(result.header.summary).toMatchObject({ create: 0, deactivate: 0, reactivate: 0, link: 6 });
    expect(place.target.writes).toEqual([]);
    expect(await place.store.totals()).toMatchObject({ linked: 6, linkedActive: 5 });
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ unchanged: 6, link: 0 });
  });

  it("removes no manager from a person on demand before it is rebuilt", async () => {
    // The manager is read with the person; the manager's membership and account are unknown.
    const target = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:managerName";
    const mapping = mappingOf([...defaultRules, { target, source: "manager.displayName" }]);
    await using place = await settled({ mapping });
    place.source.scope = [...names];
    await place.cycle();
    expect(place.target.managerOf("b@example.com")).toBe("a@example.com");
    await lose(place);

    await place.cycle({ only: ["b"] });

    expect(place.target.managerOf("b@example.com")).toBe("a@example.com");
  });

  it("takes the account that carries the externalId, not another one with the new userName", async () => {
    await using place = await settled();
    const own = (await place.store.linkOf("b"))?.latticeId;
    place.target.add({ userName: "taken@example.com" });
    place.source.change("b", { userPrincipalName: "taken@example.com" });
    await lose(place);

    const result = await place.cycle();

    // Another person has the name, and that is reported; no person has two accounts.
    expect(result).toMatchObject({ outcome: "someFailed", failed: 1 });
    expect(place.target.account("taken@example.com").externalId).toBeNull();
    place.source.remove("b", "softDeleted");
    await place.cycle();
    expect(place.target.accounts.get(String(own))?.active).toBe(false);
  });

  it("sets a manager who gets another account than the one that has the manager's userName", async () => {
    await using place = await createWorkplace();
    place.target.unique = false;
    for (const name of ["a", "b", "c"]) place.source.hire(name, {}, name === "a" ? null : "a");
    await place.cycle();
    const own = (await place.store.linkOf("b"))?.latticeId;
    place.source.setManager("c", "b");
    place.source.remove("a", "softDeleted");
    place.source.change("b", { userPrincipalName: "a@example.com" });
    await lose(place);

    // c's account still has the manager a, whose userName is b's by now.
    await place.cycle();

    expect((await place.store.linkOf("b"))?.latticeId).toBe(own);
    expect(place.target.account("c@example.com").values[managerPath]).toBe(own);
    place.target.writes.length = 0;
    await place.cycle();
    expect(place.target.writes).toEqual([]);
  });

  it("reports it if only the userName may decide and two accounts match", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId" ? { ...rule, matchingPrecedence: undefined } : rule,
    );
    await using place = await settled({ mapping: mappingOf(rules) });
    place.target.add({ userName: "taken@example.com" });
    place.source.change("b", { userPrincipalName: "taken@example.com" });
    await lose(place);
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await place.store.countSkipped()).toEqual(new Map([["ambiguousMatch", 1]]));
  });

  it("is weighed by the accounts that it finds, not by the links that it lost", async () => {
    const guard = { ...lenientGuard, maxDeactivationPercent: 50, deactivationFloor: 0 };
    await using place = await settled({ guard: { ...guard, maxClearsPercent: 50, clearFloor: 0 } });
    place.source.change("b", { accountEnabled: false });
    place.source.change("c", { jobTitle: null });
    await lose(place);

    const result = await place.cycle();

    expect(result).toMatchObject({ outcome: "done", header: { guard: { held: false, reasons: [] } } });
    expect(place.target.active()).toEqual(["a", "c", "d", "e"].map((name) => `${name}@example.com`));
    expect(place.target.account("c@example.com").values.title).toBeUndefined();
  });

  it("deactivates people disabled in between, updates changed ones, creates new ones, and does not write to the others", async () => {
    await using place = await settled();
    place.source.change("b", { accountEnabled: false });
    place.source.change("c", { jobTitle: "Lead" });
    place.source.change("d", { userPrincipalName: "renamed@example.com" });
    place.source.hire("g", {}, "a");
    place.source.change("f", { jobTitle: "Left" });
    await lose(place);

    const result = await place.cycle();

    expect(result).toMatchObject({ outcome: "done", failed: 0 });
    expect(result.header.summary).toMatchObject({ create: 1, deactivate: 1, reactivate: 0 });
    expect(place.target.active()).toEqual([
      "a@example.com",
      "c@example.com",
      "e@example.com",
      "g@example.com",
      "renamed@example.com",
    ]);
    expect(place.target.accounts.size).toBe(7);
    expect(place.target.account("c@example.com").values.title).toBe("Lead");
    const touched = new Set(place.target.writes.map(({ userName }) => userName));
    expect([...touched].sort()).toEqual([
      "b@example.com",
      "c@example.com",
      "d@example.com",
      "f@example.com",
      "g@example.com",
    ]);
  });

  it("finds the account whose create was in flight when the database was lost", async () => {
    await using place = await settled();
    place.source.hire("g");
    place.target.after = ({ kind }) => {
      if (kind === "create") throw new StateError("killed");
    };
    await expect(place.cycle()).rejects.toThrow("killed");
    place.target.after = () => {};
    await lose(place);
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0, link: 7 });
    expect(place.target.accounts.size).toBe(7);
  });
});

describe("a restored database", () => {
  it("reads Entra and Lattice in full, and handles everything since the backup", async () => {
    await using place = await settled();
    const file = join(place.path, "..", "backup.db");
    backUp(place.path, file, { force: false });
    place.source.hire("g");
    place.source.change("b", { accountEnabled: false });
    place.source.change("c", { jobTitle: "Lead" });
    await place.cycle();
    place.source.change("c", { jobTitle: "Head" });
    place.target.writes.length = 0;
    place.source.reads.length = 0;
    place.target.reads.length = 0;

    await restore(place, file);
    const result = await place.cycle();

    expect(place.source.reads).toContain("all");
    expect(place.target.reads).toContain("list");
    expect(result.header.summary).toMatchObject({ create: 0, deactivate: 0, update: 1, link: 1 });
    expect(place.target.writes).toMatchObject([{ userName: "c@example.com" }]);
    expect(place.target.account("c@example.com").values.title).toBe("Head");
    expect((await place.cycle()).header.cycle).toBe("incremental");
  });

  it("does not take changes sent since the backup for manual ones", async () => {
    await using place = await settled({ drift: "report" });
    const file = join(place.path, "..", "backup.db");
    backUp(place.path, file, { force: false });
    place.source.change("c", { jobTitle: "Lead" });
    await place.cycle();
    // Back to the state of the backup.
    place.source.change("c", { jobTitle: "Analyst" });
    await restore(place, file);
    await place.cycle();
    expect(place.target.account("c@example.com").values.title).toBe("Analyst");

    // Once it has been read again, a manual change counts as one.
    const account = place.target.account("d@example.com");
    place.target.accounts.set(account.latticeId, {
      ...account,
      values: { ...account.values, title: "Edited" },
    });
    await place.cycle({ full: true });
    expect(place.target.account("d@example.com").values.title).toBe("Edited");
  });
});
