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
import { type Cut, type CuttingProxy, cuttingProxy } from "./cutting-proxy.ts";
import { freshPlace } from "./place.ts";

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

  it.each<Cut>(["before", "after"])(
    "in any statement of a commit, %s the server has it, leaves the commit written once",
    async (when) => {
      const { commit } = commitMethod(opened.db, "keep");
      let messages = 0;
      for (let cut = true; cut; ) {
        messages += 1;
        proxy.cutAt(messages, when);
        await commit(change(), "private");
        cut = proxy.hasCut();
        expect(await rows()).toEqual(
          Array.from({ length: messages }, (_, index) => ({ id: index + 1, cycle_id: cycleId })),
        );
      }
      // Begin, three statements, commit: each was cut once.
      expect(messages).toBeGreaterThan(5);
    },
  );

  it.each<Cut>(["before", "after"])("in a read, %s the server has it, is not noticed", async (when) => {
    await commitMethod(opened.db, "keep").commit(change(), "private");
    proxy.cutAt(1, when);
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
