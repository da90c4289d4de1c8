import { describe, expect, it } from "vitest";
import { isTemporaryName } from "../../../src/cycle/operations/temporary-name.ts";
import { RecordRejectedError, RecordUnavailableError } from "../../../src/domain/errors.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

const rename = (place: Workplace, objectId: string, name: string): void =>
  place.source.change(objectId, { userPrincipalName: `${name}@example.com` });

/** People named like their object ids. Each should get the next one's userName, and the last the first one's. */
async function ringOf(
  ids: readonly string[],
  settings: Parameters<typeof createWorkplace>[0] = {},
): Promise<Workplace> {
  const place = await createWorkplace(settings);
  for (const id of ids) place.source.hire(id);
  place.source.hire("other");
  await place.cycle();
  for (const [index, id] of ids.entries()) rename(place, id, ids[(index + 1) % ids.length] ?? id);
  place.target.writes.length = 0;
  return place;
}

function namesOf({ target }: Workplace): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...target.accounts.values()].map(({ externalId, userName }) => [String(externalId), userName]),
  );
}

const swapped = { a: "b@example.com", b: "a@example.com", other: "other@example.com" };

describe("people who swap userNames", () => {
  it.each([[["a", "b"]], [["a", "b", "c"]], [["d", "c", "b", "a"]]])(
    "are reported with all of them named, and nothing is sent or fails (%s)",
    async (ids) => {
      await using place = await ringOf(ids);
      for (let cycle = 1; cycle <= 2; cycle += 1) {
        expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0, failed: 0 });
      }
      const skipped = await place.store.skipped({ after: "", limit: 9 });
      expect(skipped.map(({ objectId, code }) => [objectId, code])).toEqual(
        [...ids].sort().map((id) => [id, "renameRing"]),
      );
      for (const { reason } of skipped) {
        for (const id of ids) expect(reason).toContain(`${id}@example.com`);
        expect(reason).toContain("unused userName");
      }
      expect(place.target.writes).toEqual([]);
    },
  );

  it("get all other changes, are switched off when they leave, and stay reported", async () => {
    await using place = await ringOf(["a", "b"]);
    place.source.change("a", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
    await place.cycle();
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "a", code: "renameRing" },
      { objectId: "b", code: "renameRing" },
    ]);
    place.source.change("b", { accountEnabled: false });
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "other@example.com"]);
  });

  it("are renamed as soon as one of them has an unused userName, without a request", async () => {
    await using place = await ringOf(["a", "b", "c"]);
    await place.cycle();
    rename(place, "b", "unused");
    expect(await place.cycle()).toMatchObject({ done: 3, failed: 0 });
    expect(namesOf(place)).toMatchObject({ a: "b@example.com", b: "unused@example.com", c: "a@example.com" });
    expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
  });

  it("are not a ring if the other one has left, or if only the letter case changes", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    rename(place, "a", "A");
    expect(await place.cycle()).toMatchObject({ failed: 0 });
    expect(await place.store.skipped({ after: "", limit: 9 })).toEqual([]);
  });
});

