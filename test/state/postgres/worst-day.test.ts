import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import { connect } from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openReadOnlyStore, openStore } from "../../../src/state/postgres/store.ts";
import { type Company, companyIn } from "./company.ts";
import { type CuttingProxy, cuttingProxy } from "./cutting-proxy.ts";
import { makeOwnServer, type OwnServer, type StopMode } from "./own-server.ts";

// Each of these takes a server of its own through the fault in the middle of a cycle: the cycle goes on, or ends with one sentence, and
// the next one makes Lattice equal to the directory, with one account for each person.

const people = 12;
/** Operations whose intents are noted in one commit (`src/cycle/sending/apply.ts`). */
const mostInABatch = 128;

/** The error that kept the fault of a test from being made: to the program it is a write that failed. */
let notMade: { readonly because: unknown } | null = null;

afterEach(() => {
  const found = notMade;
  notMade = null;
  if (found !== null) throw found.because;
});

/** Calls `fault` once, while the write of this number is carried out. The test fails if `fault` does. */
function atWrite({ place }: Company, number: number, fault: () => void | Promise<void>): void {
  place.target.after = async () => {
    if (place.target.writes.length !== number) return;
    place.target.after = () => {};
    try {
      await fault();
    } catch (error) {
      notMade = { because: error };
      throw error;
    }
  };
}

async function faultOf(cycle: Promise<unknown>): Promise<StateError | null> {
  try {
    await cycle;
    return null;
  } catch (error) {
    if (error instanceof StateError) return error;
    throw error;
  }
}

