import { describe, expect, it } from "vitest";
import { runCycle } from "../../src/cycle/cycle.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  RecordRejectedError,
  StateError,
  UnknownOutcomeError,
} from "../../src/domain/errors.ts";
import type { PersonStep } from "../../src/domain/plan.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "./workplace.ts";

/** Runs a cycle on demand and returns the steps that it reported. */
async function stepsOf(place: Workplace, only: readonly string[], dryRun = false): Promise<PersonStep[]> {
  const steps: PersonStep[] = [];
  await runCycle(
    { ...place.ports(), onStep: (step) => steps.push(step) },
    { dryRun, full: false, fence: "private", only, signal: new AbortController().signal },
  );
  return steps;
}

const short = (steps: readonly PersonStep[]): string[] =>
  steps.map(({ objectId, step, outcome }) => `${objectId} ${step} ${outcome}`);

const strict = { ...lenientGuard, maxDeactivations: 2, deactivationFloor: 0 };

describe("a cycle on demand of several people", () => {
  it("updates them in one cycle, managers first, and no one else", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("a", {}, "boss");
    place.source.hire("b");
    const result = await place.cycle({ only: ["a@example.com", "boss", "A@example.com".toLowerCase()] });
    expect(result.header.summary).toMatchObject({ create: 2, unchanged: 0 });
    expect(place.target.active()).toEqual(["a@example.com", "boss@example.com"]);
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    const again = await place.cycle({ only: ["a", "boss"] });
    expect(again.header.summary).toMatchObject({ create: 0, update: 0, unchanged: 2, skipped: 0 });
  });

  it("changes nothing if one of them is unknown, and names all unknown ones", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const cycle = place.cycle({ only: ["a", "ghost@example.com", "phantom@example.com"] });
    await expect(cycle).rejects.toThrow(ConfigurationError);
    await expect(cycle).rejects.toThrow(/"ghost@example\.com", "phantom@example\.com"/);
    expect(place.target.writes).toEqual([]);
  });

  it("weighs them like any other cycle", async () => {
    const guard = { enabled: true, maxDeactivations: 1, deactivationFloor: 0 };
    await using place = await createWorkplace();
    place.settings = { ...place.settings, guard: { ...place.settings.guard, ...guard } };
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: false });
    expect(await place.cycle({ only: ["a", "b"] })).toMatchObject({ outcome: "held", heldOperations: 2 });
    expect(place.target.active()).toHaveLength(3);
    // Deactivations one by one do not bypass the limit: the window counts them.
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "done", done: 1 });
    expect(await place.cycle({ only: ["b"] })).toMatchObject({ outcome: "held" });
  });

  it("sends nothing if the plan differs from the one that was confirmed", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.change("a", { jobTitle: "Analyst" });
    const shown = await place.cycle({ only: ["a"], dryRun: true });
    const agreed = shown.onDemand?.agreement.digest;
    place.source.change("a", { jobTitle: "Chief" });
    await expect(place.cycle({ only: ["a"], agreed })).rejects.toThrow(/no longer those that were shown/);
    expect(place.target.account("a@example.com").values.title).toBeUndefined();
    place.source.change("a", { jobTitle: "Analyst" });
    expect(await place.cycle({ only: ["a"], agreed })).toMatchObject({ done: 1 });
  });
});

it("goes on with what is left of exactly what a person has confirmed if a run of it died", async () => {
  await using place = await createWorkplace();
  place.source.hire("a");
  await place.cycle();
  place.source.change("a", { jobTitle: "Analyst" });
  place.source.hire("b");
  place.source.hire("c");
  const only = ["a", "b", "c"];
  const agreed = (await place.cycle({ only, dryRun: true })).onDemand?.agreement.digest;
  const whole = place.store;
  place.store = {
    ...whole,
    commit: async (change, fence) => {
      if (change.cycleEnd !== undefined) throw new StateError("killed");
      await whole.commit(change, fence);
    },
  };
  place.target.before = ({ userName }) => {
    if (userName === "c@example.com") throw new UnknownOutcomeError("it never arrived");
  };
  await expect(place.cycle({ only, agreed })).rejects.toThrow("killed");
  place.target.before = () => {};
  place.store = whole;
  await place.restart();
  expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
  expect(await place.cycle({ only, agreed })).toMatchObject({ outcome: "done", done: 1 });
  expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
  expect(place.target.accounts.size).toBe(3);
});

