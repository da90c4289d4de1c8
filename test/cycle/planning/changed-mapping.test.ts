import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { createWorkplace, defaultRules, mappingOf } from "../workplace.ts";

describe("a changed mapping", () => {
  it("has everybody planned again", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { companyName: "Example" });
    place.source.hire("b");
    await place.cycle();
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "displayName"
        ? { target: "displayName", expression: 'Append([displayName], " (x)")' }
        : rule,
    );
    place.settings = { ...place.settings, mapping: mappingOf(rules) };
    const result = await place.cycle();
    expect(result.header).toMatchObject({ cycle: "initial", summary: { update: 2 } });
    expect(place.target.account("b@example.com").values.displayName).toBe("b (x)");
    expect((await place.cycle()).header.cycle).toBe("incremental");
  });

  it("that is reverted has everybody planned again, although it was tried on only one person, or its cycle died", async () => {
    for (const meanwhile of ["onDemand", "died"]) {
      await using place = await createWorkplace();
      for (const id of ["a", "b"]) place.source.hire(id);
      await place.cycle();
      const before = place.settings;
      const mapping = mappingOf(defaultRules, [], { exclude: ["nobody@example.com"] });
      place.settings = { ...before, mapping, actions: { create: true, update: true, deactivate: false } };
      place.source.change("a", { accountEnabled: false });
      if (meanwhile === "onDemand") {
        await place.cycle({ only: ["a"] });
      } else {
        const dying = { ...place.store, countOperations: () => Promise.reject(new Error("killed")) };
        const request = {
          dryRun: false,
          full: false,
          fence: "private" as const,
          signal: new AbortController().signal,
        };
        await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
      }
      expect(await place.store.countSkipped()).toEqual(new Map([["actionOff", 1]]));
      place.settings = before;
      await place.cycle();
      expect(place.target.active()).toEqual(["b@example.com"]);
    }
  });

  it("has everybody planned by the next cycle although it was tried on one person alone", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id, { companyName: "Example" });
    await place.cycle();
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "title" ? { target: "title", source: "companyName" } : rule,
    );
    place.settings = { ...place.settings, mapping: mappingOf(rules) };
    await place.cycle({ only: ["a"] });
    await place.cycle();
    expect(place.target.account("b@example.com").values.title).toBe("Example");
  });

  it("that no longer allows writes of attributes keeps their values, and names the people", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id, { jobTitle: "Analyst" });
    await place.cycle();
    place.settings = { ...place.settings, actions: { create: true, update: false, deactivate: true } };
    place.source.change("a", { jobTitle: "Chief" });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        objectId: "a",
        code: "actionOff",
        reason: "actions.update is off, so Lattice keeps a different title",
      },
    ]);
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
  });

  it("that allows no writes of attributes lists, in the cycle after a link, the values that the account keeps", async () => {
    await using place = await createWorkplace({ actions: { create: true, update: false, deactivate: true } });
    place.source.hire("a", { jobTitle: "Analyst" });
    place.target.add({ userName: "a@example.com", values: { title: "Theirs" } });
    await place.cycle();
    expect(await place.store.latticeIdOf("a")).not.toBeNull();
    place.clock.advance(60_000);
    await place.cycle();
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      {
        objectId: "a",
        code: "actionOff",
        reason: "actions.update is off, so Lattice keeps a different displayName and title",
      },
    ]);
  });

  it("is tried at once on people who failed with the old one", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Refused" });
    const { RecordRejectedError } = await import("../../../src/domain/errors.ts");
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "title")) throw new RecordRejectedError("no", { status: 400 });
    };
    for (let round = 0; round < 6; round += 1) await place.cycle();
    expect(await place.store.countSkipped()).toEqual(new Map([["waitingForRetry", 1]]));
    const rules = defaultRules.filter((rule) => !("target" in rule && rule.target === "title"));
    place.settings = { ...place.settings, mapping: mappingOf(rules) };
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});
