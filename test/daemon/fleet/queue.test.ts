import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { openQueue, type Queue } from "../../../src/daemon/fleet/queue.ts";
import { cuttingProxy } from "../../state/postgres/cutting-proxy.ts";
import { serverIn } from "../../state/postgres/server.ts";
import { sql } from "../../state/postgres/sql.ts";

let place: { readonly url: string; readonly queueSchema: string };
let queue: Queue;
let other: Queue;
const faults: unknown[] = [];

beforeEach(async () => {
  const { folder, pid, schemas } = inject("postgres");
  const queueSchema = `${schemas}_q${randomBytes(3).toString("hex")}`;
  place = { url: await serverIn(folder, pid), queueSchema };
  const options = {
    heartbeatSeconds: 10,
    monitorSeconds: 1,
    onError: (error: unknown) => faults.push(error),
  };
  // Two programs may make the tables at once.
  [queue, other] = await Promise.all([openQueue(place, options), openQueue(place, options)]);
});

afterEach(async () => {
  await Promise.all([queue.close(), other.close()]);
  expect(faults).toEqual([]);
});

it("is made by a user who owns its schema and may make none", async () => {
  const schema = `${place.queueSchema}_own`;
  const user = `${schema}_user`;
  const made = { url: place.url, schema: place.queueSchema };
  await sql(
    made,
    `CREATE ROLE ${user} LOGIN PASSWORD 'only-for-tests'`,
    `CREATE SCHEMA ${schema} AUTHORIZATION ${user}`,
  );
  const url = new URL(place.url);
  url.username = user;
  url.password = "only-for-tests";
  const options = { heartbeatSeconds: 10, monitorSeconds: 1, onError: () => {} };
  try {
    const own = await openQueue({ url: url.href, queueSchema: schema }, options);
    await own.schedule([{ job: "a", at: soon() }]);
    expect(await own.take("schedule", 1, [])).toMatchObject([{ job: "a" }]);
    await own.close();
    await expect(openQueue({ url: url.href, queueSchema: `${schema}_not` }, options)).rejects.toThrow(
      `the queue of jobs cannot be kept in the schema ${schema}_not`,
    );
  } finally {
    await sql(made, `DROP SCHEMA ${schema} CASCADE`, `DROP ROLE ${user}`);
  }
});

it("is opened although the server ends the first connection, as one does that restarts", async () => {
  const { hostname, port } = new URL(place.url);
  let refused = 0;
  const proxy = createServer((socket) => {
    if (refused === 0) {
      refused += 1;
      socket.destroy();
      return;
    }
    const server = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, server],
      [server, socket],
    ] as const) {
      from.on("error", () => to.destroy()).pipe(to);
    }
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const through = new URL(place.url);
  through.hostname = "127.0.0.1";
  through.port = String((proxy.address() as AddressInfo).port);
  const options = { heartbeatSeconds: 10, monitorSeconds: 1, onError: () => {} };
  const opened = await openQueue({ ...place, url: through.href }, options);
  expect(refused).toBe(1);
  await opened.close();
  proxy.close();
  await expect(openQueue({ ...place, url: through.href, waitMs: 0 }, options)).rejects.toThrow(
    /^the state database 127\.0\.0\.1:\d+\/\S* cannot be reached \(ECONNREFUSED\): check that the server runs/,
  );
});

it("goes on by a new connection if the server does not answer any more, and nothing says that it is gone", async () => {
  const proxy = await cuttingProxy(place.url);
  const options = { heartbeatSeconds: 10, monitorSeconds: 1, onError: () => {} };
  const through = await openQueue({ ...place, url: proxy.url, limits: { answerMs: 500 } }, options);
  try {
    await through.schedule([{ job: "a", at: soon() }]);
    proxy.swallow();
    await expect(through.waiting()).rejects.toThrow(
      /^the connection to the state database 127\.0\.0\.1:\d+\/\S* was lost and could not be made again \(no answer\)/,
    );
    await vi.waitFor(async () => expect(await through.waiting()).toMatchObject([{ job: "a" }]), 20_000);
  } finally {
    await through.close();
    await proxy.close();
  }
});

const soon = (): number => Date.now() - 1_000;