describe("the steps of a cycle on demand", () => {
  it("are reported for each person in their order", async () => {
    await using place = await createWorkplace();
    place.source.groups = { Staff: ["a"] };
    place.source.hire("a");
    const steps = await stepsOf(place, ["a@example.com"]);
    expect(steps).toMatchObject([
      { user: "a@example.com", objectId: "a", step: "connect", outcome: "done" },
      { step: "import", outcome: "done" },
      { step: "scope", outcome: "done", detail: "in scope: Staff" },
      { step: "match", outcome: "done", detail: "no account in Lattice" },
      { step: "act", outcome: "done", detail: "create: new in scope" },
    ]);
    place.source.change("a", { jobTitle: "Analyst" });
    expect((await stepsOf(place, ["a"], true)).at(-1)).toMatchObject({
      outcome: "planned",
      detail: "update title: title changed",
    });
  });

  it("name people who are not in scope, who match an existing account, and who match none unambiguously", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["b", "c"];
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.add({ userName: "b@example.com", externalId: null });
    place.target.add({ userName: "c@example.com", externalId: "former" });
    const steps = await stepsOf(place, ["a", "b", "c"]);
    expect(short(steps.filter(({ step }) => step !== "connect" && step !== "import"))).toEqual([
      "a scope skipped",
      "a match skipped",
      "b scope done",
      "b match done",
      "c scope done",
      "c match failed",
      "a act skipped",
      "b act done",
      "c act skipped",
    ]);
  });

  it("claim no more than is known about an account that is not adopted, or was not searched for", async () => {
    await using place = await createWorkplace();
    place.settings = { ...place.settings, events: { ...place.settings.events, disabled: { do: "ignore" } } };
    place.source.hire("a", { accountEnabled: false });
    place.source.hire("b", { userPrincipalName: "no address" });
    const account = place.target.add({ userName: "a@example.com", externalId: null });
    place.target.add({ userName: "b@example.com", externalId: null });
    const matches = (await stepsOf(place, ["a", "b"])).filter(({ step }) => step === "match");
    expect(matches).toMatchObject([
      { outcome: "done", detail: `existing account, not linked now: ${account.latticeId}` },
      { outcome: "skipped", detail: expect.stringMatching(/^not searched for: the mapped userName/) },
    ]);
  });

  it("say of a deactivation that was not confirmed by id that it was not sent, and why", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    place.source.groups = { staff: ["a", "b"] };
    await place.cycle();
    const actOf = async (): Promise<string | undefined> =>
      (await stepsOf(place, ["a"])).find(({ step }) => step === "act")?.detail;
    // A member by id; the list that a deactivation depends on says otherwise, and then there is no answer.
    place.source.unlisted.add("a");
    const { readMembership } = place.source;
    let asked = 0;
    place.source.readMembership = async (ids, signal) => {
      asked += 1;
      return asked === 1 ? new Map(ids.map((id) => [id, []])) : readMembership(ids, signal);
    };
    expect(await actOf()).toBe("not deactivated: Entra still has the person or membership when asked by id");
    place.source.readMembership = async (ids) => {
      asked += 1;
      if (asked === 3) return new Map(ids.map((id) => [id, []]));
      throw new HostUnavailableError("Graph answered 503.");
    };
    expect(await actOf()).toBe(
      "not deactivated: Entra did not confirm by id that the person has left (Graph answered 503.)",
    );
    expect(place.target.active()).toHaveLength(2);
  });

  it("name Entra or Lattice if it does not answer", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const steps: PersonStep[] = [];
    place.target.beforeRead = () => {
      throw new HostUnavailableError("Lattice is away");
    };
    const cycle = runCycle(
      { ...place.ports(), onStep: (step) => steps.push(step) },
      { dryRun: false, full: false, only: ["a"], fence: "private", signal: new AbortController().signal },
    );
    await expect(cycle).rejects.toThrow("Lattice is away");
    expect(steps).toMatchObject([{ step: "connect", outcome: "failed", detail: "Lattice: Lattice is away" }]);
  });
});

