import { describe, expect, it } from "vitest";
import { runCycle } from "../../src/cycle/cycle.ts";
import type { Ports } from "../../src/cycle/ports.ts";
import {
  AlreadyExistsError,
  ConfigurationError,
  HostUnavailableError,
  InterruptedError,
  RecordForbiddenError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../src/domain/errors.ts";
import { createWorkplace } from "./workplace.ts";

const refuse = (userName: string) => (request: { userName: string }) => {
  if (request.userName === userName) throw new RecordRejectedError("Lattice says no", { status: 400 });
};

const forbid =
  (...userNames: readonly string[]) =>
  (request: { userName: string }) => {
    if (userNames.includes(request.userName)) {
      throw new RecordForbiddenError("protected", { status: 403 });
    }
  };

describe("a 403", () => {
  it("is that account's where the key is good for others, alone in its cycle too", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = forbid("a@example.com");
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 2, failed: 1 });
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", code: "RECORD_FORBIDDEN" }]);
    // Nothing else is due: a read tells that it is not the key.
    place.target.reads.length = 0;
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 0, failed: 1 });
    expect(place.target.reads).toEqual([expect.stringMatching(/^find externalId [0-9a-f-]{36}$/)]);
    place.target.before = () => {};
    place.clock.advance(place.settings.intervalMs);
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
  });

  it("is the key's where it is refused for reading too, and stops the cycle", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = forbid("a@example.com", "b@example.com", "c@example.com");
    place.target.beforeRead = (read) => {
      if (read.startsWith("find")) throw new ConfigurationError("Lattice refused the API key");
    };
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    expect(place.target.writes).toHaveLength(1);
  });

  it("is the key's where five accounts are refused in a row, once", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    const people = ["a", "b", "c", "d", "e", "f"];
    for (const id of people) place.source.hire(id);
    place.target.before = forbid(...people.map((id) => `${id}@example.com`));
    await expect(place.cycle()).rejects.toThrow("5 accounts in a row");
    expect(place.target.writes).toHaveLength(5);
    // Whoever is protected must not stop those who come after, for ever.
    place.source.hire("g");
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 1, failed: 6 });
    expect(place.target.active()).toEqual(["g@example.com"]);
  });
});

