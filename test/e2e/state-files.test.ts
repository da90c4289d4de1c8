import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import {
  configuration,
  type Ended,
  makeWorkplace,
  program,
  type Workplace,
} from "../process/real-process.ts";
import { compareEverybody } from "./expectation.ts";
import { lenientGuard, startCompany } from "./harness.ts";

describe("the state database, through the real process", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let config: string;

  beforeAll(async () => {
    sandbox = await startSandbox({ file: ":memory:", people: 40 });
  });
  afterAll(() => sandbox.close());
  beforeEach(() => {
    place = makeWorkplace();
    config = place.configure(configuration({ sandbox, statePath: place.statePath }));
    sandbox.requests.clear();
    return () => place[Symbol.dispose]();
  });

  const run = (...args: string[]): Promise<Ended> => place.start([...args, "--config", config]).ended;
  const written = (): number =>
    sandbox.requests.filter(({ host, method }) => host === "lattice" && method !== "GET").length;
  const kept = (): string[] => readdirSync(place.folder).filter((name) => name.endsWith(".replaced"));

  /** One sentence on stderr and no trace. */
  function expectRefusal(ended: Ended, code: number, sentence: RegExp): void {
    expect(ended.stderr).toMatch(sentence);
    expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    expect(ended).toMatchObject({ code, signal: null });
  }

  function damage(): void {
    const content = readFileSync(place.statePath);
    content.fill(0, 4096 * 4, 4096 * 12);
    writeFileSync(place.statePath, content);
  }

  it("is refused if it is damaged, before any request, until it is rebuilt on request", async () => {
    expect((await run("sync")).code).toBe(0);
    damage();
    const damaged = readFileSync(place.statePath);
    sandbox.requests.clear();
    const sentence =
      /^The state database .*state\.db is damaged .*state restore FILE.*state rebuild; the next sync then finds the links again by matching\.$/m;
    for (const command of [
      ["sync"],
      ["sync", "--dry-run"],
      ["daemon"],
      ["state", "check"],
      ["state", "backup", "b.db"],
    ]) {
      expectRefusal(await run(...command), 1, sentence);
    }
    expect(sandbox.requests.length).toBe(0);
    expect((await run("check")).stdout).toMatch(/FAIL {2}State database: .*is damaged/);
    expect(written()).toBe(0);
    expect(readFileSync(place.statePath).equals(damaged)).toBe(true);

    const rebuilt = await run("state", "rebuild");
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(rebuilt.stdout).toMatch(/begins with an empty state database.* now .*\.replaced\.$/m);
    const [name] = kept();
    expect(name).toMatch(/^state\.db\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.replaced$/);

    sandbox.requests.clear();
    const synced = await run("sync", "--format", "json");
    expect(synced.code).toBe(0);
    expect(JSON.parse(synced.stdout).summary).toMatchObject({ create: 0, deactivate: 0, reactivate: 0 });
    expect(written()).toBe(0);
  });

  it("is backed up while a daemon runs, and restored once no process has it open", async () => {
    expect((await run("sync")).code).toBe(0);
    const daemon = place.start(["daemon", "--config", config, "--listen", "127.0.0.1:0"], {
      LOG_LEVEL: "info",
    });
    await daemon.said(/daemon started/);

    const backup = await run("state", "backup", "b.db");
    expect(backup).toMatchObject({ code: 0, stderr: "" });
    expect(statSync(join(place.folder, "b.db")).mode & 0o777).toBe(0o600);
    expectRefusal(await run("state", "backup", "b.db"), 64, /b\.db already exists.*--force/);
    expect(await run("state", "backup", "b.db", "--force")).toMatchObject({ code: 0 });

    expectRefusal(await run("state", "restore", "b.db"), 5, /Another (process|run) .*--wait SECONDS/);
    expect(kept()).toEqual([]);
    const waiting = place.start(["state", "restore", "b.db", "--wait", "60", "--config", config]);
    await new Promise((done) => setTimeout(done, 700));
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toMatchObject({ code: 0 });
    const restored = await waiting.ended;
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stderr).toMatch(/^The next sync reads Entra and Lattice in full and compares everyone/);
    expect(kept()).toHaveLength(1);

    sandbox.requests.clear();
    expect((await run("sync")).code).toBe(0);
    expect(sandbox.requests.some(({ path }) => path.startsWith("/scim/v2/Users?"))).toBe(true);
    expect(written()).toBe(0);
  });

  it("is replaced only on request", async () => {
    expect((await run("state", "check")).stdout).toMatch(/no state database at .* yet/);
    expectRefusal(await run("state", "backup", "b.db"), 1, /nothing to back up/);
    expect((await run("sync")).code).toBe(0);
    const before = readFileSync(place.statePath);
    expect((await run("state", "check")).stdout).toMatch(
      /state\.db is sound: 4\d people read, \d+ linked, last cycle 20\d\d-\d\d-\d\d \d\d:\d\d UTC \(/,
    );
    expectRefusal(await run("state", "rebuild"), 64, /is sound.*--yes/);
    expectRefusal(await run("state", "restore", "none.db"), 64, /There is no file .*none\.db/);
    expectRefusal(await run("state", "restore", place.statePath), 64, /is part of the state database itself/);
    writeFileSync(join(place.folder, "text.db"), "no database ".repeat(400));
    expectRefusal(
      await run("state", "restore", "text.db"),
      1,
      /The backup .*text\.db is damaged or not a database/,
    );
    expect(readFileSync(place.statePath).equals(before)).toBe(true);
    expect(kept()).toEqual([]);
    expect((await run("state", "rebuild", "--yes")).code).toBe(0);
    expect(kept()).toHaveLength(1);
  });

  it("is started again if the file is empty, with a message", async () => {
    writeFileSync(place.statePath, "");
    const ended = await place.start(["sync", "--config", config], { LOG_LEVEL: "warn" }).ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/the state database is an empty file: this run begins with a new one/);
  });
});

