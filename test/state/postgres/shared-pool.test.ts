import { afterEach, describe, expect, it } from "vitest";
import { type Connected, connect, connectToAll } from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { leaseMethods } from "../../../src/state/postgres/lease.ts";
import { openReadOnlyStore, openStore } from "../../../src/state/postgres/store.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { ownDatabase } from "./own-database.ts";
import { sql } from "./sql.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
});

/** A database that no other test has connections to. */
async function freshDatabase(): Promise<{ readonly url: string }> {
  const database = await ownDatabase();
  closers.push(async () => database[Symbol.asyncDispose]());
  return database;
}

async function opened(place: PostgresPlace): Promise<Connected> {
  const connected = await connect(place);
  closers.push(connected.close);
  return connected;
}

/** Connections of this program to the database, seen through one that is none of its pool's. */
async function connections(place: { readonly url: string }): Promise<number> {
  const [row] = await sql(
    place,
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'azure-lattice-sync'`,
  );
  return Number(row?.count);
}

/** Ends the program's connections, as a server does that restarts. */
async function endConnections(place: { readonly url: string }): Promise<void> {
  await sql(
    place,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'azure-lattice-sync'`,
  );
}

const sleeping = "SELECT pg_sleep(0.2), $1::int AS job";

describe("the jobs of one database", () => {
  it("share a few connections, however many jobs ask at once, and each sees its own rows", async () => {
    const { url } = await freshDatabase();
    const jobs = await Promise.all(
      Array.from({ length: 40 }, (_, index) => opened({ url, job: `job-${index}`, connections: 4 })),
    );
    const found = await Promise.all(
      jobs.map(({ db }) => db.one<{ name: string }>("SELECT name FROM job WHERE id = $1")),
    );
    expect(found.map((row) => row?.name)).toEqual(jobs.map((_, index) => `job-${index}`));
    await Promise.all(jobs.map(({ lease }) => leaseMethods(lease, "server").acquireLease("w", 0, 60_000)));
    expect(await connections({ url })).toBeLessThanOrEqual(4);
  });

  it("get a connection although another job asks for all of them", async () => {
    const { url } = await freshDatabase();
    const flood = await opened({ url, job: "flood", connections: 4 });
    const other = await opened({ url, job: "other", connections: 4 });
    let ended = 0;
    const all = Array.from({ length: 30 }, async () => {
      await flood.db.all(sleeping);
      ended += 1;
    });
    await other.db.all("SELECT $1::int AS job");
    expect(ended).toBeLessThan(10);
    await Promise.all(all);
  });

  it("renew their leases while all other connections are in use", async () => {
    const { url } = await freshDatabase();
    const jobs = await Promise.all(["a", "b", "c"].map((job) => opened({ url, job, connections: 2 })));
    const [first] = jobs;
    if (first === undefined) throw new Error("no job");
    const { acquireLease, renewLease } = leaseMethods(first.lease, "server");
    await acquireLease("worker", 0, 60_000);
    let ended = 0;
    const all = jobs.flatMap(({ db }) =>
      Array.from({ length: 5 }, async () => {
        await db.all(sleeping);
        ended += 1;
      }),
    );
    expect(await renewLease("worker", 0, 60_000)).toBe(true);
    expect(ended).toBe(0);
    await Promise.all(all);
  });

  it("renew their leases while the lease of another one waits for a commit that hangs", async () => {
    const { url } = await freshDatabase();
    const [stuck, healthy] = [await opened({ url, job: "stuck" }), await opened({ url, job: "healthy" })];
    const [one, other] = [leaseMethods(stuck.lease, "server"), leaseMethods(healthy.lease, "server")];
    await one.acquireLease("worker", 0, 60_000);
    await other.acquireLease("worker", 0, 60_000);
    let letGo: () => void = () => {};
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const locked = new Promise<void>((resolve, reject) => {
      stuck.db
        .transaction(async (session) => {
          await session.run("SELECT 1 FROM lease WHERE job = $1 FOR UPDATE");
          resolve();
          await until;
        })
        .catch(reject);
    });
    await locked;
    let isRenewed = false;
    const renewal = one.renewLease("worker", 0, 60_000).then((renewed) => {
      isRenewed = renewed;
    });
    expect(await other.renewLease("worker", 0, 60_000)).toBe(true);
    expect(isRenewed).toBe(false);
    letGo();
    await renewal;
    expect(isRenewed).toBe(true);
  });

  it("keep the connections that others use when one is closed, and leave none when all are", async () => {
    const { url } = await freshDatabase();
    const [one, other] = [await connect({ url, job: "one" }), await connect({ url, job: "other" })];
    const daemons = await connectToAll({ url });
    await one.close();
    expect(await other.db.one("SELECT name FROM job WHERE id = $1")).toEqual({ name: "other" });
    await expect(one.db.one("SELECT name FROM job WHERE id = $1")).rejects.toThrow(/closed/);
    await other.close();
    await daemons.close();
    await expect.poll(() => connections({ url })).toBe(0);
  });

  it("have marks of their own, which what all daemons share does not touch", async () => {
    const place = { url: (await freshDatabase()).url, job: "one" };
    const [job, daemons] = [await opened(place), await connectToAll(place)];
    closers.push(daemons.close);
    for (const { db } of [job, daemons]) {
      await db.transaction((session) => session.run("SELECT $1::int AS job"));
    }
    await endConnections(place);
    for (const { db } of [job, daemons]) expect(await db.one("SELECT $1::int AS job")).toBeDefined();
  });

  it("are opened on a new connection if those of the other jobs were cut since", async () => {
    const { url } = await freshDatabase();
    const proxy = await cuttingProxy(url);
    closers.push(() => proxy.close());
    await opened({ url: proxy.url, job: "one" });
    await endConnections({ url });
    const two = await opened({ url: proxy.url, job: "two" });
    expect(await two.db.one("SELECT name FROM job WHERE id = $1")).toEqual({ name: "two" });
  });

  it("are each compared with what they have written, so that the rows of one being removed stop no other", async () => {
    const { url } = await freshDatabase();
    const [removed, other] = [
      await openStore({ url, job: "removed" }),
      await openStore({ url, job: "other" }),
    ];
    closers.push(removed.close, other.close);
    for (const store of [removed, other]) await store.commit({ notes: { watermark: "w" } }, "private");
    await sql(
      { url },
      "DELETE FROM azure_lattice_sync.commit_mark WHERE job = (SELECT id FROM azure_lattice_sync.job WHERE name = 'removed')",
    );
    await endConnections({ url });
    expect(await other.meta()).toEqual({ watermark: "w" });
    await expect(removed.meta()).rejects.toThrow(/lacks writes that it had confirmed/);
  });

  it("are read by commands through connections that cannot write", async () => {
    const { url } = await freshDatabase();
    await opened({ url, job: "one" });
    const reader = await openReadOnlyStore({ url, job: "one" });
    if (reader === null) throw new Error("the job is not there");
    closers.push(reader.close);
    await expect(reader.commit({ notes: { watermark: "w" } }, "private")).rejects.toThrow(
      /cannot be written/,
    );
  });
});
