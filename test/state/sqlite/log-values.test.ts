import { describe, expect, it } from "vitest";
import { countsOf } from "../../../src/cycle/operations/weights.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import type { LogEntry } from "../../../src/domain/log.ts";
import type { LogValues } from "../../../src/state/logged-values.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../../cycle/workplace.ts";
import { kept } from "../kept.ts";

/** Opens the database again under another setting. */
async function withValues(place: Workplace, logValues: LogValues): Promise<void> {
  await place.store.close();
  place.store = openStore(place.path, { logValues });
}

async function titles(place: Workplace): Promise<(LogEntry["changes"][number] | undefined)[]> {
  const entries = await place.store.history({ limit: 100 });
  return entries.map(({ changes }) => changes.find(({ attribute }) => attribute === "title"));
}

describe("values in the provisioning log", () => {
  it("are kept unless the setting says otherwise", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    expect(await titles(place)).toMatchObject([{ before: null, after: "Analyst" }]);
  });

  it("can be hashed: equal ones are equal, and none is readable", async () => {
    await using place = await createWorkplace();
    await withValues(place, "hash");
    place.source.hire("a", { jobTitle: "Analyst" });
    place.source.hire("b", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Chief" });
    await place.cycle();
    const [later, ...first] = await titles(place);
    expect(later).toMatchObject({ attribute: "title", logged: "hashed" });
    expect(first.map((change) => change?.after)).toEqual([later?.before, later?.before]);
    expect(later?.after).toMatch(/^hmac:[\w-]{22}$/);
    expect(later?.after).not.toBe(later?.before);
    expect(JSON.stringify(await place.store.history({ limit: 100 }))).not.toMatch(/Analyst|Chief/);
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
  });

  it("have hashes that differ in another database", async () => {
    const seen: unknown[] = [];
    for (let number = 0; number < 2; number += 1) {
      await using place = await createWorkplace();
      await withValues(place, "hash");
      place.source.hire("a", { jobTitle: "Analyst" });
      await place.cycle();
      seen.push((await titles(place))[0]?.after);
      expect(Object.keys(await place.store.meta())).not.toContain("logKey");
    }
    expect(seen[0]).not.toBe(seen[1]);
  });

  it("can be omitted; whether there was a value stays", async () => {
    await using place = await createWorkplace();
    await withValues(place, "omit");
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: null });
    await place.cycle();
    expect(await titles(place)).toMatchObject([
      { before: "[left out]", after: null, logged: "omitted" },
      { before: null, after: "[left out]", logged: "omitted" },
    ]);
  });

  it.each(["hash", "omit"] as const)("count for the guard as before: %s", async (logValues) => {
    await using place = await createWorkplace();
    await withValues(place, logValues);
    for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: null });
    place.source.change("b", { userPrincipalName: "renamed@example.com" });
    place.source.change("c", { accountEnabled: false });
    await place.cycle();
    const counts = countsOf(await place.store.doneWeights(place.clock.now() - 60_000));
    expect([counts.of("deactivate"), counts.of("rename"), counts.of("clear", ["title"])]).toEqual([1, 1, 1]);
  });

  it("stay readable in held operations, which can be released, and go once these are sent", async () => {
    await using place = await createWorkplace({
      guard: { ...lenientGuard, maxRenames: 0, renameFloor: 0 },
    });
    await withValues(place, "omit");
    place.source.hire("a", {});
    await place.cycle();
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    const held = await place.cycle();
    expect(held.outcome).toBe("held");
    const [entry] = await place.store.history({ outcomes: ["held"], limit: 10 });
    expect(entry?.changes).toMatchObject([{ before: "a@example.com", after: "renamed@example.com" }]);
    const { releasedChanges } = await import("../../../src/cycle/operations/fingerprint.ts");
    if (entry === undefined) throw new Error("nothing is held");
    await kept(place.store).released(held.header.planId, releasedChanges(entry), place.clock.now());
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
    expect(place.target.account("renamed@example.com").active).toBe(true);
    const [sent] = await place.store.history({ outcomes: ["done"], limit: 1 });
    expect(sent?.changes).toMatchObject([{ before: "[left out]", after: "[left out]", released: true }]);
  });

  it("in older entries follow when the setting becomes stricter, and are not restored when it becomes laxer", async () => {
    await using place = await createWorkplace();
    for (let number = 0; number < 3; number += 1) place.source.hire(`p${number}`, { jobTitle: "Analyst" });
    await place.cycle();
    await withValues(place, "hash");
    await place.cycle();
    expect((await titles(place)).map((change) => change?.logged)).toEqual(["hashed", "hashed", "hashed"]);
    await withValues(place, "omit");
    await place.cycle();
    expect((await titles(place)).map((change) => change?.after)).toEqual(Array(3).fill("[left out]"));
    await withValues(place, "keep");
    place.source.hire("new", { jobTitle: "Chief" });
    await place.cycle();
    expect((await titles(place)).map((change) => change?.after)).toEqual([
      "Chief",
      ...Array(3).fill("[left out]"),
    ]);
  });

  it("are removed from an error that repeats them", async () => {
    await using place = await createWorkplace();
    await withValues(place, "omit");
    place.source.hire("a", { jobTitle: "Analyst" });
    place.target.before = () => {
      throw new RecordRejectedError('the title "Analyst" is not allowed', { status: 400 });
    };
    await place.cycle();
    const [entry] = await place.store.history({ outcomes: ["failed"], limit: 1 });
    expect(entry?.error).toContain('the title "[left out]" is not allowed');
  });

  it("of a write without an answer stay until it was looked up", async () => {
    await using place = await createWorkplace();
    await withValues(place, "omit");
    const cycleId = await place.store.beginCycle(
      { planId: "p", kind: "incremental", startedAt: 1 },
      "private",
    );
    const changes = [{ attribute: "title", before: "Analyst", after: null }];
    await kept(place.store).decisions(cycleId, [
      {
        kind: "operation",
        referencePending: false,
        weights: [{ kind: "clear", detail: "title" }],
        operation: {
          action: "update",
          objectId: "a",
          userName: "a@example.com",
          latticeId: "l",
          reason: "title cleared",
          evidence: null,
          changes,
          adopts: false,
        },
      },
    ]);
    const [planned] = await place.store.history({ limit: 1 });
    const operationId = planned?.id ?? 0;
    await kept(place.store).beginning([operationId], 2);
    await kept(place.store).outcomes([
      { operationId, objectId: "a", status: "failed", unknown: true, referencePending: false, finishedAt: 3 },
    ]);
    expect(await titles(place)).toEqual(changes);
    const account = { latticeId: "l", userName: "a@example.com", externalId: "a", active: true };
    await kept(place.store).lookedUp("a", { ...account, values: {} }, 4, { carriedOut: true });
    expect(await titles(place)).toMatchObject([{ before: "[left out]", after: null }]);
    expect(countsOf(await place.store.doneWeights(0)).of("clear", ["title"])).toBe(1);
  });
});
