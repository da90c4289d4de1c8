import { describe, expect, it } from "vitest";
import { createTryAgain, keptOtherwise } from "../../../src/cycle/planning/try-again.ts";
import type { Candidate } from "../../../src/domain/state/planning.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

/** Lattice keeps another title than it is sent. */
async function stubborn(people = ["a"]): Promise<Workplace> {
  const place = await createWorkplace();
  for (const id of people) place.source.hire(id, { jobTitle: "Analyst" });
  place.target.normalise = (path, value) => (path === "title" ? "Kept" : value);
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

async function acknowledged(place: Workplace) {
  return (await place.store.linkOf("a"))?.acknowledged;
}

describe("a value that Lattice keeps in another form", () => {
  it("is sent once more by each full comparison, and by no cycle in between", async () => {
    await using place = await stubborn();
    for (let day = 1; day <= 2; day += 1) {
      const full = await place.cycle({ full: true });
      expect(place.target.writes).toHaveLength(day);
      const [operation] = await place.operations(full.cycleId);
      expect(operation).toMatchObject({
        action: "update",
        reason: "tried again: Lattice has a different title than was sent",
        changes: [{ attribute: "title", before: "Kept", after: "Analyst", again: true }],
        status: "done",
      });
      for (let round = 0; round < 3; round += 1) expect((await place.cycle()).done).toBe(0);
    }
  });

  it("is correct after the next comparison if Lattice ignored it once", async () => {
    await using place = await stubborn();
    place.target.normalise = (_path, value) => value;
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    expect(await acknowledged(place)).toEqual({});
    expect((await place.cycle({ full: true })).done).toBe(0);
  });

  it("is no longer acknowledged once the listing shows the sent value, so that a later edit is corrected", async () => {
    await using place = await stubborn();
    const edit = (title: string): void => {
      const account = place.target.account("a@example.com");
      place.target.accounts.set(account.latticeId, { ...account, values: { ...account.values, title } });
    };
    place.target.normalise = (_path, value) => value;
    edit("Analyst");
    expect((await place.cycle({ full: true })).done).toBe(0);
    expect(await acknowledged(place)).toEqual({});
    edit("Kept");
    const full = await place.cycle({ full: true });
    const [operation] = await place.operations(full.cycleId);
    expect(operation?.changes).toMatchObject([{ attribute: "title", after: "Analyst", drift: true }]);
    expect(place.target.account("a@example.com").values.title).toBe("Analyst");
  });

  it("is counted in the status, and shown in the report of a full comparison", async () => {
    await using place = await stubborn(["a", "b"]);
    expect(await place.store.countAcknowledged()).toEqual([{ attribute: "title", accounts: 2, shown: true }]);
    const { header } = await place.cycle({ full: true });
    expect(header.notes).toEqual([
      "Lattice has a different value than was sent: title of 2 accounts. Each full comparison sends it again.",
    ]);
    expect(keptOtherwise([])).toBeNull();
  });

  it("has no weight when it is tried again: the guard has allowed it before", async () => {
    const people = ["a", "b", "c", "d"];
    await using place = await stubborn(people);
    place.settings = {
      ...place.settings,
      guard: {
        ...lenientGuard,
        maxReplacementPercent: 0,
        replacementFloor: 0,
        maxClearsPercent: 0,
        clearFloor: 0,
      },
    };
    const full = await place.cycle({ full: true });
    expect(full).toMatchObject({ outcome: "done", done: 4, header: { guard: { held: false } } });
  });

  it("is never an externalId: another person's externalId is not another form", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "a@example.com" });
    place.target.normalise = (path, value) => (path === "externalId" ? "another" : value);
    place.source.hire("a");
    await place.cycle();
    expect(await acknowledged(place)).not.toHaveProperty("externalId");
  });
});

describe("a value that Lattice accepts and shows for no account", () => {
  /** Lattice shows no title of these people. */
  async function silent(people: readonly string[]): Promise<Workplace> {
    const place = await createWorkplace();
    for (const id of people) place.source.hire(id, { jobTitle: "Analyst" });
    place.target.normalise = (path, value) => (path === "title" ? null : value);
    await place.cycle();
    place.target.writes.length = 0;
    return place;
  }

  it("is sent once more for one person in a full comparison, not for everybody, and is reported", async () => {
    await using place = await silent(["a", "b", "c"]);
    for (let day = 1; day <= 2; day += 1) {
      const { header } = await place.cycle({ full: true });
      expect(place.target.writes).toHaveLength(day);
      expect(header.notes).toEqual([
        "Lattice accepted values that it shows for no account: title of 3 accounts. They count as set; each full comparison sends them again to one account.",
      ]);
    }
  });

  it("is sent to everybody again if it shows in that account: Lattice supports it now", async () => {
    await using place = await silent(["a", "b", "c"]);
    place.target.normalise = (_path, value) => value;
    await place.cycle({ full: true });
    await place.cycle({ full: true });
    expect([...place.target.accounts.values()].map(({ values }) => values.title)).toEqual([
      "Analyst",
      "Analyst",
      "Analyst",
    ]);
    expect((await place.cycle({ full: true })).header.notes).toEqual([]);
  });
});

describe("a company whose values Lattice keeps in another form", () => {
  const person = (objectId: string, kept: boolean): Candidate => {
    const acknowledgements = kept ? { title: { sent: "a", observed: "b" } } : {};
    return {
      source: { objectId },
      link: { acknowledged: acknowledgements },
    } as Partial<Candidate> as Candidate;
  };

  it("is tried again a part at a time, each comparison from where the last one ended", () => {
    const pages = [
      [person("a", true), person("b", false), person("c", true)],
      [person("d", true), person("e", true)],
    ];
    const turns: string[][] = [];
    let after = "";
    for (let day = 0; day < 4; day += 1) {
      const again = createTryAgain(after, [{ attribute: "title", accounts: 4, shown: true }], 2);
      turns.push(pages.flatMap((page) => [...again.of(page)]));
      after = again.next;
    }
    expect(turns).toEqual([
      ["a", "c"],
      ["d", "e"],
      ["a", "c"],
      ["d", "e"],
    ]);
  });
});
