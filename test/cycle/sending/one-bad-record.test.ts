import { describe, expect, it } from "vitest";
import {
  AlreadyExistsError,
  ConfigurationError,
  HostUnavailableError,
  RecordForbiddenError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../../src/domain/errors.ts";
import type { PersonStep } from "../../../src/domain/plan.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const answers: readonly [string, () => Error][] = [
  ["500", () => new RecordUnavailableError("500 again and again")],
  ["403", () => new RecordForbiddenError("protected", { status: 403 })],
  ["400", () => new RecordRejectedError("bad request", { status: 400 })],
];

/** These accounts answer every request with a fault, reads included. */
function spoil(place: Workplace, ids: readonly string[], fault: () => Error): void {
  const names = new Set(ids.map((id) => `${id}@example.com`));
  const accounts = [...place.target.accounts.values()].filter(({ userName }) => names.has(userName));
  place.target.before = ({ userName }) => {
    if (names.has(userName)) throw fault();
  };
  place.target.beforeRead = (read) => {
    const about = accounts.some(({ latticeId }) => read === `get ${latticeId}`);
    if (about || ids.some((id) => read.endsWith(` ${id}`) || read.endsWith(` ${id}@example.com`)))
      throw fault();
  };
}

function mend(place: Workplace): void {
  place.target.before = () => {};
  place.target.after = () => {};
  place.target.beforeRead = () => {};
}

/** Changes the titles of these people while Lattice does not answer: their writes are unconfirmed afterwards. */
async function leaveInDoubt(place: Workplace, ids: readonly string[]): Promise<void> {
  for (const id of ids) place.source.change(id, { jobTitle: "Lead" });
  place.target.before = () => {
    throw new HostUnavailableError("went away");
  };
  await expect(place.cycle()).rejects.toThrow("went away");
  mend(place);
}

async function company(place: Workplace, ids: readonly string[]): Promise<void> {
  for (const id of ids) place.source.hire(id);
  await place.cycle();
}

describe("one account that answers every request with a fault", () => {
  it.each(answers)("%s: concerns that person only, and leavers are switched off", async (_status, fault) => {
    await using place = await createWorkplace();
    await company(place, ["bad", "leaver", "other"]);
    await leaveInDoubt(place, ["bad"]);
    spoil(place, ["bad"], fault);
    place.source.change("leaver", { accountEnabled: false });
    place.target.writes.length = 0;
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    // The outcome of the write is not known, so nothing is sent to that account.
    expect(place.target.writes.map(({ userName }) => userName)).toEqual(["leaver@example.com"]);
    expect(place.target.account("leaver@example.com").active).toBe(false);
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "bad" }]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "bad", code: "waitingForRetry" },
    ]);
    for (let round = 0; round < 4; round += 1) await place.cycle();
    place.source.change("other", { accountEnabled: false });
    await place.cycle();
    expect(place.target.account("other@example.com").active).toBe(false);
    expect((await place.store.recentCycles(1))[0]?.outcome).not.toBe("failed");

    mend(place);
    place.clock.advance(2 * 24 * 3_600_000);
    await place.cycle();
    expect(place.target.account("bad@example.com").values.title).toBe("Lead");
    expect(await place.store.openIntents()).toEqual([]);
    expect(await place.store.retries(9)).toEqual([]);
  });

  it("keeps its place on the retry schedule instead of being read in each cycle", async () => {
    await using place = await createWorkplace();
    await company(place, ["bad", "other"]);
    await leaveInDoubt(place, ["bad"]);
    spoil(place, ["bad"], () => new RecordUnavailableError("500 again and again"));
    let asked = 0;
    for (let round = 0; round < 32; round += 1) {
      place.target.reads.length = 0;
      await place.cycle();
      asked += place.target.reads.filter((read) => read === "get lat-1").length;
    }
    // At double the distance each time.
    expect(asked).toBeLessThanOrEqual(8);
    expect(asked).toBeGreaterThanOrEqual(5);
  });

  it("keeps its link in a full comparison that does not list it", async () => {
    await using place = await createWorkplace();
    await company(place, ["bad", "leaver"]);
    const { latticeId } = place.target.account("bad@example.com");
    const hidden = place.target.accounts.get(latticeId);
    place.target.accounts.delete(latticeId);
    place.target.beforeRead = (read) => {
      if (read === `get ${latticeId}`) throw new RecordUnavailableError("500 again and again");
    };
    place.source.change("leaver", { accountEnabled: false });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1 });
    expect(place.target.account("leaver@example.com").active).toBe(false);
    expect(await place.store.latticeIdOf("bad")).toBe(latticeId);
    if (hidden !== undefined) place.target.accounts.set(latticeId, hidden);
  });

  it("does not stop the others, even if several accounts do this", async () => {
    await using place = await createWorkplace();
    const bad = ["b1", "b2", "b3", "b4", "b5", "b6", "b7"];
    await company(place, [...bad, "leaver", "other"]);
    await leaveInDoubt(place, bad);
    spoil(place, bad, () => new RecordUnavailableError("500 again and again"));
    place.source.change("leaver", { accountEnabled: false });
    await place.cycle().catch((error: unknown) => {
      // So many new failures in a row may come from the host: then the leaver is sent first.
      expect(error).toBeInstanceOf(HostUnavailableError);
    });
    await place.cycle().catch(() => null);
    expect(place.target.account("leaver@example.com").active).toBe(false);
    place.source.change("other", { accountEnabled: false });
    await place.cycle();
    expect(place.target.account("other@example.com").active).toBe(false);
  });
});

