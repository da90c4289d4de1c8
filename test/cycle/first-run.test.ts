import { describe, expect, it } from "vitest";
import { createWorkplace, defaultRules, mappingOf } from "./workplace.ts";

describe("the first run", () => {
  it("creates everybody with their manager in one write each, managers first", async () => {
    await using place = await createWorkplace();
    // Ids against the order of the hierarchy.
    place.source.hire("a-report", { jobTitle: "Analyst" }, "m-lead");
    place.source.hire("m-lead", {}, "z-chief");
    place.source.hire("z-chief");
    place.source.hire("b-report", {}, "m-lead");

    const result = await place.cycle();

    expect(result).toMatchObject({
      outcome: "done",
      done: 4,
      failed: 0,
      header: { cycle: "initial", summary: { create: 4, update: 0, skipped: 0 } },
    });
    expect(place.target.writes.map((write) => write.kind)).toEqual(["create", "create", "create", "create"]);
    expect(place.target.managerOf("a-report@example.com")).toBe("m-lead@example.com");
    expect(place.target.managerOf("b-report@example.com")).toBe("m-lead@example.com");
    expect(place.target.managerOf("m-lead@example.com")).toBe("z-chief@example.com");
    expect(place.target.account("a-report@example.com")).toMatchObject({
      externalId: "a-report",
      active: true,
      values: { title: "Analyst", displayName: "a-report" },
    });
    expect(place.target.reads).toEqual(["list"]);
    // The log says which account each of them got.
    const logged = await place.operations(result.cycleId);
    expect(logged.map(({ userName, latticeId }) => [userName, latticeId])).toEqual(
      [...place.target.accounts.values()].map(({ userName, latticeId }) => [userName, latticeId]),
    );
  });

  it("closes a ring of managers with a second request for one of its members, if rings are sent", async () => {
    await using place = await createWorkplace({ managerRings: "send" });
    place.source.hire("a", {}, "b");
    place.source.hire("b", {}, "c");
    place.source.hire("c", {}, "a");
    place.source.hire("below", {}, "c");

    const result = await place.cycle();

    expect(result.outcome).toBe("done");
    expect(place.target.writes.filter((write) => write.kind === "create")).toHaveLength(4);
    expect(place.target.writes.filter((write) => write.kind === "update")).toHaveLength(1);
    expect(["a", "b", "c", "below"].map((id) => place.target.managerOf(`${id}@example.com`))).toEqual([
      "b@example.com",
      "c@example.com",
      "a@example.com",
      "c@example.com",
    ]);
  });

  it("is followed by a cycle that plans nothing, writes nothing and does not read Lattice", async () => {
    await using place = await createWorkplace({ managerRings: "send" });
    place.source.hire("a", {}, "b");
    place.source.hire("b", {}, "a");
    place.source.hire("c", { accountEnabled: false });
    await place.cycle();
    place.target.writes.length = 0;
    place.target.reads.length = 0;
    place.source.reads.length = 0;

    const second = await place.cycle();

    expect(second.header).toMatchObject({
      cycle: "incremental",
      summary: { create: 0, update: 0, deactivate: 0, reactivate: 0, link: 0, unchanged: 2, skipped: 1 },
    });
    expect(place.target.writes).toEqual([]);
    expect(place.target.reads).toEqual([]);
    expect(place.source.reads).toEqual(["changes"]);
    expect(await place.operations(second.cycleId)).toEqual([]);
  });

  it("plans nothing in a full cycle either", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" }, "b");
    place.source.hire("b");
    await place.cycle();
    place.target.writes.length = 0;
    const full = await place.cycle({ full: true });
    expect(full.header.cycle).toBe("reconcile");
    expect(await place.operations(full.cycleId)).toEqual([]);
    expect(place.target.writes).toEqual([]);
  });

  it("does not clear the default that a create has sent", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "title" ? { ...rule, default: "Employee" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a");
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Employee");
    const full = await place.cycle({ full: true });
    expect(await place.operations(full.cycleId)).toEqual([]);
    // A value that was set and cleared again is cleared nevertheless.
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: null });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBeUndefined();
  });

  it("adopts existing accounts, and sends them only the differences", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "A@example.com", values: { displayName: "a", title: "Old" } });
    place.target.add({ userName: "other@example.com", externalId: "b" });
    place.target.add({ userName: "stranger@example.com" });
    place.source.hire("a", { jobTitle: "New" });
    place.source.hire("b");

    const result = await place.cycle();

    expect(result.header.summary).toMatchObject({ create: 0, link: 2 });
    expect(place.target.accounts.size).toBe(3);
    const first = place.target.writes.find((write) => write.userName === "A@example.com");
    expect(first?.writes).toEqual([
      { path: "externalId", value: "a" },
      { path: "title", value: "New" },
    ]);
    expect(place.target.account("b@example.com").latticeId).toBe("lat-2");
    expect(place.target.account("stranger@example.com").active).toBe(true);
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ link: 0, unchanged: 2 });
  });

  it("creates neither of two people with one user name, and reports both", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { userPrincipalName: "same@example.com" });
    place.source.hire("b", { userPrincipalName: "Same@example.com" });
    place.source.hire("off", { userPrincipalName: "same@example.com", accountEnabled: false });
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    const skipped = await place.store.skipped({ after: "", limit: 10 });
    expect(skipped.slice(0, 2).map(({ objectId, code }) => [objectId, code])).toEqual([
      ["a", "duplicateUserName"],
      ["b", "duplicateUserName"],
    ]);
    // As soon as one has another name, both get accounts.
    place.source.change("a", { userPrincipalName: "free@example.com" });
    await place.cycle();
    expect(place.target.active()).toEqual(["Same@example.com", "free@example.com"]);
  });

  it("allows a person whom a filter excludes to share a name with a person in scope", async () => {
    const mapping = mappingOf(defaultRules, [
      { clauses: [{ attribute: "department", operator: "EQUALS", value: "People" }] },
    ]);
    await using place = await createWorkplace({ mapping });
    place.source.hire("in", { userPrincipalName: "same@example.com", department: "People" });
    place.source.hire("out", { userPrincipalName: "same@example.com" });
    await place.cycle();
    expect(place.target.account("same@example.com").externalId).toBe("in");
    expect(place.target.accounts.size).toBe(1);
  });

  it("keeps the order with several batches and more people than slots", async () => {
    await using place = await createWorkplace({ concurrency: 8 });
    for (let number = 299; number >= 0; number -= 1) {
      const id = `p${String(number).padStart(3, "0")}`;
      place.source.hire(id, {}, number === 299 ? null : `p${String(number + 1).padStart(3, "0")}`);
    }
    let inFlight = 0;
    let most = 0;
    place.target.before = async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
    };
    const result = await place.cycle();
    expect(result).toMatchObject({ done: 300, failed: 0 });
    expect(place.target.writes).toHaveLength(300);
    expect(place.target.managerOf("p000@example.com")).toBe("p001@example.com");
    expect(most).toBeLessThanOrEqual(8);
  });
});