describe("one person's failure", () => {
  it("does not stop the others and is tried again, ever later", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = refuse("b@example.com");

    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "someFailed", done: 2, failed: 1 });
    expect(
      (await place.operations(first.cycleId)).map(({ objectId, status, error }) => [objectId, status, error]),
    ).toEqual([
      ["a", "done", null],
      ["b", "failed", "Lattice says no"],
      ["c", "done", null],
    ]);
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    // Two failures: the third try is due one interval later, give or take a tenth.
    expect((await place.store.retries(10))[0]).toMatchObject({ objectId: "b", attempts: 2 });
    place.clock.advance(-place.settings.intervalMs / 2);
    const waiting = await place.cycle();
    expect(waiting).toMatchObject({ outcome: "done", header: { summary: { create: 0, skipped: 1 } } });

    place.target.before = () => {};
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
    expect(await place.store.retries(10)).toEqual([]);
  });

  it("is tried at once when the person's values change", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.target.before = refuse("a@example.com");
    for (let round = 0; round < 6; round += 1) await place.cycle();
    place.target.before = () => {};
    place.source.change("a", { jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.active()).toEqual(["a@example.com"]);
  });

  it("never delays a deactivation", async () => {
    await using place = await createWorkplace();
    place.source.scope = ["a", "b", "c"];
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    await place.cycle();
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => path === "title")) throw new RecordRejectedError("no", { status: 400 });
    };
    for (const id of ["a", "b", "c"]) place.source.change(id, { jobTitle: "Refused" });
    for (let round = 0; round < 6; round += 1) await place.cycle();
    expect(await place.store.countSkipped()).toEqual(new Map([["waitingForRetry", 3]]));

    place.source.remove("a", "softDeleted");
    place.source.scope = ["a", "b"];
    place.source.change("b", { accountEnabled: false, jobTitle: null });
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("leaves the reports of somebody who could not be created without a manager until that is mended", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    place.target.before = refuse("boss@example.com");
    const { cycleId } = await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBeNull();
    // The log does not say of a manager who was not sent that it was.
    expect((await place.operations(cycleId)).find(({ objectId }) => objectId === "report")).toMatchObject({
      status: "done",
      error: "the manager has no account yet; the manager is set when there is one",
    });
    place.target.before = () => {};
    await place.cycle();
    expect(place.target.managerOf("report@example.com")).toBe("boss@example.com");
  });

  it("is told apart from a success that Lattice only claims", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    await place.cycle();
    place.target.normalise = (path, value) => (path === "active" ? true : value);
    place.source.change("a", { accountEnabled: false, jobTitle: "Leaver" });
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "someFailed", failed: 1 });
    expect((await place.operations(result.cycleId))[0]?.error).toContain("the account is still active");
    // What was taken is known; what was not is tried again.
    expect((await place.store.linkOf("a"))?.values.title).toBe("Leaver");
    place.target.normalise = (_path, value) => value;
    await place.cycle();
    expect(place.target.active()).toEqual([]);
  });

  it("keeps the account that was made inactive against the wish, instead of losing sight of it", async () => {
    await using place = await createWorkplace();
    place.target.normalise = (path, value) => (path === "active" ? false : value);
    place.source.hire("a");
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    place.target.normalise = (_path, value) => value;
    expect((await place.cycle()).header.summary).toMatchObject({ create: 0, reactivate: 1 });
    expect(place.target.active()).toEqual(["a@example.com"]);
  });
});

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
    "is sent three times in a cycle at most ($lost without an answer)",
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

  it("is not sent again by a run that was told to stop while it looked the account up", async () => {
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

  it("is found by its userName where Lattice cannot be searched by externalId, and is not given up where that is forbidden", async () => {
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

  it("is looked up in the next cycle where it could not be looked up at once", async () => {
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

describe("planning", () => {
  it("leaves room for the lease and for signals, and stops when it is told to", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const stop = new AbortController();
    const ports: Ports = {
      ...place.ports(),
      onProgress: ({ phase }) => {
        if (phase === "planning") stop.abort(new InterruptedError("stop"));
      },
    };
    const request = { dryRun: false, full: false, fence: "private" as const, signal: stop.signal };
    await expect(runCycle(ports, request)).rejects.toThrow(InterruptedError);
    // The next thing that looks at the signal would be an operation.
    expect((await place.store.recentCycles(1))[0]).toMatchObject({ outcome: "interrupted", summary: null });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });
});

describe("a create whose connection went away", () => {
  it("is waited for before it is looked up", async () => {
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

describe("a create that meets an account", () => {
  it("adopts one of nobody and brings it up to date", async () => {
    await using place = await createWorkplace();
    await place.cycle();
    // Made in Lattice by hand after the listing.
    place.target.add({ userName: "new@example.com", active: false });
    place.source.hire("new", { jobTitle: "Analyst" });
    await place.cycle();
    expect(place.target.accounts.size).toBe(1);
    expect(place.target.account("new@example.com")).toMatchObject({
      externalId: "new",
      active: true,
      values: { title: "Analyst" },
    });
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ unchanged: 1, update: 0 });
  });

  it("leaves one with a foreign external id alone", async () => {
    await using place = await createWorkplace();
    await place.cycle();
    place.target.add({ userName: "new@example.com", externalId: "from-another-system" });
    place.source.hire("new");
    const result = await place.cycle();
    expect(result.failed).toBe(1);
    expect((await place.operations(result.cycleId))[0]?.error).toContain("from-another-system");
    expect(place.target.account("new@example.com").values).toEqual({});
  });

  it("never takes an account that is linked to somebody else, external id or not", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.source.hire("old", { userPrincipalName: "kim@example.com" });
    // Lattice that does not keep external ids.
    place.target.normalise = (path, value) => (path === "externalId" ? null : value);
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    // The name passes to a newcomer; the rename of the old one fails, the newcomer's create meets the account.
    place.source.change("old", { userPrincipalName: "kim.old@example.com" });
    place.source.hire("new", { userPrincipalName: "kim@example.com" });
    place.target.before = ({ kind }) => {
      if (kind === "update") throw new RecordRejectedError("not now", { status: 400 });
    };
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(await place.store.latticeIdOf("new")).toBeNull();
    place.target.before = () => {};
    await place.cycle();
    await place.cycle();
    expect(await place.store.latticeIdOf("old")).toBe("lat-1");
    expect(place.target.active()).toEqual(["kim.old@example.com", "kim@example.com"]);
  });

  it("fails for this person alone where the account cannot be found", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b");
    place.target.before = ({ userName }) => {
      if (userName === "a@example.com") throw new AlreadyExistsError("there is one", { status: 409 });
    };
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", done: 1, failed: 1 });
  });
});

describe("an account to adopt that was listed in an earlier cycle", () => {
  it.each([
    ["it has got another's externalId", { externalId: "another" }],
    [
      "it has got another's externalId and another userName",
      { externalId: "another", userName: "x@example.com" },
    ],
  ])("is left as it is where %s since", async (_what, since) => {
    await using place = await createWorkplace();
    const account = place.target.add({ userName: "a@example.com", values: { title: "Theirs" } });
    await place.cycle();
    const theirs = { ...account, ...since };
    // Lattice that takes an externalId once, and ignores another.
    place.target.normalise = (path, value) => (path === "externalId" ? "another" : value);
    place.target.accounts.set(account.latticeId, theirs);
    place.source.hire("a", { jobTitle: "Ours" });
    await place.cycle();
    expect(place.target.accounts.get(account.latticeId)).toEqual(theirs);
    expect(await place.store.latticeIdOf("a")).not.toBe(account.latticeId);
  });
});

describe("an account to adopt that is gone", () => {
  it("is forgotten once it was missing for hours, so that the person gets a new one", async () => {
    await using place = await createWorkplace();
    place.source.scope = [];
    place.source.hire("a");
    const { latticeId } = place.target.add({ userName: "a@example.com" });
    place.target.add({ userName: "super.admin@example.com" });
    await place.cycle();
    place.target.accounts.delete(latticeId);
    place.source.scope = ["a"];
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    expect(await place.cycle()).toMatchObject({ failed: 1, header: { summary: { create: 0 } } });
    place.clock.advance(6 * 3_600_000);
    expect(await place.cycle()).toMatchObject({ done: 1, header: { summary: { create: 1 } } });
  });
});

describe("a host that is down", () => {
  it("stops the cycle; what was not sent is sent in the next one", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = ({ userName }) => {
      if (userName === "b@example.com") throw new HostUnavailableError("Lattice is down");
    };

    await expect(place.cycle()).rejects.toThrow("Lattice is down");

    expect(place.target.writes.map((write) => write.userName)).toEqual(["a@example.com", "b@example.com"]);
    const [cycle] = await place.store.recentCycles(1);
    expect(cycle).toMatchObject({ outcome: "failed", error: "Lattice is down", done: 1 });
    const statuses = (await place.operations(cycle?.id ?? 0)).map(({ status }) => status);
    // The one that was on its way is looked up; of the other nothing is left.
    expect(statuses).toEqual(["done", "cancelled"]);
    expect(await place.store.retries(10)).toEqual([]);

    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    expect(place.target.accounts.size).toBe(3);
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("is recognised by people failing one after the other", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (let number = 0; number < 20; number += 1) place.source.hire(`p${number}`);
    place.target.before = () => {
      throw new RecordUnavailableError("502");
    };
    await expect(place.cycle()).rejects.toThrow(HostUnavailableError);
    expect(place.target.writes).toHaveLength(5);
  });

  it("does not lose a change that was taken although the answer was an error", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    for (const fault of [new RecordUnavailableError("502"), new HostUnavailableError("went away")]) {
      place.target.after = () => {
        throw fault;
      };
      place.source.change("a", { jobTitle: "Lead" });
      await place.cycle().catch(() => null);
      place.target.after = () => {};
      // Meanwhile Entra went back: the picture alone would say that nothing is to do.
      place.source.change("a", { jobTitle: "Analyst" });
      await place.cycle();
      expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    }
  });

  it("refusing the credentials stops the cycle", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c", "d", "e", "f"]) place.source.hire(id);
    place.target.before = () => {
      throw new ConfigurationError("Lattice refused the API key");
    };
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    expect(place.target.writes.length).toBeLessThanOrEqual(place.settings.concurrency);
  });
});

describe("an abort in the middle", () => {
  it("finishes and records the writes in flight, and the next cycle goes on", async () => {
    await using place = await createWorkplace({ concurrency: 2 });
    for (let number = 0; number < 10; number += 1) place.source.hire(`p${number}`);
    const abort = new AbortController();
    place.target.before = async () => {
      if (place.target.writes.length === 2) abort.abort();
      await new Promise((resolve) => setTimeout(resolve, 5));
    };

    await expect(place.cycle({ signal: abort.signal })).rejects.toThrow(InterruptedError);

    expect(place.target.accounts.size).toBe(2);
    expect(await place.store.totals()).toMatchObject({ linked: 2 });
    expect((await place.store.recentCycles(1))[0]).toMatchObject({ outcome: "interrupted", done: 2 });
    expect(await place.store.openIntents()).toEqual([]);

    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 8 });
    expect(place.target.writes).toHaveLength(10);
  });

  it("before anything was read changes nothing", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const abort = new AbortController();
    abort.abort();
    await expect(place.cycle({ signal: abort.signal })).rejects.toThrow(InterruptedError);
    expect(place.target.writes).toEqual([]);
  });
});
