import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { NextFiring } from "../../../src/daemon/firing.ts";
import type { RunHow, RunnableJob } from "../../../src/daemon/fleet/perform.ts";
import { openQueue, type Queue } from "../../../src/daemon/fleet/queue.ts";
import { createFleetWorker, type FleetWorker } from "../../../src/daemon/fleet/worker.ts";
import type { Schedule } from "../../../src/daemon/scheduler.ts";
import {
  AccessRefusedError,
  ConfigurationError,
  LeaseHeldError,
  StateError,
} from "../../../src/domain/errors.ts";
import type { FleetStore, ServedJob, Timetable, TurnEnd, WorkRow } from "../../../src/domain/fleet.ts";
import { openFleetStore } from "../../../src/state/postgres/fleet/store.ts";
import { serverIn } from "../../state/postgres/server.ts";
import { sql } from "../../state/postgres/sql.ts";

const minute = 60_000;
const keyRefused = new AccessRefusedError("Lattice answers 401.");
const every = { kind: "every", everyMs: 45 * minute, timezone: "UTC" } as const;

interface Run extends RunHow {
  readonly by: string;
  readonly job: string;
  readonly work: WorkRow | null;
  readonly failures: number;
  end(how?: TurnEnd): void;
}

let place: { readonly url: string; readonly schema: string; readonly queueSchema: string };
let runs: Run[];
/** Runs end at once: the test has ended. */
let isOver: boolean;
let said: string[];
/** Looks for leavers, as `daemon: job`. */
let looks: string[];
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  const { folder, pid, schemas } = inject("postgres");
  const schema = `${schemas}_w${randomBytes(3).toString("hex")}`;
  place = { url: await serverIn(folder, pid), schema, queueSchema: `${schema}_q` };
  runs = [];
  isOver = false;
  said = [];
  looks = [];
});

afterEach(async () => {
  isOver = true;
  for (const run of runs) run.end();
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
});

interface Started {
  readonly worker: FleetWorker;
  readonly fleet: FleetStore;
  readonly queue: Queue;
  /** Ends it as a signal does. */
  stop(): Promise<void>;
  /** Ends it without a word, as a kill does. */
  kill(): Promise<void>;
}

async function start(
  id: string,
  names: readonly string[],
  how: {
    readonly maxAtOnce?: number;
    readonly digest?: string;
    readonly identity?: string;
    readonly looksEveryMs?: number;
    readonly schedule?: Schedule;
    readonly access?: () => string;
    readonly nextFiring?: NextFiring;
    /** As long as it says so, the daemon goes by the common schedule that it read first. */
    readonly isBehind?: () => boolean;
    /** Instead, of jobs whose configuration changes. */
    readonly jobs?: () => readonly Partial<
      Pick<RunnableJob & ServedJob, "name" | "identity" | "looksEveryMs">
    >[];
  } = {},
): Promise<Started> {
  const { maxAtOnce = 4, digest = "same", identity = "tenant a" } = how;
  const stop = new AbortController();
  const fleet = await openFleetStore(place);
  const queue = await openQueue(place, { heartbeatSeconds: 10, monitorSeconds: 1, onError: () => {} });
  const run = (job: string, work: WorkRow | null, given: RunHow, failures: number): Promise<TurnEnd> =>
    new Promise((resolve) => {
      if (isOver) return resolve({ kind: "finished" });
      runs.push({ ...given, by: id, job, work, failures, end: (end = { kind: "finished" }) => resolve(end) });
    });
  const say = (_fields: object, message: string): void => void said.push(`${id}: ${message}`);
  let first: Promise<Timetable> | null = null;
  const { timetable } = fleet;
  // Into the store itself, which a test may change further.
  Object.assign(fleet, {
    timetable: (worker: string): Promise<Timetable> => {
      if (how.isBehind?.() !== true) return timetable(worker);
      first ??= timetable(worker);
      return first;
    },
  });
  const worker = createFleetWorker({
    self: { id, host: `host-${id}`, version: "1.0.0", workLevel: 2 },
    queue,
    fleet,
    jobs: () =>
      (how.jobs?.() ?? names.map((one) => ({ name: one }))).map(({ name = "", ...given }) => ({
        name,
        digest,
        identity,
        schedule: how.schedule ?? every,
        access: how.access?.() ?? id,
        looksEveryMs: how.looksEveryMs ?? null,
        ...given,
        look: async () => void looks.push(`${id}: ${name}`),
        cycle: (given) => run(name, null, given, given.failures),
        asked: async (work, given) => {
          return (await run(name, work, given, 0)).kind === "interrupted" ? "stopped" : "ended";
        },
      })),
    maxAtOnce: () => maxAtOnce,
    nextFiring: how.nextFiring ?? (() => null),
    silenceMs: 10_000,
    pace: { pollMs: 50, tickMs: 250, leastTickMs: 50 },
    log: { info: say, warn: say, error: say },
    signal: stop.signal,
  });
  const close = async (): Promise<void> => {
    await Promise.all([queue.close(), fleet.close()]);
  };
  try {
    await worker.announce();
  } catch (error) {
    await close();
    throw error;
  }
  worker.start();
  let over = false;
  const end = async (): Promise<void> => {
    if (over) return;
    over = true;
    stop.abort();
    await worker.stop();
    await close();
  };
  closers.push(end);
  return {
    worker,
    fleet,
    queue,
    stop: end,
    kill: async () => {
      over = true;
      await close();
    },
  };
}

