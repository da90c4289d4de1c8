import { describe, expect, it } from "vitest";
import { explain } from "../../../src/cycle/person/explain.ts";
import type { ExplainSettings } from "../../../src/cycle/person/explain-settings.ts";
import type { Explanation } from "../../../src/cycle/person/explanation.ts";
import { readNow } from "../../../src/cycle/person/read-now.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { explanationText } from "../../../src/report/explanation.ts";
import { openReadOnlyStore } from "../../../src/state/sqlite/store.ts";
import {
  createWorkplace,
  defaultRules,
  lenientGuard,
  mappingOf,
  rejectHeld,
  type Workplace,
} from "../workplace.ts";

/** From the database alone, opened read-only. */
async function explained(
  place: Workplace,
  asked: string,
  scope: Partial<ExplainSettings["scope"]> = {},
): Promise<Explanation> {
  const store = openReadOnlyStore(place.path);
  if (store === null) throw new Error("there is no database");
  try {
    const mode = place.source.scope === null && place.source.groups === null ? "all" : "groups";
    const settings = {
      ...place.settings,
      scope: { mode, configured: ["Staff"], nested: true, guests: true, ...scope } as const,
    };
    const environment = { now: place.clock.now, random: () => 0.5 };
    return JSON.parse(JSON.stringify(await explain(store, settings, asked, { environment })));
  } finally {
    await store.close();
  }
}

