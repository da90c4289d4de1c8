import { describe, expect, it } from "vitest";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

/** People with accounts, each with a name like the object id. */
async function companyOf(...objectIds: readonly string[]): Promise<Workplace> {
  const place = await createWorkplace({ guard: { ...lenientGuard, renameFloor: 50 } });
  for (const id of objectIds) place.source.hire(id);
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

describe("the order of a plan", () => {
  it("puts a report after a manager whose account must wait for a userName", async () => {
    // "chief" comes back with the name that "other" gives up; "a-new" reports to "chief".
    await using place = await companyOf("chief", "other");
    place.source.change("chief", { accountEnabled: false });
    await place.cycle();
    place.target.writes.length = 0;
    place.source.change("chief", { accountEnabled: true, userPrincipalName: "other@example.com" });
    place.source.change("other", { userPrincipalName: "free@example.com" });
    place.source.hire("a-new", {}, "chief");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 3, failed: 0 });
    // Renames are sent under the former names.
    expect(place.target.writes.map(({ userName }) => userName)).toEqual([
      "other@example.com",
      "chief@example.com",
      "a-new@example.com",
    ]);
    expect(place.target.managerOf("a-new@example.com")).toBe("other@example.com");
  });
});