async function until<T>(
  what: string,
  found: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const since = performance.now();
  for (;;) {
    const answer = await found();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() - since > 100_000) throw new Error(`not within 100 seconds: ${what}`);
    await new Promise((later) => setTimeout(later, 10));
  }
}

const runOf = (job: string, number = 1): Promise<Run> =>
  until(`run ${number} of ${job}`, () => runs.filter((run) => run.job === job)[number - 1]);

describe("daemons that share a database", () => {
  it("run each job once between them, and again when it is due", async () => {
    const [a] = await Promise.all([start("a", ["one", "two", "three"]), start("b", ["one", "two", "three"])]);
    const first = await Promise.all([runOf("one"), runOf("two"), runOf("three")]);
    for (const run of first) run.end();
    await until("the end of all", async () =>
      (await a.fleet.timetable("a")).jobs.every(({ turn }) => (turn?.endedAt ?? null) !== null),
    );
    const waiting = await until("their next entries", async () => {
      const entries = await a.queue.waiting();
      return entries.length === 3 && entries;
    });
    const times = await a.fleet.timetable("a");
    for (const { job, at } of waiting) {
      const startedAt = times.jobs.find(({ name }) => name === job)?.turn?.startedAt ?? 0;
      expect(at).toBe(startedAt + every.everyMs);
    }
    expect(runs).toHaveLength(3);
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    await Promise.all([runOf("one", 2), runOf("two", 2), runOf("three", 2)]);
  });

  it("look for leavers of a job once in each interval between them, also while its cycle runs", async () => {
    const looking = { looksEveryMs: 5 * minute };
    const [a, b] = await Promise.all([start("a", ["one"], looking), start("b", ["one"], looking)]);
    await runOf("one");
    const entry = await until("an entry", async () => (await a.queue.waiting("leavers"))[0]);
    expect(entry.at - (await a.fleet.timetable("a")).now).toBeLessThanOrEqual(5 * minute);
    await until("both to know the time", () =>
      [a, b].every(({ worker }) => worker.timesOf("one")?.nextLookAt === entry.at),
    );
    expect(looks).toEqual([]);
    await sql(
      { ...place, schema: place.queueSchema },
      "UPDATE job SET start_after = start_after - interval '5 minutes' WHERE name = 'leavers'",
    );
    await until("a look", () => looks.length > 0);
    const next = await until("the next entry", async () => (await a.queue.waiting("leavers"))[0]);
    expect(next.at).toBeGreaterThanOrEqual(entry.at);
    expect(looks).toHaveLength(1);
    expect(runs).toHaveLength(1);
  });

  it("look for leavers of many jobs spread over the interval, each at its own moment, also after all have started again", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `job-${String(index)}`);
    const looking = { looksEveryMs: 60 * minute };
    const moments = async ({ queue }: Started): Promise<ReadonlyMap<string, number>> => {
      const waiting = await until("all entries", async () => {
        const found = await queue.waiting("leavers");
        return found.length === names.length && found;
      });
      return new Map(waiting.map(({ job, at }) => [job, at % (60 * minute)]));
    };
    const a = await start("a", names, looking);
    const first = await moments(a);
    const inTenths = Array.from(
      { length: 10 },
      (_, tenth) => [...first.values()].filter((at) => Math.floor(at / (6 * minute)) === tenth).length,
    );
    expect(Math.max(...inTenths)).toBeLessThan(15);
    expect(Math.min(...inTenths)).toBeGreaterThan(0);
    await a.kill();
    await sql({ ...place, schema: place.queueSchema }, "DELETE FROM job WHERE name = 'leavers'");
    expect(await moments(await start("b", names, looking))).toEqual(first);
  });

  it("look for leavers by the interval that is in force: not in a longer one from before, and not at all if it is switched off", async () => {
    let looksEveryMs: number | null = 60 * minute;
    const a = await start("a", [], { jobs: () => [{ name: "one", looksEveryMs }] });
    (await runOf("one")).end();
    const wait = async (): Promise<number | undefined> => (await a.queue.waiting("leavers"))[0]?.at;
    const now = async (): Promise<number> => (await a.fleet.timetable("a")).now;
    await until("an entry", async () => (await wait()) !== undefined);
    await sql(
      { ...place, schema: place.queueSchema },
      "UPDATE job SET start_after = now() + interval '50 minutes' WHERE name = 'leavers'",
    );
    looksEveryMs = 5 * minute;
    a.worker.reconfigured();
    await until("a sooner entry", async () => ((await wait()) ?? 0) - (await now()) < 6 * minute);
    looksEveryMs = null;
    await sql(
      { ...place, schema: place.queueSchema },
      "UPDATE job SET start_after = now() WHERE name = 'leavers'",
    );
    await until("its end", async () => (await wait()) === undefined);
    await until("the times to be read", () => a.worker.timesOf("one")?.nextLookAt === null);
    expect(looks).toEqual([]);
  });

  it("run no more jobs at once than they may", async () => {
    await start("a", ["one", "two", "three"], { maxAtOnce: 2 });
    await until("two runs", () => runs.length === 2);
    runs[0]?.end();
    await until("the third", () => runs.length === 3);
    expect(runs.map(({ job }) => job).sort()).toEqual(["one", "three", "two"]);
  });

  it("run a new job whose cron expression has fired although another one has kept it waiting since", async () => {
    let begun: number | undefined;
    const nextFiring: NextFiring = (_, after) => {
      begun ??= after;
      return after === begun ? begun + 1_000 : after + 24 * 60 * minute;
    };
    const schedule = { kind: "cron", cron: "0 3 * * *", timezone: "UTC" } as const;
    const a = await start("a", ["one", "two"], { maxAtOnce: 1, schedule, nextFiring });
    const run = await until("a run", () => runs[0]);
    const other = run.job === "one" ? "two" : "one";
    await until("the schedule to be read again", () => a.worker.timesOf(run.job)?.times.turn !== null);
    expect(a.worker.timesOf(other)?.dueAt).toBe((begun ?? 0) + 1_000);
    run.end();
    await runOf(other);
  });

  it("take over the job of one that was killed, and stop what that one does if it comes back", async () => {
    const a = await start("a", ["one"]);
    const run = await runOf("one");
    await start("b", ["one"]);
    await sql(
      { ...place, schema: place.queueSchema },
      "UPDATE job SET heartbeat_on = heartbeat_on - interval '11 seconds' WHERE state = 'active'",
    );
    const other = await runOf("one", 2);
    expect([run.takenOver, other.takenOver]).toEqual([false, true]);
    await until("the end of the first", () => run.signal.aborted);
    expect(run.signal.reason).toBeInstanceOf(LeaseHeldError);
    expect(other.signal.aborted).toBe(false);
    await a.kill();
  });

  it("try a job again sooner that could not do its work, and count how often", async () => {
    const { fleet } = await start("a", ["one"]);
    (await runOf("one")).end({ kind: "again", inMs: 0 });
    const second = await runOf("one", 2);
    expect(second.failures).toBe(1);
    second.end({ kind: "again", inMs: minute });
    await until("the end", async () => (await fleet.timetable("a")).jobs[0]?.turn?.failures === 2);
  });

  it("go on at once with what one that stops was doing", async () => {
    await start("a", ["one"]);
    (await runOf("one")).end({ kind: "interrupted" });
    expect((await runOf("one", 2)).failures).toBe(0);
  });

  it("leave a job to the one with the newest configuration, and say so once", async () => {
    await start("a", ["one", "two"], { digest: "old" });
    for (const job of ["one", "two"]) (await runOf(job)).end();
    const b = await start("b", ["one"], { digest: "new" });
    await until("a word", () => said.some((line) => line.startsWith("a: another daemon has a newer")));
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    expect((await runOf("one", 2)).by).toBe("b");
    expect((await runOf("two", 2)).by).toBe("a");
    await b.fleet.leave("b");
    expect(said.filter((line) => line.includes("newer configuration"))).toHaveLength(1);
  });

  it("wait with a job that one that lives has for another tenant, do others meanwhile, and take it over when that one has ended", async () => {
    const a = await start("a", ["one"], { identity: "tenant a" });
    (await runOf("one")).end();
    const b = await start("b", ["one", "two"], { identity: "tenant b" });
    (await runOf("two")).end();
    expect(b.worker.waitsFor("two")).toBeNull();
    expect(b.worker.waitsFor("one")?.reason).toBe(
      'The daemon on host-a runs the job "one" for tenant a on the same database, so this daemon waits, and takes the job over when that one has ended. If these are two installations, give the job another name (jobs), or set another state.url.',
    );
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    const again = await runOf("one", 2);
    expect(again.by).toBe("a");
    again.end();
    await a.stop();
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    expect((await runOf("one", 3)).by).toBe("b");
    expect(b.worker.waitsFor("one")).toBeNull();
    expect(said.filter((one) => one.startsWith("b"))).toEqual([
      "b: the job waits for another daemon to end",
      "b: the other daemon has ended: this one takes the job over",
    ]);
  });

  it("stand aside for one with the same configuration if they are refused, until they are told of another credential", async () => {
    const a = await start("a", ["one", "two"]);
    const first = [await runOf("one"), await runOf("two")];
    expect(await first[0]?.standAside(keyRefused)).toBe(false);
    for (const run of first) run.end();
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    const refused = await runOf("one", 2);
    const b = await start("b", ["one"]);
    // A fault that concerns all of them is not a reason to stand aside.
    expect(await refused.standAside(new ConfigurationError("The group is gone."))).toBe(false);
    expect(await refused.standAside(keyRefused)).toBe(true);
    expect(refused.signal.aborted).toBe(true);
    refused.end({ kind: "interrupted" });
    const next = await runOf("one", 3);
    expect(next).toMatchObject({ by: "b", failures: 0 });
    next.end();
    const reason =
      "Entra or Lattice refuses this daemon, so another one with the same configuration goes on with the job, and this one tries again within the hour: Lattice answers 401.";
    expect(a.worker.standsAside("one")?.reason).toBe(reason);
    expect(a.worker.standsAside("two")).toBeNull();
    expect(said).toContain("a: Entra or Lattice refuses this daemon: another one goes on with the job");
    expect(said.join()).not.toContain("newer configuration");
    const shown = async () => (await a.fleet.jobs()).find(({ name }) => name === "one");
    expect(await shown()).toMatchObject({ takers: ["b"], aside: [{ worker: "a", reason }] });

    a.worker.reconfigured();
    await until("both to take it", async () => (await shown())?.takers.length === 2);
    expect(a.worker.standsAside("one")).toBeNull();
    await b.stop();
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    expect((await runOf("one", 4)).by).toBe("a");
  });

  it("say no more that they stand aside when they are alone with the job, and have run it", async () => {
    const a = await start("a", ["one"]);
    const b = await start("b", ["one"]);
    const refused = await runOf("one");
    const [own, other] = refused.by === "a" ? [a, b] : [b, a];
    expect(await refused.standAside(keyRefused)).toBe(true);
    refused.end({ kind: "interrupted" });
    (await runOf("one", 2)).end();
    expect(own.worker.standsAside("one")).not.toBeNull();
    await other.stop();
    await sql(place, "UPDATE turn SET started_at = started_at - 2700000");
    const next = await runOf("one", 3);
    expect(next.by).toBe(refused.by);
    expect(own.worker.standsAside("one")).toBeNull();
    next.end();
    await until("it to be a taker like any other", async () => {
      const [row] = await sql(place, "SELECT aside FROM worker_job");
      return row?.aside === null;
    });
  });

  it("do not stand aside for a run that began with a credential that is in force no longer, and run the job again", async () => {
    let access = "old";
    const a = await start("a", ["one"], { access: () => access });
    const refused = await runOf("one");
    access = "new";
    expect(await refused.standAside(keyRefused)).toBe(true);
    refused.end({ kind: "interrupted" });
    expect((await runOf("one", 2)).by).toBe("a");
    expect(a.worker.standsAside("one")).toBeNull();
  });

  it("tell what they know of themselves although the database cannot be asked to let another one go on", async () => {
    const a = await start("a", ["one"]);
    const refused = await runOf("one");
    const { standAside } = a.fleet;
    Object.assign(a.fleet, {
      standAside: () => Promise.reject(new StateError("the database does not answer")),
    });
    expect(await refused.standAside(keyRefused)).toBe(false);
    Object.assign(a.fleet, { standAside });
    expect(refused.signal.aborted).toBe(false);
    expect(said).toContain("a: the other daemons could not be asked to go on");
  });

  it("move an entry that another credential may have brought forward to no later time, while the job is in quarantine", async () => {
    const { queue, fleet } = await start("a", ["one"]);
    (await runOf("one")).end();
    await until("the next entry", async () => (await queue.waiting()).length === 1);
    const { now } = await fleet.timetable("a");
    const quarantine = {
      cause: "configuration",
      reason: "",
      since: now,
      attempts: 1,
      access: "a",
      nextProbeAt: now + 300 * minute,
    };
    await sql(
      place,
      `INSERT INTO meta (job, key, value) SELECT id, 'quarantine', '${JSON.stringify(quarantine)}' FROM job`,
    );
    const soon = now + 20 * minute;
    await queue.move({ job: "one", at: soon });
    const ticks = fleet.timetable;
    let read = 0;
    Object.assign(fleet, {
      timetable: (worker: string) => {
        read += 1;
        return ticks(worker);
      },
    });
    await until("two more ticks", () => read > 2);
    expect((await queue.waiting())[0]?.at).toBe(soon);
  });

  it("hand over what a person has asked for if they are refused, and it has an end", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    await start("b", ["one"]);
    const id = await ask(a, { kind: "cycle", request: { full: false } });
    const asked = await runOf("one", 2);
    expect(await asked.standAside(keyRefused)).toBe(true);
    asked.end({ kind: "interrupted" });
    const other = await runOf("one", 3);
    expect(other.by).not.toBe(asked.by);
    expect(other.work).toMatchObject({ id, begunBefore: false });
    other.end();
    await until("its end", async () => (await a.fleet.findWork(id))?.finishedAt != null);
  });

  it("leave the jobs of which they do nothing at once when they stop, and the others when their writes have ended", async () => {
    const a = await start("a", ["one", "two"], { identity: "tenant a" });
    (await runOf("two")).end();
    const busy = await runOf("one");
    await until("the end of the other turn", async () => {
      const [turn] = await sql(place, "SELECT count(*)::int AS ended FROM turn WHERE ended_at IS NOT NULL");
      return turn?.ended === 1;
    });
    const b = await start("b", ["one", "two"], { identity: "tenant b" });
    expect(b.worker.waitsFor("two")).not.toBeNull();
    const stopped = a.stop();
    await until("the idle job to be free", () => b.worker.waitsFor("two") === null);
    expect(b.worker.waitsFor("one")).not.toBeNull();
    busy.end({ kind: "interrupted" });
    await stopped;
    expect((await runOf("one", 2)).by).toBe("b");
  });

  it("run all others of their jobs if one that is added is another tenant's, and that one when it is no longer", async () => {
    const a = await start("a", ["one"], { identity: "tenant a" });
    (await runOf("one")).end();
    let names = ["two"];
    const b = await start("b", [], { jobs: () => names.map((name) => ({ name, identity: "tenant b" })) });
    (await runOf("two")).end();
    names = ["one", "two", "three"];
    b.worker.reconfigured();
    (await runOf("three")).end();
    expect(said.filter((one) => one.startsWith("b"))).toEqual(["b: the job waits for another daemon to end"]);
    const served = async (): Promise<readonly string[]> =>
      (await b.fleet.workers()).find(({ id }) => id === "b")?.jobs ?? [];
    expect(await served()).toEqual(["three", "two"]);
    expect(runs.filter(({ job }) => job === "one").map(({ by }) => by)).toEqual(["a"]);
    await a.stop();
    await until("the job to be taken", async () => (await served()).includes("one"));
  });

  it("leave to another one what is asked of a job that they do not have, although they have not heard of it before", async () => {
    let isBehind = true;
    const a = await start("a", ["one"], { isBehind: () => isBehind });
    (await runOf("one")).end();
    await a.fleet.announce({ id: "c", host: "host-c", version: "1.0.0", workLevel: 2 }, [
      { name: "two", digest: "same", identity: "tenant a" },
    ]);
    const id = randomUUID();
    const work = { id, job: "two", kind: "cycle", trigger: "hand", request: { full: true } } as const;
    await a.fleet.addWork({ ...work, decision: null, worker: null });
    expect(await a.queue.ask("two", id, 1)).toBe(true);
    await until("it to be taken and given back", async () => {
      const [entry] = await sql(
        { ...place, schema: place.queueSchema },
        "SELECT retry_count::int AS given, state FROM job WHERE name = 'asked'",
      );
      return entry?.state === "retry" && Number(entry.given) > 0;
    });
    isBehind = false;
    await start("b", ["two"]);
    const asked = await until("the work", () => runs.find((run) => run.work?.id === id));
    expect(asked.by).toBe("b");
    expect(said).not.toContain("a: a job could not be run");
  });

  it("do what a person has asked for beside the schedule, with the work that was stored", async () => {
    const { fleet, queue, worker } = await start("a", ["one", "two"], { maxAtOnce: 1 });
    await until("a run", () => runs.length === 1);
    const job = runs[0]?.job === "one" ? "two" : "one";
    const id = await ask({ fleet, queue }, { job, kind: "dryRun", request: { full: true } });
    worker.wake();
    const asked = await until("what was asked for", () => runs[1]);
    expect(asked).toMatchObject({ job, work: { id, request: { full: true }, worker: "a" } });
  });
});