const namespace = ["-m", "-Urm"].find((flag) => mountsIn(flag));

/** Whether a file system of our own can be had. */
function mountsIn(flag: string): boolean {
  const tried = spawnSync("unshare", [flag, "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]);
  return tried.status === 0;
}

describe.skipIf(namespace === undefined)("a separate disk", () => {
  it("stops a run with a clear message while it is full or read-only; the next run, and any dry run, continue", async () => {
    const sandbox = await startSandbox({ file: ":memory:", people: 200, requestLogSize: 10_000 });
    onTestFinished(() => sandbox.close());
    using place = makeWorkplace();
    const disk = join(place.folder, "disk");
    mkdirSync(disk);
    const config = place.configure(configuration({ sandbox, statePath: join(disk, "state.db") }));
    const report = join(place.folder, "report.json");
    const sync = `"${process.execPath}" "${program}" sync --config "${config}" --format json --out "${report}" 2>&1; echo "code $?"`;
    const dryRun = sync.replace(" sync ", " sync --dry-run ");
    const script = `
      mount -t tmpfs -o size=600k none "${disk}" || exit 9
      ${sync}
      mount -t tmpfs -o remount,size=64m none "${disk}"
      ${sync}
      mount -t tmpfs -o remount,ro none "${disk}"
      ${sync}
      ${dryRun}
      mount -t tmpfs -o remount,rw none "${disk}"
      echo "what a run has not put into the file yet" > "${disk}/state.db-wal"
      mount -t tmpfs -o remount,ro none "${disk}"
      ${dryRun}
      mount -t tmpfs -o remount,rw none "${disk}"
      rm "${disk}/state.db-wal"
      ${sync}`;
    const child = spawn("unshare", [namespace ?? "", "sh", "-c", script], {
      cwd: place.folder,
      env: { PATH: process.env.PATH ?? "", LOG_LEVEL: "silent" },
    });
    const output = await text(child.stdout);
    const codes = [...output.matchAll(/^code (\d+)$/gm)].map(([, code]) => code);
    expect(codes, output).toEqual(["1", "0", "1", "0", "1", "0"]);
    expect(output).toMatch(
      /^The disk of the state database .* is full \(SQLITE_FULL\): free some space and run again/m,
    );
    expect(output).toMatch(/^The state database .* cannot be written \(\w+\): give this user access/m);
    // A file whose log cannot be read is not the whole database.
    expect(output).toMatch(/^The state database .* cannot be read \(\w+\): give this user access/m);
    expect(output).not.toMatch(/^\s+at /m);
    const posts = sandbox.requests.filter(({ host, method }) => host === "lattice" && method === "POST");
    expect(posts.filter(({ status }) => status !== 201)).toEqual([]);
    const ids = [...sandbox.lattice.accounts()].flatMap(({ externalId }) => externalId ?? []);
    expect(ids.length).toBeGreaterThan(150);
    expect(new Set(ids).size).toBe(ids.length);
    const { summary } = JSON.parse(readFileSync(report, "utf8"));
    expect(summary).toMatchObject({ create: 0, update: 0, deactivate: 0, reactivate: 0, link: 0 });
  });
});

describe("a lost database", () => {
  it("is rebuilt by matching: correct accounts are not written, people disabled in between are deactivated", async () => {
    await using company = await startCompany({ people: 300 }, { guard: lenientGuard });
    const { directory, lattice } = company.sandbox;
    await company.cycle();
    const leftAlone = await company.leftAlone();
    expect(compareEverybody(company.sandbox, leftAlone).differences).toEqual([]);
    const accounts = company.sandbox.lattice.count();
    for (const ending of ["", "-wal", "-shm"]) rmSync(`${company.statePath}${ending}`, { force: true });
    const leavers = [...directory.users()]
      .filter(
        ({ id, properties }) =>
          properties.accountEnabled === true && lattice.byExternalId(id) !== undefined && !leftAlone.has(id),
      )
      .slice(0, 5);
    for (const { id } of leavers) directory.updateUser(id, { accountEnabled: false });
    company.sandbox.requests.clear();

    const rebuilt = await company.cycle();

    expect(rebuilt).toMatchObject({ outcome: "done", failed: 0, header: { cycle: "initial" } });
    expect(rebuilt.header.summary).toMatchObject({ create: 0, deactivate: 5, reactivate: 0, update: 0 });
    expect(company.sent("lattice", "POST")).toBe(0);
    expect(company.sent("lattice", "PATCH")).toBe(5);
    expect(company.sandbox.lattice.count()).toBe(accounts);
    // Their reports have lost their managers in Lattice, which the next cycle finds.
    await company.cycle();
    expect(compareEverybody(company.sandbox, await company.leftAlone()).differences).toEqual([]);
    for (const { id } of leavers) expect(lattice.byExternalId(id)?.active).toBe(false);
  });
});
