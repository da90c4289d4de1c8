import { describe, expect, it } from "vitest";
import { HostUnavailableError, RecordRejectedError } from "../../../src/domain/errors.ts";
import { backUp, prepareRestore } from "../../../src/state/sqlite/files/backup.ts";
import { replaceDatabase } from "../../../src/state/sqlite/files/replace.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

describe("a person who is missing from a full read", () => {
  it("is asked about by id, and stays if the directory has the person", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.source.hidden.add("b");
    const result = await place.cycle({ full: true });
    expect(place.source.reads).toContain("user b");
    expect(place.source.reads).not.toContain("user a");
    expect(result.header.summary).toMatchObject({ deactivate: 0, unchanged: 3 });
    expect(place.target.active()).toHaveLength(3);
  });

  it("is deactivated if the directory answers that there is no such person", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.source.remove("b", "deleted");
    place.source.expireWatermarks();
    // The watermark is refused, so all people are read.
    const result = await place.cycle();
    expect(place.source.reads.slice(-4)).toEqual(["changes", "all", "user b", "user b"]);
    expect((await place.operations(result.cycleId)).map((operation) => operation.evidence?.kind)).toEqual([
      "deleted",
    ]);
    expect(place.target.active()).toEqual(["a@example.com", "c@example.com"]);
    expect((await place.cycle()).header.cycle).toBe("incremental");
  });

  it("no longer counts as gone after a read that broke off once it had shown the person", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.remove("b", "softDeleted");
    place.source.breakChanges = true;
    await expect(place.cycle()).rejects.toThrow("went away");
    place.source.breakChanges = false;
    place.source.restore("b");
    place.source.hidden.add("b");
    await place.cycle();
    expect(place.source.reads.slice(-2)).toEqual(["all", "user b"]);
    expect(place.target.active()).toHaveLength(2);
    // A person who is really gone stays gone, with the reason that was seen.
    place.source.remove("b", "softDeleted");
    place.source.breakChanges = true;
    await expect(place.cycle()).rejects.toThrow("went away");
    place.source.breakChanges = false;
    const { cycleId } = await place.cycle();
    expect((await place.operations(cycleId)).map(({ evidence }) => evidence?.kind)).toEqual(["softDeleted"]);
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("is forgotten if there never was an account", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a"];
    place.source.hire("a");
    place.source.hire("b");
    await place.cycle();
    place.source.remove("b", "deleted");
    await place.cycle({ full: true });
    expect(await place.store.totals()).toMatchObject({ sourceUsers: 1 });
  });
});

describe("a read that breaks off", () => {
  it("of the directory deactivates no one, and starts again from the beginning", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
    await place.cycle();
    place.source.breakList = true;
    await expect(place.cycle({ full: true })).rejects.toThrow(HostUnavailableError);
    place.source.breakList = false;
    expect((await place.cycle()).header.summary).toMatchObject({ deactivate: 0, unchanged: 4 });
    expect(place.target.active()).toHaveLength(4);
  });

  it("of the scope deactivates no one, and the changes are sent when the scope can be read again", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b", "c", "d"];
    for (const id of place.source.scope) place.source.hire(id);
    await place.cycle();
    place.source.breakScope = true;
    place.source.scope = ["a"];
    place.source.change("a", { jobTitle: "Analyst" });
    await expect(place.cycle()).rejects.toThrow("the scope read broke off");
    expect(place.target.active()).toHaveLength(4);
    expect((await place.store.recentCycles(1))[0]).toMatchObject({ outcome: "failed", done: 0 });

    place.source.breakScope = false;
    place.source.scope = ["a", "b", "c", "d"];
    const next = await place.cycle();
    expect(next.header.summary).toMatchObject({ update: 1, deactivate: 0, unchanged: 3 });
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });

  it("of Lattice is repeated as a first read", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.beforeRead = () => {
      throw new HostUnavailableError("down");
    };
    await expect(place.cycle()).rejects.toThrow("down");
    place.target.beforeRead = () => {};
    expect((await place.cycle()).header).toMatchObject({ cycle: "initial", summary: { create: 1 } });
  });
});

describe("a restored database", () => {
  it("is compared with Lattice before anything is planned, however often the listing breaks off", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    const backup = `${place.path}.backup`;
    backUp(place.path, backup, { force: false });
    await place.store.close();
    const lease = { owner: "restore", now: place.clock.now(), ttlMs: 60_000 };
    await replaceDatabase(place.path, prepareRestore(place.path, backup).temporary, lease);
    place.store = openStore(place.path);
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, {
      ...account,
      values: { ...account.values, title: "Older" },
    });
    place.target.beforeRead = (read) => {
      if (read === "list") throw new HostUnavailableError("Lattice went away");
    };
    await expect(place.cycle()).rejects.toThrow("went away");
    place.target.beforeRead = () => {};
    expect((await place.cycle()).header.cycle).toBe("initial");
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });
});

describe("a directory that answers without users", () => {
  it("is not planned with the data of an earlier day", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.target.before = () => {
      throw new RecordRejectedError("not now", { status: 400 });
    };
    place.source.change("a", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    place.target.before = () => {};
    place.target.writes.length = 0;
    place.source.hidden.add("a");
    await place.cycle({ full: true });
    expect(place.target.writes).toEqual([]);
    place.source.hidden.clear();
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
  });
});

describe("a person whom the mapping makes inactive, without evidence for a deactivation", () => {
  const byTitle = {
    target: "active",
    expression: 'Switch([jobTitle], "True", "Contractor", "False")',
  };
  const rules = defaultRules.map((rule) => ("target" in rule && rule.target === "active" ? byTitle : rule));

  it("keeps the account, and the other changes are sent", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { jobTitle: "Lead" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Contractor" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 1, deactivate: 0 });
    expect(place.target.account("a@example.com")).toMatchObject({
      active: true,
      values: { title: "Contractor" },
    });
  });

  it("is skipped with the reason if their userName is at fault", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { jobTitle: "Lead" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Contractor", userPrincipalName: "no address" });
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, skipped: 1, unchanged: 0 });
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([{ code: "invalidUserName" }]);
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});