interface Wish {
  readonly job?: string;
  readonly kind: string;
  readonly request: object;
  /** The queue. */
  readonly level?: 1 | 2;
}

/** Asks for work, as a program of any version might do. @returns its id */
async function ask(
  { fleet, queue }: Pick<Started, "fleet" | "queue">,
  { job = "one", kind, request, level = 1 }: Wish,
): Promise<string> {
  const id = randomUUID();
  const row = { id, job, kind, trigger: "hand", request, decision: null, worker: null };
  // This version has no type for the work that another version asks for.
  await fleet.addWork(row as Parameters<FleetStore["addWork"]>[0]);
  expect(await queue.ask(job, id, level)).toBe(true);
  return id;
}

describe("work that another version has asked for", () => {
  const revert = {
    which: "1",
    deactivateCreated: false,
    release: false,
    by: { kind: "cli", name: "kim@host" },
  };
  const ended = async ({ fleet }: Started, id: string) =>
    until("its end", async () => {
      const row = await fleet.findWork(id);
      return row?.finishedAt != null && row;
    });

  it.each([
    ["a kind that is not known", { kind: "merge", request: { full: false } }],
    ["a field that is not known", { kind: "cycle", request: { full: false, onlyDepartment: "Sales" } }],
    ["a field of another kind", { kind: "cycle", request: { full: false, revert } }],
    ["a field without which it is another kind", { kind: "revert", request: { full: false } }],
    [
      "a part of an order that is not known",
      { kind: "revert", request: { full: false, revert: { ...revert, half: true } } },
    ],
  ])("is refused with a sentence, and nothing else is done in its place: %s", async (_case, wish) => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    const row = await ended(a, await ask(a, wish));
    expect(row).toMatchObject({
      worker: "a",
      error: `the daemon on host-a has version 1.0.0, which does not know this kind of work (${wish.kind}), so nothing was done: update that daemon, and ask again`,
    });
    expect(runs).toHaveLength(1);
    // The job goes on.
    const next = await ask(a, { kind: "revert", request: { full: false, revert }, level: 2 });
    expect(await runOf("one", 2)).toMatchObject({ work: { id: next, kind: "revert" } });
  });

  it("is left to those that know its level", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    // An older worker takes only from the queues that it knows, and not from one that a later version adds.
    const taken = new Set<string>();
    const { take } = a.queue;
    Object.assign(a.queue, {
      take: (...asked: Parameters<Queue["take"]>) => {
        taken.add(asked[0]);
        return take(...asked);
      },
    });
    await until("a look at all", () => taken.size === 4);
    expect([...taken].sort()).toEqual(["asked", "asked-2", "leavers", "schedule"]);
  });

  it("is not done with another configuration than it was asked for with", async () => {
    const a = await start("a", ["one"], { digest: "new" });
    (await runOf("one")).end();
    const request = { full: false, configuration: "old" };
    expect(await ended(a, await ask(a, { kind: "cycle", request, level: 2 }))).toMatchObject({
      error:
        "the daemons have another configuration of the job one since this was asked for, so nothing was done: ask again",
    });
    await ask(a, { kind: "cycle", request: { ...request, configuration: "new" }, level: 2 });
    expect(await runOf("one", 2)).toMatchObject({ work: { kind: "cycle" } });
  });

  it("is not done if no one has begun with it for six hours", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    const id = randomUUID();
    await a.fleet.addWork({
      id,
      job: "one",
      kind: "cycle",
      trigger: "hand",
      request: { full: false },
      decision: null,
      worker: null,
    });
    await sql(place, "UPDATE work SET asked_at = asked_at - 21600001");
    await a.queue.ask("one", id, 1);
    expect(await ended(a, id)).toMatchObject({
      error: expect.stringMatching(/^no daemon began this within six hours/),
    });
  });

  it("is gone on with by another daemon if the one that does it stops, within six hours of the request", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    const id = await ask(a, { kind: "cycle", request: { full: false } });
    const first = await runOf("one", 2);
    const b = await start("b", ["one"]);
    const stopped = a.stop();
    await until("the signal", () => first.signal.aborted);
    first.end({ kind: "interrupted" });
    await stopped;
    const second = await runOf("one", 3);
    expect(second).toMatchObject({ by: "b", takenOver: true, work: { id, begunBefore: true } });
    expect(await b.fleet.findWork(id)).toMatchObject({ worker: "b", finishedAt: null, error: null });
    await sql(place, "UPDATE work SET asked_at = asked_at - 7 * 3600000");
    const c = await start("c", ["one"]);
    const stoppedToo = b.stop();
    await until("the signal", () => second.signal.aborted);
    second.end({ kind: "interrupted" });
    await stoppedToo;
    expect((await ended(c, id)).error).toBe(
      "the daemon that began this ended, and no other one went on within six hours of the request: history shows what was sent, ask again for what is left",
    );
  });

  it("has an end even if its report could not be stored", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    const id = await ask(a, { kind: "cycle", request: { full: false } });
    (await runOf("one", 2)).end();
    expect(await ended(a, id)).toMatchObject({
      error: "its end could not be stored: history shows what was done",
    });
  });

  it("is begun by another daemon, or later, if the database did not answer", async () => {
    const a = await start("a", ["one"]);
    (await runOf("one")).end();
    const { takeWork } = a.fleet;
    let refused = 0;
    Object.assign(a.fleet, {
      takeWork: (...given: Parameters<FleetStore["takeWork"]>) => {
        refused += 1;
        if (refused === 1) throw new StateError("the database does not answer");
        return takeWork(...given);
      },
    });
    const id = await ask(a, { kind: "cycle", request: { full: false } });
    expect(await runOf("one", 2)).toMatchObject({ work: { id } });
    expect(said).toContain("a: work that was asked for could not be begun");
  });
});