describe("a ring that is solved with a temporary userName", () => {
  const temporaryName = { renameRings: "temporaryName" } as const;

  it.each([[["a", "b"]], [["a", "b", "c"]], [["d", "c", "b", "a"]], [["b", "d", "a", "c", "e"]]])(
    "is renamed in one cycle with one request more than it has members (%s)",
    async (ids) => {
      await using place = await ringOf(ids, temporaryName);
      expect(await place.cycle()).toMatchObject({ outcome: "done", done: ids.length + 1, failed: 0 });
      for (const [index, id] of ids.entries()) {
        expect(namesOf(place)[id]).toBe(`${ids[(index + 1) % ids.length]}@example.com`);
      }
      expect(place.target.writes).toHaveLength(ids.length + 1);
      expect((await place.cycle()).done).toBe(0);
      expect((await place.cycle({ full: true })).done).toBe(0);
    },
  );

  it("uses a temporary name of the same domain, which is an unused e-mail address", async () => {
    await using place = await ringOf(["a", "b"], temporaryName);
    await place.cycle();
    const names = place.target.writes.flatMap(({ writes }) =>
      writes.flatMap(({ path, value }) => (path === "userName" ? [String(value)] : [])),
    );
    expect(names.filter(isTemporaryName)).toEqual([
      expect.stringMatching(/^als-rename-[0-9a-f]{12}@example\.com$/),
    ]);
  });

  it("is finished by the next cycle if the process dies after any of its requests", async () => {
    for (let deadly = 1; deadly <= 3; deadly += 1) {
      await using place = await ringOf(["a", "b"], temporaryName);
      let sent = 0;
      place.target.after = () => {
        sent += 1;
        if (sent === deadly) throw new Error("the process died");
      };
      await place.cycle().catch(() => {});
      place.target.after = () => {};
      await place.restart();
      await place.cycle();
      await place.cycle();
      expect(namesOf(place), `after request ${deadly}`).toEqual(swapped);
      expect((await place.cycle({ full: true })).done).toBe(0);
    }
  });

  it("is finished later if the other member is refused in between, and no one is forgotten", async () => {
    await using place = await ringOf(["a", "b"], temporaryName);
    place.target.before = ({ userName }) => {
      if (userName === "b@example.com") throw new RecordRejectedError("not now", { status: 400 });
    };
    await place.cycle();
    expect(isTemporaryName(namesOf(place).a)).toBe(true);
    await place.cycle();
    place.target.before = () => {};
    place.clock.advance(48 * 60 * 60_000);
    await place.cycle();
    await place.cycle();
    expect(namesOf(place)).toEqual(swapped);
  });

  it("is not started while one of them fails for another reason", async () => {
    await using place = await createWorkplace(temporaryName);
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    place.target.before = ({ userName }) => {
      if (userName === "b@example.com") throw new RecordRejectedError("not now", { status: 400 });
    };
    place.source.change("b", { jobTitle: "Chief" });
    await place.cycle();
    rename(place, "a", "b");
    rename(place, "b", "a");
    // A changed value is tried at once, first for the person who failed first.
    for (let cycle = 1; cycle <= 3; cycle += 1) await place.cycle();
    expect(namesOf(place)).toEqual({ a: "a@example.com", b: "b@example.com" });
    expect(await place.store.skipped({ after: "", limit: 1 })).toMatchObject([
      {
        objectId: "a",
        reason: expect.stringContaining("b@example.com must be renamed first and is waiting for a retry"),
      },
    ]);
    place.target.before = () => {};
    place.clock.advance(48 * 60 * 60_000);
    await place.cycle();
    await place.cycle();
    expect(namesOf(place)).toEqual({ a: "b@example.com", b: "a@example.com" });
  });

  it("is finished although nothing else shows it: no answer came to the last step", async () => {
    await using place = await ringOf(["a", "b"], temporaryName);
    let answered = 0;
    place.target.before = () => {
      answered += 1;
      if (answered === 3) throw new RecordUnavailableError("503");
    };
    await place.cycle();
    place.target.before = () => {};
    await place.cycle();
    expect(namesOf(place)).toEqual(swapped);
  });

  it("counts once for each member in the guard, and its last step is not held", async () => {
    const guard = { ...lenientGuard, maxRenames: 2, maxRenamePercent: 0, renameFloor: 2 };
    await using place = await ringOf(["a", "b"], { ...temporaryName, guard });
    expect(await place.cycle()).toMatchObject({ outcome: "done", heldOperations: 0 });
    expect(namesOf(place)).toEqual(swapped);
    // Both of the day's renames are used up, and no more than these.
    rename(place, "other", "another");
    expect(await place.cycle()).toMatchObject({ outcome: "held" });
  });

  it("is held as a whole if the guard holds renames, and no one keeps a temporary name", async () => {
    const guard = { ...lenientGuard, maxRenames: 1, maxRenamePercent: 0, renameFloor: 1 };
    await using place = await ringOf(["a", "b"], { ...temporaryName, guard });
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0 });
    expect(namesOf(place)).toMatchObject({ a: "a@example.com", b: "b@example.com" });
  });

  it("is left to the next cycle of everybody by a cycle on demand", async () => {
    await using place = await ringOf(["a", "b"]);
    await place.cycle();
    place.settings = { ...place.settings, ...temporaryName };
    expect(await place.cycle({ only: ["a"] })).toMatchObject({ done: 0 });
    expect(await place.store.skipped({ after: "", limit: 1 })).toMatchObject([
      { code: "renameRing", reason: expect.stringContaining("the next cycle of everyone renames them") },
    ]);
    expect(namesOf(place)).toMatchObject({ a: "a@example.com", b: "b@example.com" });
    await place.cycle();
    expect(namesOf(place)).toEqual(swapped);
  });

  it("is linked by its externalId if the database is lost between two steps", async () => {
    await using place = await ringOf(["a", "b"], temporaryName);
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, {
      ...account,
      userName: "als-rename-0123456789ab@example.com",
    });
    await using rebuilt = await createWorkplace(temporaryName);
    for (const [id, name] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      rebuilt.source.hire(id, { userPrincipalName: `${name}@example.com` });
    }
    for (const one of place.target.accounts.values()) rebuilt.target.accounts.set(one.latticeId, one);
    await rebuilt.cycle();
    await rebuilt.cycle();
    expect(namesOf(rebuilt)).toEqual(swapped);
    expect(rebuilt.target.accounts.size).toBe(3);
  });
});