describe("the queue of jobs", () => {
  it("has one entry of the schedule for a job, whoever adds it, and gives it to one worker", async () => {
    const due = [
      { job: "a", at: soon() },
      { job: "b", at: soon() },
    ];
    await Promise.all([queue.schedule(due), other.schedule(due)]);
    expect((await queue.waiting()).map(({ job }) => job).sort()).toEqual(["a", "b"]);
    const taken = (await Promise.all([queue.take("schedule", 5, []), other.take("schedule", 5, [])])).flat();
    expect(taken.map(({ job, work, takenOver }) => ({ job, work, takenOver }))).toHaveLength(2);
    expect(new Set(taken.map(({ job }) => job))).toEqual(new Set(["a", "b"]));
    expect(taken.every(({ work, takenOver }) => work === null && !takenOver)).toBe(true);
  });

  it("has no second entry while the first one is worked on, and a new one after that", async () => {
    await queue.schedule([{ job: "a", at: soon() }]);
    const [claim] = await queue.take("schedule", 1, []);
    if (claim === undefined) throw new Error("nothing was taken");
    await other.schedule([{ job: "a", at: soon() }]);
    expect(await other.waiting()).toEqual([]);
    await queue.done(claim);
    await other.schedule([{ job: "a", at: soon() }]);
    expect((await other.waiting()).map(({ job }) => job)).toEqual(["a"]);
  });

  it("gives nothing before its time, which can be moved", async () => {
    const at = Date.now() + 3_600_000;
    await queue.schedule([{ job: "a", at }]);
    expect(await queue.waiting()).toEqual([{ job: "a", at }]);
    expect(await other.take("schedule", 1, [])).toEqual([]);
    await other.move({ job: "a", at: soon() });
    expect(await other.take("schedule", 1, [])).toMatchObject([{ job: "a" }]);
  });

  it("gives a worker none of the jobs that it names", async () => {
    await queue.schedule([
      { job: "a", at: soon() },
      { job: "b", at: soon() },
    ]);
    expect(await queue.take("schedule", 5, ["a"])).toMatchObject([{ job: "b" }]);
    expect(await queue.take("schedule", 5, ["a"])).toEqual([]);
    expect(await other.take("schedule", 5, [])).toMatchObject([{ job: "a" }]);
  });

  it("keeps what a person asks for apart from the schedule, one thing at a time for a job", async () => {
    await queue.schedule([{ job: "a", at: soon() }]);
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    expect(await queue.ask("a", first, 1)).toBe(true);
    expect(await other.ask("a", second, 1)).toBe(false);
    const [claim] = await other.take("asked", 5, []);
    expect(claim).toMatchObject({ job: "a", work: first });
    expect(await queue.ask("a", third, 1)).toBe(false);
    if (claim !== undefined) await other.done(claim);
    expect(await queue.ask("a", third, 1)).toBe(true);
  });

  it("knows again what it was asked for before, if the answer to that was lost", async () => {
    const work = randomUUID();
    expect(await queue.ask("a", work, 1)).toBe(true);
    expect(await queue.ask("a", work, 1)).toBe(true);
    expect(await queue.take("asked", 5, [])).toHaveLength(1);
  });

  it("has no entry any more for work that was withdrawn", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await queue.ask("a", first, 2);
    await other.unask(first, 2);
    expect(await queue.ask("a", second, 2)).toBe(true);
    expect(await queue.take("asked-2", 5, [])).toMatchObject([{ work: second }]);
  });

  it("gives work to those alone that know its level", async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    await queue.ask("a", old, 1);
    await queue.ask("b", young, 2);
    expect(await other.take("asked", 5, [])).toMatchObject([{ work: old }]);
    expect(await other.take("asked-2", 5, [])).toMatchObject([{ work: young }]);
  });

  it("gives an entry again that a worker gives back", async () => {
    await queue.ask("a", randomUUID(), 1);
    const [claim] = await queue.take("asked", 1, []);
    if (claim === undefined) throw new Error("nothing was taken");
    expect(await other.take("asked", 1, [])).toEqual([]);
    await queue.giveBack(claim);
    expect(await other.take("asked", 1, [])).toMatchObject([{ work: claim.work }]);
  });

  it("says which claims were lost, and gives an entry of a worker that is silent to another one", async () => {
    await queue.schedule([
      { job: "a", at: soon() },
      { job: "b", at: soon() },
    ]);
    const silent = await queue.take("schedule", 1, ["b"]);
    const lively = await queue.take("schedule", 1, ["a"]);
    await sql(
      { url: place.url, schema: place.queueSchema },
      "UPDATE job SET heartbeat_on = heartbeat_on - interval '11 seconds' WHERE singleton_key = 'a'",
    );
    const since = performance.now();
    let taken = await other.take("schedule", 5, []);
    while (taken.length === 0) {
      if (performance.now() - since > 10_000) throw new Error("nobody took the entry over within 10 seconds");
      expect(await queue.keep(lively)).toEqual([]);
      await new Promise((later) => setTimeout(later, 250));
      taken = await other.take("schedule", 5, []);
    }
    expect(taken).toMatchObject([{ job: "a", takenOver: true }]);
    expect(await queue.keep([...silent, ...lively])).toEqual(silent);
    // A later report of the silent worker does not end the other worker's entry.
    for (const claim of silent) await queue.done(claim);
    expect(await other.keep(taken)).toEqual([]);
  }, 30_000);
});
