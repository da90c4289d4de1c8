import { describe, expect, it } from "vitest";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** Two known people, in a directory that shows only the differences between the watermark and now. */
async function company(): Promise<Workplace> {
  const place = await createWorkplace();
  place.source.netChanges = true;
  place.source.hire("boss");
  place.source.hire("a", {}, "boss");
  await place.cycle();
  place.source.reads.length = 0;
  return place;
}

describe("stored data that is newer than its watermark", () => {
  it("is read again in full if a round of changes broke off after its first page", async () => {
    await using place = await company();
    place.source.breakChanges = true;
    place.source.setManager("a", null);
    await expect(place.cycle()).rejects.toThrow("went away");
    place.source.breakChanges = false;
    // Reverted: the next round, from the same watermark, would not show it.
    place.source.setManager("a", "boss");

    await place.cycle();

    expect(place.source.reads).toEqual(["changes", "all"]);
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    expect(place.target.writes.filter(({ kind }) => kind === "update")).toEqual([]);
  });

  it("is read again in full if one person was read on demand and had changed", async () => {
    await using place = await company();
    place.source.change("a", { accountEnabled: false });
    await place.cycle({ only: ["a"] });
    expect(place.target.account("a@example.com").active).toBe(false);
    place.source.change("a", { accountEnabled: true });
    await place.cycle();
    expect(place.target.account("a@example.com").active).toBe(true);
    await place.cycle();
    expect(place.source.reads).toEqual(["user a", "all", "changes"]);
  });

  it("is not assumed after a read without changes", async () => {
    await using place = await company();
    await place.cycle({ only: ["a"] });
    await place.cycle();
    expect(place.source.reads).toEqual(["user a", "changes"]);
  });
});

describe("a person who is restored from the recycle bin", () => {
  it("is read in full: links that were cut there are in no round of changes", async () => {
    await using place = await company();
    place.source.remove("a", "softDeleted");
    await place.cycle();
    place.source.hideMissingLinks = true;
    place.source.setManager("a", null);
    place.source.restore("a");
    place.source.reads.length = 0;
    await place.cycle();
    expect(place.source.reads).toEqual(["changes", "user a"]);
    expect(place.target.account("a@example.com").active).toBe(true);
    expect(place.target.managerOf("a@example.com")).toBeNull();
    await place.cycle();
    expect(place.source.reads).toEqual(["changes", "user a", "changes"]);
  });
});
