import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import type { StateChange } from "../../../src/domain/state/change.ts";
import { commitMethod } from "../../../src/state/postgres/commit.ts";
import { type Connected, connect } from "../../../src/state/postgres/connection/connect.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { cycleMethods } from "../../../src/state/postgres/cycles.ts";
import { peopleMethods } from "../../../src/state/postgres/people.ts";
import { personRow } from "../contract/rows.ts";
import { type CuttingProxy, cuts, cuttingProxy } from "./cutting-proxy.ts";
import { freshPlace, placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const operation = {
  status: "planned",
  operation: {
    action: "create",
    objectId: "a",
    userName: "a@example.com",
    latticeId: null,
    reason: "new in scope",
    evidence: null,
    changes: [],
    adopts: false,
  },
  weights: [],
  refersTo: null,
  wave: 1,
  attempt: 1,
  at: 1,
} as const;

describe("a connection that is cut", () => {
  let place: PostgresPlace;
  let proxy: CuttingProxy;
  let opened: Connected;
  let cycleId: number;

  beforeEach(async () => {
    place = await freshPlace();
    proxy = await cuttingProxy(place.url);
    opened = await connect({ ...place, url: proxy.url });
    cycleId = await cycleMethods(opened.db).beginCycle(
      { planId: "p", kind: "initial", startedAt: 1 },
      "private",
    );
  });

  afterEach(async () => {
    await opened.close();
    await proxy.close();
  });

  const change = (): StateChange => ({
    people: { readIn: cycleId, put: [personRow("a")] },
    operations: { add: [{ ...operation, cycleId }] },
    notes: { watermark: "w" },
  });
  const rows = () => opened.db.all("SELECT id, cycle_id FROM operation WHERE job = $1 ORDER BY id");

  it.each(cuts)("$when any message of the $from in a commit leaves the commit written once", async (at) => {
    const { commit } = commitMethod(opened.db, "keep");
    let messages = 0;
    for (let cut = true; cut; ) {
      messages += 1;
      proxy.cutAt(messages, at);
      await commit(change(), "private");
      cut = proxy.hasCut();
      expect(await rows()).toEqual(
        Array.from({ length: messages }, (_, index) => ({ id: index + 1, cycle_id: cycleId })),
      );
    }
    // Begin, three statements, commit: each has some messages, and each message was cut once.
    expect(messages).toBeGreaterThan(12);
  });

  it.each(cuts)("$when a message of the $from in a read is not noticed", async (at) => {
    await commitMethod(opened.db, "keep").commit(change(), "private");
    proxy.cutAt(1, at);
    expect([...(await peopleMethods(opened.db).personRows(["a"])).keys()]).toEqual(["a"]);
    expect(proxy.hasCut()).toBe(true);
  });

  it("by the server, as it restarts, leaves a commit under way written once", async () => {
    const admin = new pg.Client({ connectionString: place.url });
    await admin.connect();
    let attempts = 0;
    await opened.db.transaction(async (session) => {
      attempts += 1;
      await session.run("UPDATE job SET last_failure = last_failure + 1 WHERE id = $1");
      const [own] = await session.all<{ pid: number }>("SELECT pg_backend_pid() AS pid, $1::int AS job");
      if (attempts === 1) await admin.query("SELECT pg_terminate_backend($1)", [own?.pid]);
      await session.all("SELECT $1::int AS again");
    });
    await admin.end();
    expect(attempts).toBe(2);
    expect(await opened.db.one("SELECT last_failure FROM job WHERE id = $1")).toEqual({ last_failure: 1 });
  });

  it("for longer than is waited is a sentence without the password", async () => {
    const impatient = await connect({ ...(await freshPlace()), url: proxy.url, waitMs: 100 });
    await proxy.close();
    const read = peopleMethods(impatient.db).personRows(["a"]);
    await expect(read).rejects.toThrow(StateError);
    await expect(read).rejects.toThrow(
      /^the (state database|connection to the state database) 127\.0\.0\.1:\d+\/postgres (cannot be reached|was lost)/,
    );
    await expect(read).rejects.not.toThrow(/only-for-tests/);
    await impatient.close();
  });
});

describe("a network that loses all packets", () => {
  const add = "UPDATE job SET last_failure = last_failure + 1 WHERE id = $1";
  const limits = { answerMs: 300, lockMs: 10_000, idleInTransactionMs: 10_000 };

  /** A transaction whose COMMIT does not reach the server, which goes on with it. */
  async function losesCommit(place: PostgresPlace, proxy: CuttingProxy): Promise<Connected> {
    const connected = await connect({ ...place, url: proxy.url });
    let attempts = 0;
    await connected.db.transaction(async (session) => {
      attempts += 1;
      await session.run(add);
      if (attempts === 1) proxy.swallow();
    });
    expect(attempts).toBe(2);
    return connected;
  }

  it("keeps no lock longer than the server waits for the next statement of a transaction, and leaves it written once", async () => {
    const place = { ...(await freshPlace()), limits: { ...limits, idleInTransactionMs: 700 } };
    const proxy = await cuttingProxy(place.url);
    const { db, close } = await losesCommit(place, proxy);
    expect(await db.one("SELECT last_failure FROM job WHERE id = $1")).toEqual({ last_failure: 1 });
    await close();
    await proxy.close();
  });

  it("ends the wait for what became of a commit with a sentence if nothing ends it", async () => {
    const place = { ...(await freshPlace()), limits: { ...limits, lockMs: 200 }, waitMs: 500 };
    const proxy = await cuttingProxy(place.url);
    const lost = losesCommit(place, proxy);
    await expect(lost).rejects.toThrow(StateError);
    await expect(lost).rejects.toThrow(
      /is in use by other transactions that did not end \(55P03\): run again/,
    );
    await proxy.close();
  });

  it("does not keep the process from closing the database", async () => {
    const place = await freshPlace();
    const proxy = await cuttingProxy(place.url);
    const { db, close } = await connect({ ...place, url: proxy.url });
    await db.one("SELECT $1::int AS job");
    proxy.swallow();
    await close();
    await proxy.close();
  });
});

describe("a transaction that cannot begin", () => {
  it("leaves a connection that others can use", async () => {
    const place = await placeInFreshSchema();
    const { db, close } = await connect(place);
    await sql(place, "ALTER TABLE commit_mark RENAME TO hidden");
    await expect(db.transaction(async () => {})).rejects.toThrow(/was modified outside this program/);
    await sql(place, "ALTER TABLE hidden RENAME TO commit_mark");
    await db.transaction((session) => session.all("SELECT $1::int AS job"));
    expect(await db.one("SELECT $1::int AS one")).toEqual({ one: 1 });
    await close();
  });
});

describe("a statement", () => {
  it("that takes longer than the server may is ended with a sentence, and its transaction is rolled back", async () => {
    const { db, close } = await connect({ ...(await freshPlace()), limits: { statementMs: 200 } });
    const slow = db.transaction(async (session) => {
      await session.run("INSERT INTO meta (job, key, value) VALUES ($1, 'a', 'b')");
      await session.all("SELECT $1::int AS job, pg_sleep(5)");
    });
    await expect(slow).rejects.toThrow(/stopped a statement \(57014\), which took longer than 55 seconds/);
    expect(await db.all("SELECT key FROM meta WHERE job = $1")).toEqual([]);
    await close();
  });

  it("that another transaction makes impossible is carried out again, with the whole of its own (40001)", async () => {
    const place = await placeInFreshSchema();
    const role = `role_${place.schema}`;
    await sql(
      place,
      `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'only-for-tests'`,
      `ALTER ROLE ${role} SET default_transaction_isolation = 'serializable'`,
    );
    const url = new URL(place.url);
    url.username = role;
    const { db, close } = await connect({ ...place, url: url.href });
    await db.run("INSERT INTO meta (job, key, value) VALUES ($1, 'a', '1')");
    let attempts = 0;
    await db.transaction(async (session) => {
      attempts += 1;
      await session.all("SELECT value FROM meta WHERE job = $1");
      if (attempts === 1) await sql(place, "UPDATE meta SET value = '10'");
      await session.run("UPDATE meta SET value = (value::int + 1)::text WHERE job = $1");
    });
    expect(attempts).toBe(2);
    expect(await db.all("SELECT value FROM meta WHERE job = $1")).toEqual([{ value: "11" }]);
    await close();
    await sql(place, `REASSIGN OWNED BY ${role} TO postgres`, `DROP ROLE ${role}`);
  });
});

describe("transactions that exclude each other", () => {
  it("are both carried out, one after the other", async () => {
    const { db, close } = await connect(await freshPlace());
    await db.run("INSERT INTO meta (job, key, value) VALUES ($1, 'one', '0'), ($1, 'two', '0')");
    const add = `UPDATE meta SET value = (value::int + 1)::text WHERE job = $1 AND key = $2`;
    let both: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      both = resolve;
    });
    let first = 0;
    // Each holds the row that the other one wants.
    const inOrder = (one: string, other: string) =>
      db.transaction(async (session) => {
        await session.run(add, one);
        first += 1;
        if (first === 2) both();
        await arrived;
        await session.run(add, other);
      });
    await Promise.all([inOrder("one", "two"), inOrder("two", "one")]);
    expect(await db.all("SELECT value FROM meta WHERE job = $1")).toEqual([{ value: "2" }, { value: "2" }]);
    await close();
  });
});