describe("a fault that concerns all accounts", () => {
  it("is detected if another account fails too, and stops the cycle before anything is planned", async () => {
    for (const [fault, kind] of [
      [new RecordUnavailableError("502"), HostUnavailableError],
      [new RecordForbiddenError("no", { status: 403 }), ConfigurationError],
    ] as const) {
      await using place = await createWorkplace();
      await company(place, ["a", "b"]);
      await leaveInDoubt(place, ["a"]);
      place.target.beforeRead = () => {
        throw fault;
      };
      await expect(place.cycle()).rejects.toThrow(kind);
      expect((await place.store.recentCycles(1))[0]?.summary).toBeNull();
      // No person is reported as failing.
      expect(await place.store.retries(9)).toEqual([]);
      expect(await place.store.openIntents()).toHaveLength(1);
      place.target.beforeRead = () => {};
      await place.cycle();
      expect(place.target.account("a@example.com").values.title).toBe("Lead");
    }
  });

  it("costs one request to Lattice, and a second one if the first fails too", async () => {
    for (const search of [true, false]) {
      await using place = await createWorkplace();
      await company(place, ["bad", "other"]);
      await leaveInDoubt(place, ["bad"]);
      place.target.beforeRead = (read) => {
        if (read === "get lat-1" || (!search && read.startsWith("find")))
          throw new RecordUnavailableError("500");
      };
      place.target.reads.length = 0;
      await place.cycle();
      const asked = place.target.reads
        .filter((read) => read !== "get lat-1")
        .map((read) => read.split(" ")[0]);
      expect(asked).toEqual(search ? ["find"] : ["find", "get"]);
    }
  });

  it("is not assumed from a search that Lattice does not offer, as long as accounts can be read", async () => {
    await using place = await createWorkplace();
    await company(place, ["bad", "other"]);
    await leaveInDoubt(place, ["bad"]);
    place.target.beforeRead = (read) => {
      if (read.startsWith("find") || read === "get lat-1") throw new RecordUnavailableError("500");
    };
    place.source.change("other", { accountEnabled: false });
    await place.cycle();
    expect(place.target.account("other@example.com").active).toBe(false);
  });
});

describe("an unconfirmed create", () => {
  it("is not sent again as long as it cannot be looked up, not even on demand", async () => {
    await using place = await createWorkplace();
    await company(place, ["other"]);
    place.source.hire("new");
    place.target.after = ({ userName }) => {
      if (userName === "new@example.com") throw new UnknownOutcomeError("no answer");
    };
    // A Lattice that allows duplicate names.
    place.target.normalise = (path, value) => (path === "externalId" ? null : value);
    const blind = (read: string): void => {
      if (read.endsWith(" new") || read.endsWith(" new@example.com")) {
        throw new RecordForbiddenError("may not be read", { status: 403 });
      }
    };
    place.target.beforeRead = blind;
    await place.cycle();
    place.target.after = () => {};
    const creates = (): number => place.target.writes.filter(({ kind }) => kind === "create").length;
    const before = creates();
    await place.cycle();
    await place.cycle({ only: ["new"] });
    await place.cycle({ full: true });
    expect(creates()).toBe(before);
    mend(place);
    place.clock.advance(2 * 24 * 3_600_000);
    await place.cycle();
    expect(creates()).toBe(before);
    expect(await place.store.latticeIdOf("new")).not.toBeNull();
  });

  it("that met an account, and cannot be looked up because Lattice offers no search, fails only for that person", async () => {
    for (const status of [501, 404]) {
      await using place = await createWorkplace();
      await company(place, ["other"]);
      place.source.hire("new");
      place.source.change("other", { jobTitle: "Lead" });
      place.target.before = ({ kind }) => {
        if (kind === "create") throw new AlreadyExistsError("there is one", { status: 409 });
      };
      place.target.beforeRead = (read) => {
        if (read.startsWith("find")) throw new RecordRejectedError("no filters", { status });
      };
      expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 1, failed: 1 });
      expect(place.target.account("other@example.com").values.title).toBe("Lead");
    }
  });
});

