import { describe, expect, it } from "vitest";
import { comparisonIsDue, nextComparison, parseComparison } from "../../../src/cycle/reading/comparison.ts";
import {
  HostUnavailableError,
  RecordForbiddenError,
  RecordRejectedError,
} from "../../../src/domain/errors.ts";
import { readStatus, statusDocument } from "../../../src/report/status.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const every = { kind: "every", everyMs: 45 * minuteMs, timezone: "UTC" } as const;

async function company(people = ["a", "b", "c"]): Promise<Workplace> {
  const place = await createWorkplace();
  for (const id of people) place.source.hire(id);
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

async function documented(place: Workplace) {
  const limits = { cycles: 5, mostHeld: 0 };
  return statusDocument(await readStatus(place.store, every, place.clock.now(), limits));
}

describe("a full comparison", () => {
  it("finds an account by its id if the listing left it out", async () => {
    await using place = await company();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, { ...account, values: { displayName: "Edited" } });
    const { list } = place.target;
    place.target.list = async function* (signal) {
      for await (const page of list(signal))
        yield page.filter(({ latticeId }) => latticeId !== account.latticeId);
    };
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1 });
    expect(place.target.account("a@example.com").values.displayName).toBe("a");
  });

  it("forgets an account that is gone and linked to no person, so that the person who matches it gets a new one at once", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const { latticeId } = place.target.add({ userName: "kim@example.com" });
    await place.cycle();
    place.target.accounts.delete(latticeId);
    await place.cycle({ full: true });
    place.source.hire("kim");
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0, header: { summary: { create: 1 } } });
  });
});

describe("a full comparison that cannot be done", () => {
  it("still sends leavers and new people, and is reported in the result, the report and the status", async () => {
    await using place = await company();
    place.source.change("a", { accountEnabled: false });
    place.source.hire("d");
    place.target.listsOnly = 2;
    const full = await place.cycle({ full: true });
    expect(full).toMatchObject({ outcome: "done", header: { summary: { create: 1, deactivate: 1 } } });
    expect(place.target.active()).toEqual(["b@example.com", "c@example.com", "d@example.com"]);
    const error = "Lattice says it has 3 accounts, but its list has 2.";
    expect(full.failedComparison).toMatchObject({ error, attempts: 1 });
    expect(full.header.notes.join()).toContain(error);
    const failedSince = new Date(place.clock.now()).toISOString();
    expect((await documented(place)).comparison).toMatchObject({ failedSince, attempts: 1, error });
  });

  it("is tried again by the schedule after two intervals, then at growing intervals up to a day", async () => {
    await using place = await company();
    const day = 24 * hourMs;
    const due = async (): Promise<boolean> =>
      comparisonIsDue(await place.store.meta(), day, place.clock.now());
    expect(await due()).toBe(false);
    place.clock.advance(day);
    expect(await due()).toBe(true);
    place.target.listsOnly = 2;
    await place.cycle({ full: true });
    expect(await due()).toBe(false);
    place.clock.advance(90 * minuteMs - 1);
    expect(await due()).toBe(false);
    place.clock.advance(1);
    expect(await due()).toBe(true);
    place.target.listsOnly = null;
    const full = await place.cycle({ full: true });
    expect(full.failedComparison).toBeNull();
    expect((await documented(place)).comparison).toBeNull();
    expect(await due()).toBe(false);
  });

  it("waits at most a day, even if a clock that was set back makes the time look far away", () => {
    let failed = nextComparison(null, { error: "no", now: 0, intervalMs: 45 * minuteMs });
    const waits: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      waits.push((failed.nextTryAt - tries) / hourMs);
      failed = nextComparison(failed, { error: "no", now: tries + 1, intervalMs: 45 * minuteMs });
    }
    expect(waits).toEqual([1.5, 3, 6, 12, 24, 24]);
    expect(failed.failedSince).toBe(0);
    const meta = { comparison: JSON.stringify({ ...failed, nextTryAt: 40 * 24 * hourMs }) };
    expect(comparisonIsDue(meta, 24 * hourMs, 2 * 24 * hourMs)).toBe(true);
    expect(comparisonIsDue(meta, null, 2 * 24 * hourMs)).toBe(false);
    expect(parseComparison({ comparison: "" })).toBeNull();
  });

  it("forgets no one, and concludes nothing from accounts that the listing did not show", async () => {
    await using place = await company();
    place.source.scope = [];
    place.target.add({ userName: "stranger@example.com" });
    place.source.scope = null;
    await place.cycle({ full: true });
    place.target.listsOnly = 1;
    await place.cycle({ full: true });
    expect((await documented(place)).people).toMatchObject({ linked: 3, skipped: 0 });
    expect(await place.store.accountOf("lat-4")).not.toBeNull();
  });

  it("ends the cycle if Lattice answers no other request either, or if no account is known yet", async () => {
    await using place = await company();
    place.target.beforeRead = () => {
      throw new HostUnavailableError("Lattice cannot be reached");
    };
    await expect(place.cycle({ full: true })).rejects.toThrow("cannot be reached");
    expect(parseComparison(await place.store.meta())).toBeNull();
    await using first = await createWorkplace();
    first.source.hire("a");
    first.target.listsOnly = 0;
    await expect(first.cycle()).rejects.toThrow("says it has 1 accounts, but its list has 0");
    expect(first.target.writes).toEqual([]);
  });
});

describe("a tolerant first run", () => {
  it("searches for each person whom the listing does not show before it makes an account", async () => {
    await using place = await createWorkplace({ listing: "tolerant" });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.add({ userName: "a@example.com", externalId: "a" });
    place.target.add({ userName: "b@example.com" });
    place.target.listsOnly = 1;
    const run = await place.cycle();
    expect(run.header.summary).toMatchObject({ create: 1 });
    expect([...place.target.accounts.values()].map(({ externalId }) => externalId)).toEqual(["a", "b", "c"]);
    expect(run.header.notes.join()).toContain("lattice.listing: tolerant");
    expect((await documented(place)).listingFault).toContain("its list has 1");
    // In a cycle of changes too: the listing is still the same.
    place.source.hire("d");
    place.target.add({ userName: "d@example.com", externalId: "d" });
    await place.cycle();
    expect(place.target.accounts.size).toBe(4);
  });

  it("makes no account for a person who cannot be searched for", async () => {
    await using place = await createWorkplace({ listing: "tolerant" });
    place.source.hire("a");
    place.target.listsOnly = 0;
    const { RecordUnavailableError } = await import("../../../src/domain/errors.ts");
    place.target.beforeRead = (read) => {
      if (read === "find userName a@example.com") throw new RecordUnavailableError("500");
    };
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { code: "waitingForRetry", reason: "the search for an existing account failed: 500" },
    ]);
    place.target.beforeRead = () => {};
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1 });
  });

  it.each([
    ["is told by userName alone where no search by externalId is offered", 501, 1],
    ["is not known where the search by externalId is forbidden: no account is made", 403, 0],
  ])("%s (%i)", async (_case, status, creates) => {
    await using place = await createWorkplace({ listing: "tolerant" });
    place.source.hire("a");
    place.target.listsOnly = 0;
    place.target.beforeRead = (read) => {
      if (read !== "find externalId a") return;
      throw status === 403
        ? new RecordForbiddenError("may not be searched", { status })
        : new RecordRejectedError("no filters", { status });
    };
    expect((await place.cycle()).header.summary).toMatchObject({ create: creates });
  });
});
