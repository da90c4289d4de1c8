import { describe, expect, it } from "vitest";
import {
  HostUnavailableError,
  InterruptedError,
  RecordForbiddenError,
  RecordRejectedError,
  UnknownOutcomeError,
} from "../../../src/domain/errors.ts";
import { createWorkplace } from "../workplace.ts";

describe("a create without an answer", () => {
  for (const applied of [true, false]) {
    it(`never makes a second account where the first was ${applied ? "" : "not "}made`, async () => {
      await using place = await createWorkplace();
      place.source.hire("a", { jobTitle: "Analyst" });
      let lost = 0;
      const lose = () => {
        if (lost > 0) return;
        lost += 1;
        throw new UnknownOutcomeError("no answer");
      };
      if (applied) place.target.after = lose;
      else place.target.before = lose;

      const result = await place.cycle();

      expect(result).toMatchObject({ outcome: "done", done: 1 });
      expect(place.target.accounts.size).toBe(1);
      expect(place.target.writes).toHaveLength(applied ? 1 : 2);
      expect(place.target.account("a@example.com").values.title).toBe("Analyst");
      expect(await place.store.openIntents()).toEqual([]);
      expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 0, unchanged: 1 });
    });
  }

  it.each([
    { lost: 2, result: { done: 1, failed: 0 }, accounts: 1 },
    { lost: 9, result: { done: 0, failed: 1 }, accounts: 0 },
  ])(
    "is sent at most three times in a cycle ($lost without an answer)",
    async ({ lost, result, accounts }) => {
      await using place = await createWorkplace();
      place.source.hire("a");
      place.target.before = () => {
        if (place.target.writes.length <= lost) throw new UnknownOutcomeError("no answer");
      };
      expect(await place.cycle()).toMatchObject(result);
      expect(place.target.writes).toHaveLength(3);
      expect(place.target.accounts.size).toBe(accounts);
    },
  );

  it("is not sent again by a run that is stopped while it looks the account up", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const stop = new AbortController();
    place.target.before = () => {
      throw new UnknownOutcomeError("no answer");
    };
    place.target.beforeRead = (read) => {
      if (read === "find userName a@example.com") stop.abort(new InterruptedError("stop"));
    };
    await expect(place.cycle({ signal: stop.signal })).rejects.toThrow("stop");
    expect(place.target.writes).toHaveLength(1);
    expect(await place.store.openIntents()).toMatchObject([{ objectId: "a", action: "create" }]);
  });

  it("is found by its userName if Lattice cannot search by externalId, and is looked up again later if the search is forbidden", async () => {
    for (const refusal of [
      new RecordRejectedError("no such filter", { status: 400 }),
      new RecordForbiddenError("not this search", { status: 403 }),
    ]) {
      await using place = await createWorkplace();
      place.source.hire("x");
      await place.cycle();
      place.source.hire("a");
      place.target.after = () => {
        place.target.after = () => {};
        throw new UnknownOutcomeError("no answer");
      };
      place.target.beforeRead = (read) => {
        if (read === "find externalId a") throw refusal;
      };
      const forbidden = refusal instanceof RecordForbiddenError;
      expect(await place.cycle()).toMatchObject(forbidden ? { failed: 1 } : { done: 1 });
      expect(await place.store.openIntents()).toHaveLength(forbidden ? 1 : 0);
      place.target.beforeRead = () => {};
      await place.cycle();
      expect(await place.store.latticeIdOf("a")).toBe("lat-2");
      expect(place.target.accounts.size).toBe(2);
    }
  });

  it("is looked up in the next cycle if that was not possible at once", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.after = () => {
      throw new UnknownOutcomeError("no answer");
    };
    place.target.beforeRead = (read) => {
      if (/^find (externalId a|userName a@example.com)$/.test(read)) throw new HostUnavailableError("down");
    };
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.store.openIntents()).toMatchObject([{ objectId: "a", action: "create" }]);
    place.target.after = () => {};
    place.target.beforeRead = () => {};

    const next = await place.cycle();

    expect(next.header.summary).toMatchObject({ create: 0, unchanged: 1 });
    expect(place.target.writes).toHaveLength(1);
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    expect(await place.store.openIntents()).toEqual([]);
  });
});

describe("a create whose connection was dropped", () => {
  it("may still arrive, so the look-up waits for it", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    let sentAt = 0;
    place.target.before = () => {
      sentAt = place.clock.now();
      place.target.before = () => {};
      throw new UnknownOutcomeError("no answer");
    };
    place.target.beforeRead = (read) => {
      if (!read.startsWith("find") || sentAt === 0) return;
      expect(place.clock.now() - sentAt).toBeGreaterThanOrEqual(1_000);
      // Now it has arrived.
      place.target.beforeRead = () => {};
      place.target.add({ userName: "a@example.com", externalId: "a" });
    };
    await place.cycle();
    expect(place.target.accounts.size).toBe(1);
  });
});