describe("a leaver", () => {
  it("is switched off when the delay is over, although another change waits for a retry", async () => {
    await using place = await createWorkplace();
    await company(place, ["a"]);
    const hour = 3_600_000;
    place.settings = {
      ...place.settings,
      events: { ...place.settings.events, disabled: { do: "deactivate", afterMs: 10 * hour } },
    };
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "title"))
        throw new RecordRejectedError("too long", { status: 400 });
    };
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    for (let round = 0; round < 10; round += 1) {
      if (round === 0) place.source.change("a", { jobTitle: "Refused" });
      await place.cycle();
    }
    expect(place.target.active()).toEqual(["a@example.com"]);
    for (let round = 0; round < 5; round += 1) await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("is switched off although another change makes Lattice fail, also if the account must first be linked", async () => {
    for (const fault of [
      new RecordRejectedError("too long", { status: 400 }),
      new RecordUnavailableError("500 again and again"),
    ]) {
      for (const linked of [true, false]) {
        await using place = await createWorkplace();
        if (linked) await company(place, ["a"]);
        else place.target.add({ userName: "a@example.com", externalId: null });
        place.target.before = ({ writes }) => {
          if (writes.length > 1) throw fault;
        };
        if (linked) place.source.change("a", { accountEnabled: false, jobTitle: "Refused" });
        else place.source.hire("a", { accountEnabled: false, jobTitle: "Refused" });
        await place.cycle();
        expect(place.target.active()).toEqual([]);
        expect(await place.store.latticeIdOf("a")).toBe("lat-1");
      }
    }
  });
});

describe("a cycle on demand", () => {
  it("continues with the others if the account of one person cannot be read, and reports it", async () => {
    await using place = await createWorkplace();
    await company(place, ["linked", "other"]);
    place.source.hire("new");
    place.source.hire("unseen");
    place.source.change("linked", { accountEnabled: false });
    spoil(place, ["unseen"], () => new RecordUnavailableError("500 again and again"));
    const linkedId = place.target.account("linked@example.com").latticeId;
    const spoilt = place.target.beforeRead;
    place.target.beforeRead = (read) => {
      spoilt(read);
      if (read === `get ${linkedId}`) throw new RecordForbiddenError("may not be read", { status: 403 });
    };
    const steps: PersonStep[] = [];
    const ports = place.ports;
    place.ports = () => ({ ...ports(), onStep: (step) => steps.push(step) });
    const result = await place.cycle({ only: ["unseen", "linked", "new"] });
    expect(result).toMatchObject({ outcome: "someFailed", done: 2, failed: 1 });
    expect(place.target.active()).toEqual(["new@example.com", "other@example.com"]);
    const failed = steps.filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ step, detail }) => `${step}: ${detail}`)).toEqual([
      "connect: Lattice: 500 again and again",
      "connect: Lattice: may not be read",
    ]);
  });

  it("makes and finds accounts if Lattice offers no search by externalId", async () => {
    await using place = await createWorkplace();
    await company(place, ["other"]);
    place.source.hire("new");
    place.source.hire("known");
    place.target.add({ userName: "known@example.com" });
    place.target.beforeRead = (read) => {
      if (read.startsWith("find externalId")) throw new RecordRejectedError("no filters", { status: 501 });
    };
    expect(await place.cycle({ only: ["new", "known"] })).toMatchObject({
      failed: 0,
      header: { summary: { create: 1, link: 1 } },
    });
  });
});