describe("the membership that a cycle on demand needs", () => {
  it("is asked for one person if that is enough", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a"];
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.source.scope = ["a", "b"];
    place.source.reads.length = 0;
    await place.cycle({ only: ["b", "c"] });
    expect(place.source.reads).not.toContain("scope");
    expect(place.source.reads).toContain("membership b c");
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com"]);
    // The next cycle reads the same scope.
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0, deactivate: 0 });
  });

  it("is read from the whole scope for a person whose account would be deactivated", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b"];
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.scope = ["b"];
    place.source.breakScope = true;
    await expect(place.cycle({ only: ["a"] })).rejects.toThrow(HostUnavailableError);
    expect(place.target.active()).toHaveLength(2);
    place.source.breakScope = false;
    place.source.reads.length = 0;
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ done: 1 });
    expect(place.source.reads).toContain("scope");
    expect(place.target.active()).toEqual(["b@example.com"]);
  });

  it("is forgotten for a person without an account", async () => {
    await using place = await createWorkplace({ actions: { create: false, update: true, deactivate: true } });
    place.source.scope = ["a"];
    place.source.hire("a");
    await place.cycle();
    place.source.scope = [];
    place.settings = { ...place.settings, actions: { create: true, update: true, deactivate: true } };
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ done: 0 });
    expect(place.target.active()).toEqual([]);
  });

  it("is read from the whole scope if it cannot be asked for single people", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a"];
    place.source.hire("a");
    place.source.refuseMembership = true;
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ done: 1 });
    expect(place.source.reads).toContain("scope");
  });
});

describe("a cycle on demand", () => {
  it("updates one person and no one else", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.source.change("a", { jobTitle: "Analyst" });
    place.source.change("b", { jobTitle: "Analyst" });
    const result = await place.cycle({ only: ["a@example.com"] });
    expect(result.header).toMatchObject({ cycle: "on-demand", summary: { update: 1 } });
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    expect(place.target.account("b@example.com").values.title).toBeUndefined();
    expect(place.source.reads.at(-1)).toBe("user a");
    await place.cycle();
    expect(place.target.account("b@example.com").values.title).toBe("Analyst");
  });

  it("works on an empty database, and finds the account by look-up", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", {}, "boss");
    place.source.hire("boss");
    place.target.add({ userName: "a@example.com", externalId: "a" });
    expect((await place.cycle({ only: ["a"] })).header.summary).toMatchObject({ link: 1, create: 0 });
    expect(place.target.reads).not.toContain("list");
    expect((await place.cycle()).header.cycle).toBe("initial");
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    expect(place.target.accounts.size).toBe(2);
  });

  it("finds the account by the mapped externalId, whatever its name is by now", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === "externalId" ? { ...rule, source: "employeeId" } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("a", { employeeId: "E-7" });
    place.target.add({ userName: "former@example.com", externalId: "E-7" });
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ outcome: "done", done: 1 });
    expect([...place.target.accounts.values()]).toMatchObject([
      { userName: "a@example.com", externalId: "E-7" },
    ]);
  });

  it("does not write to the people who waited for that person", async () => {
    await using place = await createWorkplace({ guard: { ...strict, maxDeactivations: 0 } });
    place.source.scope = ["r"];
    place.source.hire("boss");
    place.source.hire("r", {}, "boss");
    await place.cycle();
    place.source.scope = ["r", "boss"];
    place.target.writes.length = 0;
    await place.cycle({ only: ["boss"] });
    expect(place.target.writes.map((write) => write.userName)).toEqual(["boss@example.com"]);
    await place.cycle();
    expect(place.target.managerOf("r@example.com")).toBe("boss@example.com");
  });

  it("deactivates a person who does not exist in the directory any more", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.source.remove("a", "deleted");
    await place.cycle({ only: ["a@example.com"] });
    expect(place.target.active()).toEqual([]);
  });

  it("does not wait for the retry schedule", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.before = () => {
      throw new RecordRejectedError("no", { status: 400 });
    };
    for (let round = 0; round < 6; round += 1) await place.cycle();
    place.target.before = () => {};
    await place.cycle({ only: ["a"] });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("names a person whom Entra does not know", async () => {
    await using place = await createWorkplace();
    await expect(place.cycle({ only: ["nobody@example.com"] })).rejects.toThrow(ConfigurationError);
    await expect(place.cycle({ only: ["nobody@example.com"] })).rejects.toThrow(/nobody@example\.com/);
  });
});
