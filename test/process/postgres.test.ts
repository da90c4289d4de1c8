import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { sql } from "../state/postgres/sql.ts";
import { accountFaults } from "./invariants.ts";
import { configuration, makeWorkplace, type Workplace } from "./real-process.ts";

interface Stage extends AsyncDisposable {
  readonly place: Workplace;
  readonly file: string;
  readonly sandbox: Sandbox;
  /** The database of this test alone. */
  readonly url: string;
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

/** A sandbox, a configuration without a place for the state, and a new database whose URL is in a file. */
async function stage(people: number): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.adopt(await startSandbox({ file: ":memory:", people }), (one) => one.close());
  const place = stack.use(makeWorkplace());
  const { url } = stack.use(await ownDatabase());
  const { state: _, ...config } = configuration({ sandbox, statePath: "" });
  const file = place.configure(config);
  const secret = join(place.folder, "state-url");
  writeFileSync(secret, `${url}\n`, { mode: 0o600 });
  return {
    place,
    file,
    sandbox,
    url,
    run: async (...args) => {
      const given = [...args, "--config", file];
      const {
        code,
        stdout: out,
        stderr: err,
      } = await place.start(given, { ALS_STATE_URL_FILE: secret }).ended;
      return { code, out, err };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("a job whose state is in PostgreSQL", () => {
  it("is synchronised, planned, shown and checked as one with a file, and tells its password nowhere", async () => {
    await using at = await stage(30);
    const before = await at.run("check");
    expect(before.out).toMatch(
      /State database: 127\.0\.0\.1:\d+\/als_\w+ \(PostgreSQL\): nothing of this job yet/,
    );
    const plan = await at.run("sync", "--dry-run");
    expect(plan).toMatchObject({ code: 0 });
    expect(await sql(at, "SELECT 1 FROM pg_namespace WHERE nspname = 'azure_lattice_sync'")).toEqual([]);
    const first = await at.run("sync");
    expect(first).toMatchObject({ code: 0 });
    const again = await at.run("sync");
    expect(again).toMatchObject({ code: 0 });
    const shown = await at.run("status");
    expect(shown.out).toContain("people");
    const log = await at.run("history", "--format", "json");
    expect(log.out).toContain('"create"');
    const after = await at.run("check");
    expect(after.out).toMatch(/\(PostgreSQL\): \d+ people read, \d+ linked/);
    const settings = await at.run("config", "show");
    expect(settings.out).toMatch(/state\.url.*\*\*\*|url: "?\*\*\*/);
    for (const { out, err } of [before, plan, first, again, shown, log, after, settings]) {
      expect(out + err).not.toContain("only-for-tests");
      expect(err).not.toMatch(/warning/i);
    }
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'azure_lattice_sync')`;
    expect(await sql(at, tables)).toEqual([]);
  });

  it("is taken over from a run that was killed, which is looked up", async () => {
    await using at = await stage(60);
    const secret = join(at.place.folder, "state-url");
    for (let kill = 0; kill < 3; kill += 1) {
      const run = at.place.start(["sync", "--config", at.file], {
        ALS_STATE_URL_FILE: secret,
        LOG_LEVEL: "info",
      });
      await run.said(/plan/i).catch(() => {});
      run.child.kill("SIGKILL");
      await run.ended;
    }
    expect(await at.run("sync")).toMatchObject({ code: 0 });
    const tables = { ...at, schema: "azure_lattice_sync" };
    expect(await sql(tables, "SELECT object_id FROM intent")).toEqual([]);
    expect(accountFaults(at.sandbox)).toEqual([]);
    const next = await at.run("sync", "--dry-run", "--format", "json");
    const { create, update, link, deactivate } = JSON.parse(next.out).summary;
    expect({ create, update, link, deactivate }).toEqual({ create: 0, update: 0, link: 0, deactivate: 0 });
  });

  it("is kept by a daemon, whose dashboard shows it, and which goes on when the server ends all connections", async () => {
    await using at = await stage(30);
    const config = JSON.parse(readFileSync(at.file, "utf8"));
    const http = { listen: "127.0.0.1:0", local: "open" };
    const file = at.place.configure(
      { ...config, http, log: { level: "info", format: "json" } },
      "daemon.yaml",
    );
    const daemon = at.place.start(["daemon", "--config", file], {
      ALS_STATE_URL_FILE: join(at.place.folder, "state-url"),
      LOG_LEVEL: "",
    });
    await daemon.said(/daemon started/);
    const url = /"http":"(?<url>[^"]+)"/.exec(daemon.stderr())?.groups?.url ?? "";
    const headers = { "x-requested-by": "test" };
    await daemon.said(/cycle finished/);
    const shown = async () => JSON.stringify(await (await fetch(`${url}/api/now`, { headers })).json());
    const before = await shown();
    expect(before).toMatch(/"linked":\d/);
    await sql(
      at,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    expect(await shown()).toMatch(/"linked":\d/);
    const said = daemon.stderr().length;
    const ask = () => fetch(`${url}/api/cycles`, { method: "POST", headers });
    let { status } = await ask();
    // Just after a cycle's last line in the log, the daemon stores the cycle's data for the dashboard.
    for (; status === 409; { status } = await ask()) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(status).toBe(202);
    for (let tries = 0; !daemon.stderr().slice(said).includes("cycle finished") && tries < 600; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(daemon.stderr().slice(said)).toMatch(/cycle finished/);
    daemon.child.kill("SIGTERM");
    const { code, stderr } = await daemon.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain("only-for-tests");
  });

  it("has no file that a command for files could work on", async () => {
    await using at = await stage(5);
    for (const [args, way] of [
      [["check"], /state export FILE reads all of it/],
      [["backup", "b.db"], /state export FILE writes a SQLite file .*pg_dump --schema=azure_lattice_sync/],
      [["restore", "b.db"], /state rebuild --yes and then state import --outdated FILE/],
    ] as const) {
      const refused = await at.run("state", ...args);
      expect(refused.code).toBe(64);
      expect(refused.err).toMatch(/works on a SQLite file, and this job has its state in PostgreSQL/);
      expect(refused.err).toMatch(way);
    }
  });
});
