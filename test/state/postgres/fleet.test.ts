import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FleetStore, Worker } from "../../../src/domain/fleet.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openFleetReader, openFleetStore } from "../../../src/state/postgres/fleet/store.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const minute = 60_000;

let place: PostgresPlace;
let fleet: FleetStore;

beforeEach(async () => {
  place = await placeInFreshSchema();
  fleet = await openFleetStore(place);
});

afterEach(() => fleet.close());

function worker(id: string): Worker {
  return { id, host: `host-${id}`, version: "1.0.0", workLevel: 2 };
}

const identity = "tenant a, Lattice a";

function serves(name: string, digest = "d1", companies = identity) {
  return { name, digest, identity: companies };
}

describe("daemons that share a database", () => {
  it("know each other, and who died", async () => {
    expect(await fleet.announce(worker("a"), [serves("emea"), serves("us")])).toEqual([]);
    await fleet.announce(worker("b"), [serves("us")]);
    await sql(place, "UPDATE worker SET seen_at = seen_at - 31000 WHERE id = 'a'");
    expect(await fleet.workers()).toMatchObject([
      { id: "a", host: "host-a", version: "1.0.0", alive: false, jobs: ["emea", "us"] },
      { id: "b", alive: true, jobs: ["us"] },
    ]);
    expect(await fleet.seen("a")).toBe(true);
    await fleet.leave("b");
    expect(await fleet.workers()).toMatchObject([{ id: "a", alive: true }]);
    expect(await fleet.seen("b")).toBe(false);
  });

  it("see which of them take a job, and which one works on it", async () => {
    await fleet.announce(worker("a"), [serves("emea"), serves("us", "old")]);
    await fleet.announce(worker("b"), [serves("us", "new")]);
    await fleet.announce(worker("c"), [serves("us", "new"), serves("latam")]);
    await fleet.beginTurn("us", "c");
    await sql(place, "INSERT INTO job (id, name) VALUES (99, 'removed')");
    const reader = await openFleetReader(place);
    expect(await reader?.jobs()).toEqual([
      { name: "emea", takers: ["a"], digest: "d1", identity, worker: null, aside: [], asked: [] },
      { name: "latam", takers: ["c"], digest: "d1", identity, worker: null, aside: [], asked: [] },
      { name: "removed", takers: [], digest: null, identity: null, worker: null, aside: [], asked: [] },
      { name: "us", takers: ["b", "c"], digest: "new", identity, worker: "c", aside: [], asked: [] },
    ]);
    expect((await reader?.workers())?.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    await reader?.close();

    await sql(place, "UPDATE worker SET seen_at = seen_at - 31000 WHERE id IN ('b', 'c')");
    const jobs = new Map((await fleet.jobs()).map((job) => [job.name, job]));
    expect(jobs.get("us")).toMatchObject({ takers: ["a"], digest: "old", worker: null });
    expect(jobs.get("latam")).toMatchObject({ takers: [], digest: null });
  });

  it("are not looked for where the program has no tables, and none are made", async () => {
    const empty = await placeInFreshSchema();
    expect(await openFleetReader(empty)).toBeNull();
    const found = await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${empty.schema}'`);
    expect(found).toEqual([]);
  });

  it("refuse the same name for another tenant while a daemon with that job lives", async () => {
    await fleet.announce(worker("a"), [serves("emea"), serves("us")]);
    const other = [serves("us", "d2", "tenant b, Lattice b")];
    expect(await fleet.announce(worker("b"), other)).toEqual([
      { job: "us", host: "host-a", identity: "tenant a, Lattice a" },
    ]);
    expect(await fleet.workers()).toMatchObject([{ id: "a" }]);
    await fleet.leave("a");
    expect(await fleet.announce(worker("b"), other)).toEqual([]);
  });

  it("show one that waits for the end of another with another tenant, and whose configuration has no say", async () => {
    await fleet.announce(worker("a"), [serves("us")]);
    const waits = { kind: "stranger", reason: "Another tenant." } as const;
    const other = [{ ...serves("us", "d2", "tenant b"), aside: waits }];
    expect(await fleet.announce(worker("b"), other)).toEqual([]);
    const shown = {
      takers: ["a"],
      digest: "d1",
      identity,
      aside: [{ worker: "b", reason: "Another tenant." }],
    };
    expect(await fleet.jobs()).toMatchObject([shown]);
    const forced = async (id: string) => (await fleet.timetable(id)).jobs.map(({ inForce }) => inForce);
    expect([await forced("a"), await forced("b")]).toEqual([[true], [false]]);
    // Nor does it keep a third one with the first tenant from the job.
    expect(await fleet.announce(worker("c"), [serves("us")])).toEqual([]);
    expect(await fleet.announce(worker("b"), [serves("us", "d2", "tenant b")])).toHaveLength(2);
    await fleet.leave("a");
    await fleet.leave("c");
    expect(await forced("b")).toEqual([false]);
    expect(await fleet.announce(worker("b"), [serves("us", "d2", "tenant b")])).toEqual([]);
    expect(await forced("b")).toEqual([true]);
    expect(await fleet.jobs()).toMatchObject([{ takers: ["b"], identity: "tenant b", aside: [] }]);
  });

  it("let another one with the same configuration go on with a job, unless there is none", async () => {
    await fleet.announce(worker("a"), [serves("us")]);
    await fleet.announce(worker("old"), [serves("us", "d0")]);
    await fleet.announce(worker("a"), [serves("us", "d2")]);
    expect(await fleet.standAside("us", "a", "Refused.")).toBe(false);
    await fleet.announce(worker("b"), [serves("us", "d2")]);
    expect(await fleet.standAside("us", "a", "Refused.")).toBe(true);
    const forced = async (id: string) => (await fleet.timetable(id)).jobs.map(({ inForce }) => inForce);
    expect([await forced("a"), await forced("b"), await forced("old")]).toEqual([[false], [true], [false]]);
    const aside = [{ worker: "a", reason: "Refused." }];
    expect(await fleet.jobs()).toMatchObject([{ takers: ["b"], digest: "d2", aside }]);
    // The last one does not stand aside: the job is tried, and its fault is seen.
    expect(await fleet.standAside("us", "b", "Refused, too.")).toBe(false);
    await sql(place, "UPDATE worker SET seen_at = seen_at - 31000 WHERE id = 'b'");
    expect(await forced("a")).toEqual([true]);
    // It takes the job, as no one else does.
    expect(await fleet.jobs()).toMatchObject([{ takers: ["a"], aside: [] }]);
    // Told again, as with another credential, it takes the job.
    await fleet.announce(worker("a"), [serves("us", "d2")]);
    expect(await fleet.jobs()).toMatchObject([{ takers: ["a"], aside: [] }]);
  });

  it("leave a job to a newer configuration also when they were silent while it was announced", async () => {
    await fleet.announce(worker("a"), [serves("us", "old")]);
    await sql(place, "UPDATE worker SET seen_at = seen_at - 31000 WHERE id = 'a'");
    await fleet.announce(worker("b"), [serves("us", "new")]);
    expect(await fleet.seen("a")).toBe(true);
    const inForce = async (id: string) => (await fleet.timetable(id)).jobs[0]?.inForce;
    expect([await inForce("a"), await inForce("b")]).toEqual([false, true]);
    expect(await fleet.jobs()).toMatchObject([{ takers: ["b"], digest: "new" }]);
    // It announces what it had once more: that is not new.
    await fleet.announce(worker("a"), [serves("us", "old")]);
    expect([await inForce("a"), await inForce("b")]).toEqual([false, true]);
    await fleet.leave("b");
    expect(await inForce("a")).toBe(true);
    expect(await fleet.jobs()).toMatchObject([{ takers: ["a"], digest: "old" }]);
  });

  it("show what people have asked for until it has ended", async () => {
    await fleet.announce(worker("a"), [serves("us")]);
    const work = { job: "us", request: { full: false }, decision: null, worker: null };
    await fleet.addWork({ ...work, id: "w1", kind: "cycle", trigger: "hand" });
    await fleet.addWork({ ...work, id: "w2", kind: "cycle", trigger: "schedule", worker: "a" });
    expect(await fleet.jobs()).toMatchObject([{ asked: [{ kind: "cycle", startedAt: null, worker: null }] }]);
    await fleet.takeWork("w1", "a");
    const [job] = await fleet.jobs();
    expect(job?.asked).toEqual([
      { kind: "cycle", worker: "a", askedAt: expect.any(Number), startedAt: expect.any(Number) },
    ]);
    await fleet.finishWork("w1", { result: {} });
    expect((await fleet.jobs())[0]?.asked).toEqual([]);
  });

  it("go by the configuration that came last, as long as one that has it lives", async () => {
    const inForce = async (id: string): Promise<boolean | undefined> =>
      (await fleet.timetable(id)).jobs[0]?.inForce;
    await fleet.announce(worker("a"), [serves("us", "old")]);
    await fleet.announce(worker("b"), [serves("us", "new")]);
    expect([await inForce("a"), await inForce("b")]).toEqual([false, true]);
    // One with the old configuration that is started again is not newer.
    await fleet.announce(worker("c"), [serves("us", "old")]);
    expect([await inForce("b"), await inForce("c")]).toEqual([true, false]);
    await sql(place, "UPDATE worker SET seen_at = seen_at - 31000 WHERE id = 'b'");
    expect(await inForce("a")).toBe(true);
  });

  it("go by the configuration that came last, although the server's clock was set back", async () => {
    await fleet.announce(worker("a"), [serves("us", "old")]);
    await sql(place, "UPDATE job_config SET first_at = first_at + 3600000");
    await fleet.announce(worker("b"), [serves("us", "new")]);
    expect((await fleet.timetable("b")).jobs).toMatchObject([{ inForce: true }]);
    expect((await fleet.timetable("a")).jobs).toMatchObject([{ inForce: false }]);
  });

  it("see when the schedule ran a job, by the server's clock, and how it ended", async () => {
    await fleet.announce(worker("a"), [serves("us"), serves("emea")]);
    await fleet.announce(worker("b"), [serves("latam")]);
    expect(await fleet.timetable("a")).toMatchObject({
      jobs: [
        { name: "us", turn: null, lastCycle: null, notes: {} },
        { name: "emea", turn: null },
      ],
      others: ["latam"],
    });
    await fleet.beginTurn("us", "a");
    const first = (await fleet.timetable("a")).jobs[0]?.turn;
    expect(first).toMatchObject({ endedAt: null, againAt: null, failures: 0 });
    await fleet.endTurn("us", "a", { kind: "again", inMs: minute });
    await fleet.beginTurn("us", "a");
    await fleet.endTurn("us", "a", { kind: "again", inMs: minute });
    const { now, jobs } = await fleet.timetable("a");
    const again = jobs[0]?.turn?.againAt ?? 0;
    expect(jobs[0]?.turn).toMatchObject({ failures: 2 });
    expect(again).toBeGreaterThan(now + minute - 5_000);
    expect(again).toBeLessThanOrEqual(now + minute);
    await fleet.beginTurn("us", "a");
    await fleet.endTurn("us", "a", { kind: "finished" });
    expect((await fleet.timetable("a")).jobs[0]?.turn).toMatchObject({ againAt: null, failures: 0 });
  });

  it("do not end a turn that another one has taken over", async () => {
    await fleet.announce(worker("a"), [serves("us")]);
    await fleet.beginTurn("us", "a");
    await fleet.beginTurn("us", "b");
    await fleet.endTurn("us", "a", { kind: "finished" });
    expect((await fleet.timetable("a")).jobs[0]?.turn).toMatchObject({ endedAt: null });
  });

  it("see the last cycle of everybody and the notes of a job that ran before there was a fleet", async () => {
    const store = await openStore({ ...place, job: "us" });
    const fence = { owner: "one" };
    await store.acquireLease(fence.owner, Date.now(), minute);
    const startedAt = Date.UTC(2026, 10, 23, 8);
    await store.beginCycle({ planId: "p1", kind: "incremental", startedAt }, fence);
    await store.beginCycle({ planId: "p2", kind: "on-demand", startedAt: startedAt + minute }, fence);
    await store.commit({ notes: { quarantine: "{}" } }, fence);
    await store.close();
    await fleet.announce(worker("a"), [serves("us")]);
    expect((await fleet.timetable("a")).jobs).toMatchObject([
      { lastCycle: { startedAt, ended: false }, notes: { quarantine: "{}" } },
    ]);
  });
});

describe("work that daemons share", () => {
  const given = {
    kind: "dryRun",
    trigger: "hand",
    request: { full: true },
    decision: null,
    worker: null,
  } as const;

  beforeEach(() => fleet.announce(worker("a"), [serves("us"), serves("emea")]));

  it("is seen by all, from its wish to its result", async () => {
    await fleet.addWork({ ...given, id: "w1", job: "us" });
    expect(await fleet.findWork("w1")).toMatchObject({ ...given, job: "us", startedAt: null, result: null });
    expect(await fleet.takeWork("w1", "a")).toMatchObject({
      job: "us",
      request: { full: true },
      worker: "a",
    });
    await fleet.progressWork("w1", { phase: "planning", done: 1, total: 2 }, "a");
    expect(await fleet.findWork("w1")).toMatchObject({ progress: { phase: "planning" }, finishedAt: null });
    await fleet.finishWork("w1", { result: { planId: "p" }, plan: { operations: [], total: 0 } });
    expect(await fleet.findWork("w1")).toMatchObject({
      result: { planId: "p" },
      progress: null,
      error: null,
    });
    expect(await fleet.planOfWork("w1")).toEqual({ operations: [], total: 0 });
    expect(await fleet.takeWork("w1", "a")).toBeNull();
  });

  it("can be taken over from a worker that died, and withdrawn only before one has begun", async () => {
    await fleet.addWork({ ...given, id: "w1", job: "us" });
    await fleet.takeWork("w1", "a");
    await fleet.progressWork("w1", { phase: "planning", done: 1, total: 2 }, "a");
    await fleet.withdrawWork("w1");
    expect(await fleet.takeWork("w1", "b")).toMatchObject({ worker: "b", progress: null });
    await fleet.addWork({ ...given, id: "w2", job: "us" });
    await fleet.withdrawWork("w2");
    expect(await fleet.findWork("w2")).toBeNull();
  });

  it("is not reported on any more by a worker whose work another one has taken over", async () => {
    await fleet.addWork({ ...given, id: "w1", job: "us" });
    expect(await fleet.takeWork("w1", "a")).toMatchObject({ begunBefore: false });
    expect(await fleet.takeWork("w1", "a")).toMatchObject({ begunBefore: false });
    expect(await fleet.takeWork("w1", "b")).toMatchObject({ worker: "b", begunBefore: true });
    await fleet.progressWork("w1", { phase: "planning", done: 1, total: 2 }, "a");
    await fleet.finishWork("w1", { error: "Another worker took this job over." }, "a");
    expect(await fleet.findWork("w1")).toMatchObject({ worker: "b", progress: null, finishedAt: null });
    await fleet.finishWork("w1", { result: { planId: "p" } }, "b");
    expect(await fleet.findWork("w1")).toMatchObject({ result: { planId: "p" }, error: null });
  });

  it("is known as begun before, whichever message is lost while another worker takes it over", async () => {
    const proxy = await cuttingProxy(place.url);
    const other = await openFleetStore({ ...place, url: proxy.url });
    let messages = 0;
    for (let cut = true; cut; ) {
      messages += 1;
      const id = `w${messages}`;
      await fleet.addWork({ ...given, id, job: "us" });
      await fleet.takeWork(id, "a");
      proxy.cutAt(messages, { from: "server", when: "before" });
      expect(await other.takeWork(id, "b")).toMatchObject({ worker: "b", begunBefore: true });
      cut = proxy.hasCut();
    }
    // Begin, a statement, commit: each has some messages.
    expect(messages).toBeGreaterThan(3);
    await other.close();
    await proxy.close();
  });

  it("has a report for the command that asked, which is gone when it was read, or no one has read it for an hour", async () => {
    for (const id of ["w1", "w2", "w3"]) await fleet.addWork({ ...given, id, job: "us" });
    await fleet.finishWork("w1", { report: { steps: ["one"] } });
    await fleet.finishWork("w2", { report: { steps: ["two"] } });
    expect(await fleet.takeReport("w1")).toEqual({ steps: ["one"] });
    expect(await fleet.takeReport("w1")).toBeNull();
    await sql(place, "UPDATE work SET finished_at = finished_at - 3600001 WHERE id = 'w2'");
    await fleet.finishWork("w3", { report: { steps: ["three"] } });
    expect(await fleet.takeReport("w2")).toBeNull();
    expect(await fleet.takeReport("w3")).toEqual({ steps: ["three"] });
    expect(await fleet.takeReport("unknown")).toBeNull();
  });

  it("is kept for the last twenty of a job, and the plan for its last dry run", async () => {
    await fleet.addWork({ ...given, id: "other", job: "emea" });
    for (let number = 10; number < 35; number += 1) {
      await fleet.addWork({ ...given, id: `w${number}`, job: "us" });
      await fleet.finishWork(`w${number}`, { plan: { operations: [], total: number } });
    }
    const works = await fleet.recentWorks(100, "us");
    expect(works).toHaveLength(20);
    expect(works[0]?.id).toBe("w34");
    expect(await fleet.planOfWork("w33")).toBeNull();
    expect(await fleet.planOfWork("w34")).toMatchObject({ total: 34 });
    expect(await fleet.recentWorks(100)).toHaveLength(21);
  });
});

it("a session that was signed out is known for longer than until its end, as a daemon whose clock is behind takes it until then", async () => {
  const now = (await fleet.timetable("a")).now;
  const hour = 3_600_000;
  await fleet.signOut("hash-1", now + hour);
  await fleet.signOut("hash-1", now + hour);
  await fleet.signOut("hash-2", now - hour);
  await fleet.signOut("hash-3", now - 25 * hour);
  expect([...(await fleet.signedOut())].sort()).toEqual(["hash-1", "hash-2"]);
});
