import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { personRow } from "../state/contract/rows.ts";
import { type OwnDatabase, ownDatabase } from "../state/postgres/own-database.ts";
import { sql } from "../state/postgres/sql.ts";
import {
  configuration,
  type Ended,
  makeWorkplace,
  type RealProcess,
  type Workplace,
} from "./real-process.ts";

interface Stage extends AsyncDisposable {
  readonly place: Workplace;
  readonly sandbox: Sandbox;
  readonly database: OwnDatabase;
  /** Starts a command whose state is in PostgreSQL (`null`), or in a file. */
  start(state: string | null, ...args: readonly string[]): RealProcess;
  run(state: string | null, ...args: readonly string[]): Promise<Ended>;
}

async function stage(people: number, guard: object = { enabled: false }): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.adopt(await startSandbox({ file: ":memory:", people }), (one) => one.close());
  const place = stack.use(makeWorkplace());
  const database = stack.use(await ownDatabase());
  const { state: _, ...config } = configuration({ sandbox, statePath: "" }, { guard });
  const file = place.configure(config);
  const secret = join(place.folder, "state-url");
  writeFileSync(secret, `${database.url}\n`, { mode: 0o600 });
  const start: Stage["start"] = (state, ...args) =>
    place.start(
      [...args, "--config", file],
      state === null ? { ALS_STATE_URL_FILE: secret } : { ALS_STATE: state },
    );
  return {
    place,
    sandbox,
    database,
    start,
    run: (state, ...args) => start(state, ...args).ended,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

it("moves a company to PostgreSQL and back: nothing is due each time, and the log is the same", async () => {
  await using at = await stage(40);
  const file = join(at.place.folder, "state.db");
  const back = join(at.place.folder, "back.db");
  const done = async (state: string | null, ...args: readonly string[]): Promise<string> => {
    const ended = await at.run(state, ...args);
    expect(ended).toMatchObject({ code: 0 });
    return ended.stdout;
  };
  const log = (state: string | null) => done(state, "history", "--all", "--format", "json");
  const due = (state: string | null) => done(state, "sync", "--dry-run", "--detailed-exitcode");
  await done(file, "sync");
  await done(file, "sync");
  const before = await log(file);
  expect(JSON.parse(before).length ?? before.length).toBeGreaterThan(30);

  await done(null, "state", "import", file);
  await due(null);
  expect(await log(null)).toBe(before);

  await done(null, "state", "export", back);
  await due(back);
  expect(await log(back)).toBe(before);

  // A cycle writes the same in either place.
  at.sandbox.requests.clear();
  await done(back, "sync");
  await done(null, "sync");
  const writes = at.sandbox.requests.filter(({ host, method }) => host === "lattice" && method !== "GET");
  expect(writes).toEqual([]);
});

it("moves all that waits to PostgreSQL and back: what is held, rejected, retried, protected, unlinked, paused, and a canary under way", async () => {
  await using at = await stage(60, { maxDeactivations: 3 });
  const { sandbox, place, run } = at;
  const file = join(place.folder, "state.db");
  const back = join(place.folder, "back.db");
  const ended = async (state: string | null, code: number, ...args: readonly string[]): Promise<string> => {
    const end = await run(state, ...args);
    expect({ ...end, args }).toMatchObject({ code });
    return end.stdout;
  };
  await ended(file, 0, "sync");
  const linked = [...sandbox.lattice.accounts()].flatMap(({ active, id, externalId }) =>
    active === true && sandbox.directory.get(String(externalId)) !== undefined
      ? [{ account: String(id), id: String(externalId) }]
      : [],
  );
  const [refused, rejected, guarded, unlinked, ...others] = linked;
  if (refused === undefined || rejected === undefined || guarded === undefined || unlinked === undefined)
    throw new Error("too few people");

  // One change is refused, and waits for its retry.
  sandbox.directory.updateUser(refused.id, { jobTitle: "Refused" });
  sandbox.onRequest = ({ host, method, body }) =>
    host === "lattice" && method !== "GET" && body.includes("Refused")
      ? { status: 400, body: { detail: "No such title.", status: "400" } }
      : undefined;
  await ended(file, 4, "sync");
  await ended(file, 0, "protect", guarded.account, "--reason", "break-glass");
  await ended(file, 0, "unlink", unlinked.id, "--reason", "wrong person");
  // Too many leave: they are held, and one of them is rejected.
  for (const { id } of [rejected, ...others.slice(0, 8)]) sandbox.directory.softDelete(id);
  const held = JSON.parse(await ended(file, 3, "sync", "--format", "json")) as { planId: string };
  await ended(file, 3, "release", held.planId, "--reject", rejected.id, "--reason", "on leave");
  // A new title is tried on two people.
  for (const { id } of others.slice(10, 20)) sandbox.directory.updateUser(id, { jobTitle: "Tried first" });
  await ended(file, 3, "sync", "--canary", "2");
  await ended(file, 0, "pause", "--reason", "moving house", "--until", "2h");
  await ended(file, 6, "sync");

  const seen = async (state: string | null): Promise<object> => {
    const json = async (code: number, ...args: readonly string[]) =>
      JSON.parse(await ended(state, code, ...args, "--format", "json")) as Record<string, unknown>;
    // Each plan has an id and a time of its own.
    const { planId: _, createdAt: __, ...due } = await json(0, "sync", "--dry-run");
    return {
      history: await ended(state, 0, "history", "--all", "--format", "json"),
      status: { ...(await json(0, "status")), state: "" },
      accounts: await json(0, "accounts"),
      due,
    };
  };
  const before = await seen(file);
  expect(before).toMatchObject({
    status: {
      guard: { held: true },
      pause: { reason: "moving house" },
      protected: [{ reason: "break-glass" }],
      canary: { cause: "requested" },
      retries: [{ objectId: refused.id, attempts: 2 }],
      rejected: { people: 1 },
    },
    due: { guard: { held: true } },
  });
  await ended(null, 0, "state", "import", file);
  expect(await seen(null)).toEqual(before);
  await ended(null, 0, "state", "export", back);
  expect(await seen(back)).toEqual(before);
});

it("leaves nothing in PostgreSQL of an import that is killed, which can be done again", async () => {
  await using at = await stage(1);
  const file = join(at.place.folder, "large.db");
  const store = openStore(file);
  const people = Array.from({ length: 30_000 }, (_, index) =>
    personRow(`p${index}`, { attributes: { displayName: `Person ${index}`.repeat(20) } }),
  );
  await store.commit({ people: { readIn: 1, put: people } }, "private");
  await store.close();

  const killed = at.start(null, "state", "import", file);
  const writing = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND query LIKE 'INSERT INTO source_user%'`;
  while ((await sql(at.database, writing)).length === 0) {
    if (killed.child.exitCode !== null) throw new Error(`it ended before it was killed: ${killed.stderr()}`);
    await sleep(5);
  }
  killed.child.kill("SIGKILL");
  expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
  const schema = { ...at.database, schema: "azure_lattice_sync" };
  expect(await sql(schema, "SELECT object_id FROM source_user")).toEqual([]);
  expect(await sql(schema, "SELECT key FROM meta")).toEqual([]);

  const again = await at.run(null, "state", "import", file);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toMatch(/30,000 people read/);
});

it("is refused while a daemon has the file open, and done once it has ended", async () => {
  await using at = await stage(20);
  const file = join(at.place.folder, "state.db");
  const daemon = at.place.start(
    ["daemon", "--listen", "127.0.0.1:0", "--config", join(at.place.folder, "config.yaml")],
    { ALS_STATE: file, LOG_LEVEL: "info" },
  );
  await daemon.said(/cycle finished/);
  const refused = await at.run(null, "state", "import", file);
  expect(refused).toMatchObject({ code: 5, stdout: "" });
  expect(refused.stderr).toMatch(/^Another process has .*state\.db open: stop the daemon that uses it/);
  expect(await sql(at.database, "SELECT 1 FROM pg_namespace WHERE nspname = 'azure_lattice_sync'")).toEqual(
    [],
  );

  const waiting = at.start(null, "state", "import", file, "--wait", "60");
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toMatchObject({ code: 0 });
  expect(await waiting.ended).toMatchObject({ code: 0 });
  expect(readdirSync(at.place.folder).filter((name) => name.includes("partial"))).toEqual([]);
});