describe("the explanation of a person", () => {
  it("shows the directory's values, how each mapped value was computed, the account, and the log", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("a", { givenName: "Kim", surname: "Example", jobTitle: "Analyst" }, "boss");
    await place.cycle();
    const told = await explained(place, "A@example.com");
    expect(told).toMatchObject({
      formatVersion: "1.0",
      found: "both",
      source: { objectId: "a", presence: "present", manager: { userPrincipalName: "boss@example.com" } },
      scope: { inScope: true, member: true, through: null },
      account: { userName: "a@example.com", active: true, linkedTo: "a" },
      decision: { kind: "unchanged", changes: [] },
      standing: { retry: null, heldBy: null, rejectedAt: null, putBack: null, released: [] },
      pictures: {
        live: false,
        lastCycle: { cycle: "initial", outcome: "done" },
        configurationChanged: false,
      },
    });
    const full = told.mappings.find(({ attribute }) => attribute === "name.formatted");
    expect(full).toMatchObject({ value: "Kim Example", current: "Kim Example" });
    expect(full?.steps?.parts.map(({ value }) => value)).toEqual([" ", "Kim", "Example"]);
    expect(told.history).toMatchObject([{ action: "create", status: "done", reason: "new in scope" }]);
  });

  it("names the manager whom Lattice shows as an id, and writes times for people", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("a", {}, "boss");
    await place.cycle();
    const told = await explained(place, "a@example.com");
    const id = (await place.store.linkOf("boss"))?.latticeId;
    const held = { value: "boss@example.com", current: id, currentUserName: "boss@example.com" };
    expect(told.mappings.find(({ value }) => value === held.value)).toMatchObject(held);
    const text = explanationText(told, { color: false });
    expect(text).toMatch(new RegExp(`\\n  manager +${id} \\(boss@example.com\\)`));
    expect(text).toMatch(/Entra last read {6}\d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d+ min ago\)/);
    expect(text).toMatch(/Lattice last listed {2}\d{4}-/);
  });

  it("predicts for every person what the next cycle does", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["boss", "a", "b", "c", "d"];
    for (const id of ["boss", "a", "b", "c", "d"]) place.source.hire(id, {}, id === "boss" ? null : "boss");
    await place.cycle();
    // The person is read and the write is refused: the change stays due.
    place.target.before = () => {
      throw new RecordRejectedError("refused for now", { status: 400 });
    };
    place.source.change("a", { jobTitle: "Chief" });
    place.source.change("b", { accountEnabled: false });
    place.source.change("c", { displayName: null });
    place.source.remove("d", "softDeleted");
    await place.cycle();
    place.target.before = () => {};
    place.clock.advance(2 * 24 * 60 * 60_000);
    const told = await Promise.all(["a", "b", "c", "d"].map((id) => explained(place, id)));
    const result = await place.cycle();
    const sent = await place.operations(result.cycleId);
    expect(sent).toHaveLength(4);
    for (const { source, decision } of told) {
      const operation = sent.find(({ objectId }) => objectId === source?.objectId);
      expect(decision).toMatchObject({
        kind: "operation",
        action: operation?.action,
        reason: operation?.reason,
        changes: operation?.changes,
        evidence: operation?.evidence,
      });
    }
  });

  it("shows when a person who failed is tried again, and what is due then", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.target.before = () => {
      throw new RecordRejectedError("the title is too long", { status: 400 });
    };
    place.source.change("a", { jobTitle: "Chief" });
    for (let round = 0; round < 4; round += 1) await place.cycle();
    const told = await explained(place, "a");
    expect(told.decision).toMatchObject({
      kind: "skipped",
      code: "waitingForRetry",
      deferred: { action: "update", changes: [{ attribute: "title", before: null, after: "Chief" }] },
    });
    expect(told.standing?.retry?.nextTryAt).toMatch(/^\d{4}-/);
    expect(told.summary.join("\n")).toMatch(/Waiting for a retry: failed \d times .*the title is too long/s);
  });

  it("names the plan in which the guard holds the person, and the rejected changes", async () => {
    const guard = { ...lenientGuard, maxDeactivations: 1, deactivationFloor: 0 };
    await using place = await createWorkplace({ guard });
    for (const id of ["a", "b", "c", "d"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b"]) place.source.change(id, { accountEnabled: false });
    const held = await place.cycle();
    const told = await explained(place, "a");
    expect(told.standing?.heldBy).toMatchObject({
      planId: held.header.planId,
      changes: [{ attribute: "active" }],
    });
    expect(told.summary.join("\n")).toContain(`Held by the guard in plan ${held.header.planId}`);
    expect((await explained(place, "c")).standing?.heldBy).toBeNull();

    await rejectHeld(place, held.header.planId, ["a"]);
    const rejected = await explained(place, "a");
    expect(rejected.decision).toMatchObject({ code: "rejected", deferred: { action: "deactivate" } });
    expect(rejected.summary.join("\n")).toContain("was rejected on");
  });

  it("says why the person is out of scope, clause by clause", async () => {
    const filters = [
      {
        name: "Sales",
        clauses: [
          { attribute: "department", operator: "EQUALS", value: "Sales" },
          { attribute: "country", operator: "IS NOT NULL" },
        ],
      },
    ];
    await using place = await createWorkplace({ mapping: mappingOf(defaultRules, filters) });
    place.source.scope = ["a"];
    place.source.hire("a", { department: "Finance", country: "Norway" });
    place.source.hire("b", { department: "Sales" });
    await place.cycle();
    const [kept, stranger] = [await explained(place, "a"), await explained(place, "b")];
    expect(kept.scope).toMatchObject({
      inScope: false,
      member: true,
      filters: [
        {
          name: "Sales",
          passes: false,
          clauses: [
            { attribute: "department", expected: "Sales", actual: "Finance", holds: false },
            { attribute: "country", expected: null, actual: "Norway", holds: true },
          ],
        },
      ],
    });
    expect(kept.decision).toMatchObject({ kind: "ignored" });
    expect(stranger.scope).toMatchObject({ inScope: false, member: false });
    expect(stranger.summary.join("\n")).toContain('not a member of "Staff"');
    expect(explanationText(kept, { color: false })).toContain('no  department EQUALS "Sales": is "Finance"');
  });

  it("finds an unlinked account by its name and its id, and says if a person does not exist", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const stranger = place.target.add({ userName: "Former@example.com", externalId: "hris-1" });
    await place.cycle();
    for (const asked of ["former@example.com", stranger.latticeId, "hris-1"]) {
      expect(await explained(place, asked)).toMatchObject({
        found: "lattice",
        source: null,
        account: { latticeId: stranger.latticeId, linkedTo: null },
        decision: null,
      });
    }
    const own = (await place.store.linkOf("a"))?.latticeId ?? "";
    expect(await explained(place, own)).toMatchObject({ found: "both", source: { objectId: "a" } });
    const nobody = await explained(place, "ghost@example.com");
    expect(nobody).toMatchObject({ found: "nobody", source: null, account: null });
    expect(nobody.summary[0]).toContain('"ghost@example.com"');
  });

  it("says that the person waits for a manager without an account", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a"];
    place.source.hire("boss");
    place.source.hire("a", {}, "boss");
    await place.cycle();
    const told = await explained(place, "a");
    expect(told.decision).toMatchObject({ waitsForManager: true });
    expect(told.summary[0]).toBe("Nothing can be sent yet: manager changed.");
  });

  it("says that the configuration has changed since the last cycle", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.settings = { ...place.settings, mapping: mappingOf(defaultRules.slice(0, 5)) };
    expect((await explained(place, "a")).pictures.configurationChanged).toBe(true);
  });

  it("shows nothing of what is redacted", async () => {
    const rules = [...defaultRules.slice(0, 4), { target: "title", expression: "Redact([jobTitle])" }];
    const filters = [{ clauses: [{ attribute: "jobTitle", operator: "IS NOT NULL" }] }];
    await using place = await createWorkplace({ mapping: mappingOf(rules, filters) });
    place.source.hire("a", { jobTitle: "Secret title" });
    await place.cycle();
    place.target.before = () => {
      throw new RecordRejectedError("no", { status: 400 });
    };
    place.source.change("a", { jobTitle: "Secret chief" });
    await place.cycle();
    const told = await explained(place, "a");
    expect(JSON.stringify(told)).not.toContain("Secret");
    expect(explanationText(told, { color: true })).not.toContain("Secret");
    expect(told.mappings.at(-1)).toMatchObject({ value: "[Redact]", current: "[Redact]" });
    expect(told.history[0]?.changes).toMatchObject([{ before: "[Redact]", after: "[Redact]" }]);
  });

  it("counts a person as in scope who has since been added to entra.scope.include", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["b"];
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.settings = {
      ...place.settings,
      mapping: mappingOf(defaultRules, [], { include: ["A@example.com"] }),
    };
    const told = await explained(place, "a");
    expect(told.scope).toMatchObject({ inScope: true, decidedBy: "include" });
    const { action, changes } = told.decision ?? {};
    const { cycleId } = await place.cycle({ dryRun: true });
    expect(await place.operations(cycleId)).toMatchObject([{ objectId: "a", action, changes }]);
  });

  it("hides a redacted value in a filter that uses an older name of the attribute", async () => {
    const rules = [...defaultRules.slice(0, 4), { target: "title", expression: "Redact([mobilePhone])" }];
    const filters = [{ clauses: [{ attribute: "mobile", operator: "IS NOT NULL" }] }];
    await using place = await createWorkplace({ mapping: mappingOf(rules, filters) });
    place.source.hire("a", { mobilePhone: "5550-SECRET" });
    await place.cycle();
    const told = await explained(place, "a");
    expect(JSON.stringify(told)).not.toContain("SECRET");
    expect(told.scope?.filters[0]?.clauses).toEqual([
      {
        attribute: "mobile",
        operator: "IS NOT NULL",
        expected: null,
        actual: "[Redact]",
        holds: true,
        changesAt: null,
      },
    ]);
  });

  it("computes values from the manager's attributes as a cycle does", async () => {
    const rules = [...defaultRules.slice(0, 4), { target: "title", expression: 'Join("/", [manager.city])' }];
    await using place = await createWorkplace({ mapping: mappingOf(rules) });
    place.source.hire("boss", { city: "Oslo" });
    place.source.hire("a", {}, "boss");
    await place.cycle();
    const title = (await explained(place, "a")).mappings.at(-1);
    expect(title).toMatchObject({ value: "Oslo", problem: null, steps: { value: "Oslo" } });
    expect(title?.steps?.parts.at(-1)).toMatchObject({ expression: "[manager.city]", value: "Oslo" });
  });

  it("does not call an account correct that is only not changed", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.settings = { ...place.settings, actions: { create: true, update: false, deactivate: true } };
    place.source.change("a", { jobTitle: "Chief" });
    await place.cycle();
    expect((await explained(place, "a")).decision?.reason).toMatch(/^actions\.update is off/);

    place.settings = {
      ...place.settings,
      mapping: mappingOf(defaultRules.slice(0, 2), [
        { clauses: [{ attribute: "country", operator: "IS NULL" }] },
      ]),
    };
    place.source.change("b", { country: "Norway" });
    await place.cycle();
    expect(place.target.account("b@example.com").active).toBe(true);
    expect((await explained(place, "b")).decision?.reason).toMatch(/the account is not changed$/);
  });

  it("says for an account that was edited by hand that this is only reported", async () => {
    await using place = await createWorkplace({ drift: "report" });
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    const account = place.target.account("a@example.com");
    place.target.add({ ...account, values: { ...account.values, title: "By hand" } });
    await place.cycle({ full: true });
    const { decision, summary } = await explained(place, "a");
    expect(decision).toMatchObject({ kind: "unchanged", reported: [{ attribute: "title" }] });
    expect(decision?.reason).toMatch(/edited by hand/);
    expect(summary.join("\n")).not.toContain("already has all mapped values");
  });

  it("shows the current group of a filter if Entra and Lattice are asked", async () => {
    const mapping = mappingOf(defaultRules, [{ clauses: [{ memberOf: "Pilots" }] }]);
    await using place = await createWorkplace({ mapping });
    place.source.namedGroups = { Pilots: [] };
    place.source.hire("a");
    await place.cycle();
    expect(place.target.active()).toEqual([]);
    place.source.namedGroups = { Pilots: ["a"] };
    const live = await readNow(place.ports(), "a", new AbortController().signal);
    const scope = { mode: "all", configured: [], nested: true, guests: true } as const;
    const environment = { now: place.clock.now, random: () => 0.5 };
    const told = await explain(place.store, { ...place.settings, scope }, "a", { environment, live });
    expect(told.scope).toMatchObject({ inScope: true });
    expect(told.decision).toMatchObject({ action: "create" });
    expect(explanationText(told, { color: false })).toContain('yes MEMBER OF "Pilots": is a member');
  });

  it("prints values of a hostile directory as harmless text", async () => {
    await using place = await createWorkplace();
    const hostile = "\u001b[2J\u001b]0;owned\u0007<script>\u202e\r\n";
    place.source.hire("a", { displayName: hostile, givenName: hostile, jobTitle: hostile });
    await place.cycle();
    const text = explanationText(await explained(place, "a"), { color: false });
    expect(text).toContain("\\u001b[2J");
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    const asked = explanationText(await explained(place, hostile), { color: false });
    expect(asked.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
