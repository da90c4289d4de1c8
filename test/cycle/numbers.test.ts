import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../src/cycle/course/request.ts";
import { RecordRejectedError } from "../../src/domain/errors.ts";
import type { PlanSummary } from "../../src/domain/plan.ts";
import { planView } from "../../src/report/plan-view.ts";
import { sentText } from "../../src/report/words.ts";
import { createWorkplace, lenientGuard, mappingOf, type Workplace } from "./workplace.ts";

function planned({ create, update, deactivate, reactivate, link }: PlanSummary): number {
  return create + update + deactivate + reactivate + link;
}

const sent = (place: Workplace, result: CycleResult): string | null =>
  sentText(planView(place.store, result, { dryRun: false }));

describe("the numbers of a cycle", () => {
  it("include the manager that is set in a later round of the same cycle", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    for (const report of ["ada", "bea"]) place.source.hire(report, {}, "boss");
    place.source.hire("cleo");
    place.target.before = ({ kind, userName }) => {
      if (kind === "create" && userName.startsWith("boss"))
        throw new RecordRejectedError("no", { status: 400 });
    };
    await place.cycle();
    expect(place.target.managerOf("ada@example.com")).toBeNull();
    place.target.before = () => {};
    const result = await place.cycle();
    expect(place.target.managerOf("ada@example.com")).toBe("boss@example.com");
    expect(result.header.summary).toMatchObject({ create: 1, update: 2, unchanged: 1 });
    expect([result.done, planned(result.header.summary)]).toEqual([3, 3]);
    expect((await place.store.recentCycles(1))[0]?.summary).toEqual(result.header.summary);
    expect(sent(place, result)).toBe("3 done, 0 failed");
  });

  it("count each person once: to do, unchanged, skipped, or out of scope", async () => {
    const filters = [{ clauses: [{ attribute: "department", operator: "EQUALS", value: "Sales" }] }];
    await using place = await createWorkplace({ mapping: mappingOf(undefined, filters) });
    for (const name of ["ada", "bea", "cleo"]) place.source.hire(name, { department: "Sales" });
    for (const name of ["dora", "emma"]) place.source.hire(name, { department: "Legal" });
    place.source.hire("fay", { department: "Sales", accountEnabled: false });
    place.target.add({ userName: "cleo@example.com" });
    const first = await place.cycle();
    expect(first.header.summary).toMatchObject({
      create: 2,
      link: 1,
      unchanged: 0,
      skipped: 1,
      outOfScope: 2,
    });
    place.source.hire("gina", { department: "Legal" });
    place.source.change("ada", { jobTitle: "Lead", department: "Sales" });
    const second = await place.cycle();
    expect(second.header.summary).toMatchObject({ update: 1, unchanged: 2, skipped: 1, outOfScope: 3 });
    const alone = await place.cycle({ only: ["dora", "bea"] });
    expect(alone.header.summary).toMatchObject({ unchanged: 1, skipped: 0, outOfScope: 1 });
  });

  it("show for each planned operation whether it was done, failed, is held, or was not sent", async () => {
    await using place = await createWorkplace({
      guard: { ...lenientGuard, maxRenames: 0, renameFloor: 0 },
    });
    for (const name of ["ada", "bea", "cleo"]) place.source.hire(name);
    await place.cycle();
    place.source.change("ada", { userPrincipalName: "ada.new@example.com", jobTitle: "Lead" });
    place.source.change("bea", { jobTitle: "Lead" });
    for (let index = 0; index < 30; index += 1) place.source.hire(`new${index}`);
    place.target.before = ({ kind, userName }) => {
      if (kind === "create") throw new RecordRejectedError("no seats are left", { status: 402 });
      if (userName.startsWith("bea")) throw new RecordRejectedError("no", { status: 400 });
    };
    const result = await place.cycle();
    const all = result.done + result.failed + result.heldOperations + result.notSent;
    expect(planned(result.header.summary)).toBe(32);
    expect(result.notSent).toBeGreaterThan(10);
    // The rename is held, and the title that goes with it is sent.
    expect([result.heldOperations, all]).toEqual([1, 33]);
    expect(sent(place, result)).toBe(
      `1 done, ${result.failed} failed, 1 held, ${result.notSent} not sent (planned again by the next cycle if still due); 1 operation is counted twice: the guard holds a part of it, and the rest was sent`,
    );
  });
});