describe("a PostgreSQL server in the middle of a cycle", () => {
  let server: OwnServer;
  let at: PostgresPlace;
  let jobs = 0;

  beforeAll(async () => {
    server = await makeOwnServer({ max_connections: "12", superuser_reserved_connections: "3" });
    await server.start();
    const role = "CREATE ROLE als LOGIN PASSWORD 'only-for-tests'";
    await server.sql(role, "CREATE SCHEMA azure_lattice_sync AUTHORIZATION als");
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(() => {
    const url = new URL(server.url);
    url.username = "als";
    jobs += 1;
    at = { url: url.href, job: `job-${jobs}` };
  });

  it.each<StopMode>(["fast", "immediate"])("that is restarted (%s) is waited for", async (mode) => {
    await using company = await companyIn(at, people);
    let started: Promise<void> | undefined;
    atWrite(company, 5, async () => {
      await server.stop(mode);
      started = sleep(200).then(() => server.start());
    });
    expect(await company.place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    await started;
    expect(await company.wrongs()).toEqual([]);
  });

  it.each<StopMode>(["fast", "immediate"])(
    "that stays away (%s) ends it with one sentence, and the next cycle goes on",
    async (mode) => {
      await using company = await companyIn({ ...at, waitMs: 300 }, people);
      atWrite(company, 5, () => server.stop(mode));
      const fault = await faultOf(company.place.cycle());
      expect(fault?.message).toMatch(
        /^the state database 127\.0\.0\.1:\d+\/postgres cannot be reached \(ECONNREFUSED\)/,
      );
      await server.start();
      await company.restart(at);
      expect(await company.place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      expect(await company.wrongs()).toEqual([]);
    },
  );

  it("that hangs ends it: what is sent meanwhile was noted before, and is looked up", async () => {
    const limits = { connectMs: 400, answerMs: 400 };
    await using company = await companyIn({ ...at, limits, waitMs: 400 }, 400);
    const { place } = company;
    let before = 0;
    atWrite(company, 5, () => {
      before = place.target.writes.length;
      server.hang(true);
    });
    const fault = await faultOf(place.cycle());
    expect(fault?.message).toMatch(
      /^(the connection to )?the state database \S+ (was lost and could not be made again|cannot be reached)/,
    );
    expect(place.target.writes.length - before).toBeLessThanOrEqual(mostInABatch);
    expect(place.target.writes.length).toBeLessThan(400);
    server.hang(false);
    await company.restart(at);
    expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(place.target.accounts.size).toBe(400);
    const made = place.target.writes.filter(({ kind }) => kind === "create");
    expect(made).toHaveLength(400);
  });

  it("that is set not to wait for its disk waits for it with a commit of this program", async () => {
    expect(await server.sql("SHOW synchronous_commit")).toEqual([{ synchronous_commit: "off" }]);
    const { db, close } = await connect(at);
    const setting = "SELECT current_setting('synchronous_commit') AS set, $1::int AS job";
    expect(await Promise.all([1, 2].map(() => db.one(setting)))).toMatchObject([
      { set: "on" },
      { set: "on" },
    ]);
    await close();
  });

  it("that hangs does not keep the state from being closed", async () => {
    const store = await openStore(at);
    await store.meta();
    server.hang(true);
    const begun = performance.now();
    await store.close();
    expect(performance.now() - begun).toBeLessThan(10_000);
    server.hang(false);
  });

  it("that has no connection left is waited for, and is a sentence if that takes too long", async () => {
    await using company = await companyIn(at, people);
    const others: pg.Client[] = [];
    const pids: number[] = [];
    /** Connects until the server refuses. */
    const fill = async (): Promise<void> => {
      for (;;) {
        const other = new pg.Client({ connectionString: at.url });
        other.on("error", () => {});
        try {
          await other.connect();
        } catch (error) {
          expect(error).toMatchObject({ code: "53300" });
          return;
        }
        others.push(other);
        const { rows } = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        pids.push(...rows.map(({ pid }) => pid));
      }
    };
    /** A connection that is ended gives its place back a little later, which the program may take again. */
    const takeAll = async (): Promise<void> => {
      for (let ended = 1; ended > 0; ) {
        await fill();
        const rows = await server.sql(
          `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'als' AND NOT pid = ANY ('{${pids.join()}}')`,
        );
        for (const { pid } of rows) await goneProcess(Number(pid));
        ended = rows.length;
      }
    };
    const letGo = (): Promise<unknown> => Promise.all(others.splice(0).map((other) => other.end()));

    atWrite(company, 3, async () => {
      await takeAll();
      setTimeout(() => void letGo(), 150);
    });
    expect(await company.place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(await company.wrongs()).toEqual([]);

    await company.restart({ ...at, waitMs: 200 });
    company.place.source.change("p3", { jobTitle: "Lead" });
    atWrite(company, company.place.target.writes.length + 1, takeAll);
    expect((await faultOf(company.place.cycle()))?.message).toMatch(
      /has no connection left \(53300\): end other programs' connections, or raise max_connections/,
    );
    await letGo();
    await company.restart();
    await company.place.cycle();
    expect(await company.wrongs()).toEqual([]);
  });
});

/** Waits until a process has ended. */
async function goneProcess(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(5);
  }
}

describe("a PostgreSQL server whose place another one takes", () => {
  let primary: OwnServer;
  let replica: OwnServer;
  let proxy: CuttingProxy;
  let at: PostgresPlace;

  beforeEach(async () => {
    primary = await makeOwnServer({ synchronous_commit: "on", hot_standby: "on" });
    await primary.start();
    replica = await primary.makeReplica();
    await replica.start();
    proxy = await cuttingProxy(primary.url);
    at = { url: proxy.url, job: "default" };
  });

  afterEach(async () => {
    await proxy.close();
    await replica[Symbol.asyncDispose]();
    await primary[Symbol.asyncDispose]();
  });

  const synchronous = (): Promise<unknown> =>
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'replica'", "SELECT pg_reload_conf()");
  /** Waits until the replica has what the primary server has written. */
  const replicated = (): Promise<unknown> =>
    expect
      .poll(() => primary.sql("SELECT replay_lsn >= pg_current_wal_lsn() AS has FROM pg_stat_replication"))
      .toEqual([{ has: true }]);
  const promote = async (): Promise<void> => {
    await primary.stop("immediate");
    await replica.promote();
    proxy.leadTo(replica.url);
  };

  it("in the middle of a cycle goes on there, if the replica has each commit that was answered", async () => {
    await synchronous();
    await using company = await companyIn(at, people);
    atWrite(company, 5, promote);
    expect(await company.place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(await company.wrongs()).toEqual([]);
    expect(await replica.sql("SELECT pg_is_in_recovery() AS replica")).toEqual([{ replica: false }]);
  });

  it("waits for the replica to be promoted if the connections lead there before", async () => {
    await synchronous();
    await using company = await companyIn(at, people);
    atWrite(company, 5, async () => {
      await primary.stop("immediate");
      proxy.leadTo(replica.url);
      setTimeout(() => void replica.promote(), 300);
    });
    expect(await company.place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(await company.wrongs()).toEqual([]);
  });

  it("is refused from then on if it lacks a commit that was answered", async () => {
    await using company = await companyIn(at, people);
    const { place } = company;
    atWrite(company, 5, async () => {
      await replica.stop("immediate");
      // This commit is answered, and the replica never gets it.
      await place.store.noteTold({ digestedAt: "1" });
      await primary.stop("immediate");
      await replica.start();
      await replica.promote();
      proxy.leadTo(replica.url);
    });
    const older =
      /lacks writes that it had confirmed: .* Its state is older than Lattice\. Stop the program, and do what docs\/running\.md says/;
    expect((await faultOf(place.cycle()))?.message).toMatch(older);
    const sent = place.target.writes.length;
    expect((await faultOf(place.cycle()))?.message).toMatch(older);
    expect(place.target.writes.length).toBe(sent);
  });

  it("repeats a commit whose answer was lost with the server, and takes no other transaction for it", async () => {
    const { db, close } = await connect(at);
    await replicated();
    let attempts = 0;
    await db.transaction(async (session) => {
      attempts += 1;
      await session.run("UPDATE job SET last_failure = last_failure + 1 WHERE id = $1");
      if (attempts > 1) return;
      await replica.stop("immediate");
      // The primary server carries out COMMIT, and dies before it is heard. New connections find the other one.
      proxy.onCut(async () => {
        await expect
          .poll(() => primary.sql("SELECT last_failure FROM azure_lattice_sync.job"))
          .toEqual([{ last_failure: "1" }]);
        await primary.stop("immediate");
        await replica.start();
        await replica.promote();
        // The number of that transaction is given to another one.
        for (let other = 0; other < 50; other += 1) await replica.sql("SELECT txid_current()");
        proxy.leadTo(replica.url);
      });
      proxy.cutAt(1, { from: "client", when: "after" });
    });
    expect(attempts).toBe(2);
    expect(await db.one("SELECT last_failure FROM job WHERE id = $1")).toEqual({ last_failure: 1 });
    await close();
  });

  it("waits with COMMIT for its replica, and is not told by a time limit that it is committed", async () => {
    const { db, close } = await connect({ ...at, limits: { statementMs: 150 } });
    await primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()");
    // The server's processes take the setting over one after the other. It is in force when a commit waits.
    const probes: Promise<unknown>[] = [];
    const waiting = async () => {
      probes.push(primary.sql("SELECT pg_logical_emit_message(true, 'probe', '')"));
      const found = await primary.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return found.length;
    };
    await expect.poll(waiting, { timeout: 20_000 }).toBeGreaterThan(0);
    let answered = false;
    const commit = db
      .transaction((session) => session.run("UPDATE job SET last_failure = 7 WHERE id = $1"))
      .then(() => {
        answered = true;
      });
    await sleep(600);
    expect(answered).toBe(false);
    await primary.sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
    await commit;
    await Promise.all(probes);
    await close();
  });

  it("can be read as a replica, and is refused for writing", async () => {
    await using company = await companyIn(at, people);
    await company.place.cycle();
    await replicated();
    proxy.leadTo(replica.url);
    await expect(openStore(at)).rejects.toThrow(
      /cannot be written, because it is a read-only replica: connect to the primary server/,
    );
    const shown = await openReadOnlyStore(at);
    expect(await shown?.totals()).toMatchObject({ linked: people });
    await shown?.close();
    proxy.leadTo(primary.url);
  });
});

/** A small file system for a server. `null` if this user may not make one. */
function smallDisk(folder: string): { release(): void } | null {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", folder], { stdio: "ignore" });
    return { release: () => execFileSync("umount", ["-l", folder]) };
  } catch {
    return null;
  }
}

describe("a PostgreSQL server whose disk is full", () => {
  it("ends the cycle with one sentence, and the next one goes on when there is space", async ({ skip }) => {
    await using server = await makeOwnServer();
    const folder = server.folder("small", {});
    const disk = smallDisk(folder);
    if (disk === null) return skip("this user may not make a small file system");
    try {
      await server.start();
      const data = server.folder("small/data", {});
      await server.sql(
        `CREATE TABLESPACE small LOCATION '${data}'`,
        "CREATE ROLE als LOGIN PASSWORD 'only-for-tests'",
      );
      await server.sql(
        "ALTER ROLE als SET default_tablespace = small",
        "GRANT CREATE ON TABLESPACE small TO als",
      );
      await server.sql("CREATE SCHEMA azure_lattice_sync AUTHORIZATION als");
      const url = new URL(server.url);
      url.username = "als";
      const many = 3_000;
      await using company = await companyIn({ url: url.href, job: "default" }, many);
      const { place } = company;
      const fault = await faultOf(place.cycle());
      expect(fault?.message).toMatch(
        /^the disk of the state database \S+ is full \(53100\): free some space and run again\. Incomplete writes were discarded/,
      );
      execFileSync("mount", ["-o", "remount,size=200m", folder]);
      expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      expect(await company.wrongs()).toEqual([]);
    } finally {
      await server.stop("immediate");
      disk.release();
    }
  });
});
