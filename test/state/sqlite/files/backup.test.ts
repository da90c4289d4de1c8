import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { LeaseHeldError, UsageError } from "../../../../src/domain/errors.ts";
import { backUp, discard, prepareRestore } from "../../../../src/state/sqlite/files/backup.ts";
import { inspectDatabase, isDamaged } from "../../../../src/state/sqlite/files/inspect.ts";
import { replaceDatabase } from "../../../../src/state/sqlite/files/replace.ts";
import { openStore } from "../../../../src/state/sqlite/store.ts";
import { kept } from "../../kept.ts";

let folder = "";
let path = "";
let backup = "";
const now = Date.UTC(2026, 10, 24, 3, 10);
const lease = { owner: "restore", now, ttlMs: 60_000 };
const dated = ".2026-11-24T03-10-00Z.replaced";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-backup-"));
  path = join(folder, "state.db");
  backup = join(folder, "backup.db");
  return () => rmSync(folder, { recursive: true, force: true });
});

async function makeDatabase(title: string): Promise<void> {
  const store = openStore(path);
  await store.commit(
    {
      notes: {
        tenantId: title,
        watermark: "link",
        watermarkAt: "1",
        targetListedAt: "1",
        reconciledAt: "1",
        mappingDigest: "digest",
        quarantine: '{"since":1}',
        acceptedScope: "{}",
      },
    },
    "private",
  );
  await kept(store).people(
    [{ kind: "upsert", objectId: "a", attributes: { jobTitle: title }, complete: true, managerId: null }],
    1,
    () => null,
  );
  await store.close();
}

async function restore(): Promise<string | null> {
  const prepared = prepareRestore(path, backup);
  try {
    return await replaceDatabase(path, prepared.temporary, lease);
  } finally {
    discard(prepared);
  }
}

async function tenantIn(file: string): Promise<string | undefined> {
  const store = openStore(file);
  try {
    return (await store.meta()).tenantId;
  } finally {
    await store.close();
  }
}

/** Every file of the folder except the journals of an open database. */
function names(): string[] {
  return readdirSync(folder)
    .filter((name) => !/-(wal|shm)$/.test(name))
    .sort();
}

describe("a backup", () => {
  it("contains committed changes while others have the database open and write, and only its owner can read it", async () => {
    await makeDatabase("first");
    const running = openStore(path);
    await running.commit({ notes: { tenantId: "second" } }, "private");
    const db = new Database(path);
    db.exec("BEGIN IMMEDIATE; UPDATE meta SET value = 'not yet' WHERE key = 'tenantId'");

    expect(backUp(path, backup, { force: false })).toEqual({ sourceUsers: 1, linked: 0, lastCycleAt: null });

    db.exec("COMMIT");
    db.close();
    await running.close();
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(names()).toEqual(["backup.db", "state.db"]);
    expect(await tenantIn(backup)).toBe("second");
  });

  it("is the state of one moment, however busy the writer is", async () => {
    await makeDatabase("first");
    const writer = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const Database = require("better-sqlite3");
       const db = new Database(workerData, { timeout: 5000 });
       const put = db.prepare("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
       const both = db.transaction((text) => { put.run("left", text); put.run("right", text); });
       let stopped = false;
       parentPort.on("message", () => { stopped = true; });
       let number = 0;
       const write = () => {
         if (stopped) { db.close(); parentPort.close(); return; }
         number += 1;
         both(String(number).padStart(9, "0"));
         if (number === 20) parentPort.postMessage("busy");
         setImmediate(write);
       };
       write();`,
      { eval: true, workerData: path },
    );
    const ended = new Promise((resolve) => writer.once("exit", resolve));
    await new Promise((resolve) => writer.once("message", resolve));
    const seen = new Set<unknown>();
    for (let round = 0; round < 15; round += 1) {
      backUp(path, backup, { force: true });
      const db = new Database(backup, { readonly: true });
      const rows = db.prepare("SELECT value FROM meta WHERE key IN ('left', 'right')").pluck().all();
      db.close();
      expect(rows[0]).toBe(rows[1]);
      seen.add(rows[0]);
    }
    writer.postMessage("stop");
    await ended;
    expect(seen.size).toBeGreaterThan(5);
  });

  it("overwrites no file without force, and never the database itself", async () => {
    await makeDatabase("first");
    writeFileSync(backup, "precious");
    expect(() => backUp(path, backup, { force: false })).toThrow(/backup\.db already exists.*--force/);
    expect(readFileSync(backup, "utf8")).toBe("precious");

    const symbolic = join(folder, "symbolic.db");
    const hard = join(folder, "hard.db");
    mkdirSync(join(folder, "inner"));
    symlinkSync(path, symbolic);
    linkSync(path, hard);
    const before = readFileSync(path);
    for (const own of [path, symbolic, hard, `${path}-wal`, join(folder, "inner", "..", "state.db")]) {
      expect(() => backUp(path, own, { force: true }), own).toThrow(UsageError);
    }
    // A database in use, or its log without it, would become a part of the backup.
    writeFileSync(join(folder, "live.db-wal"), "log");
    expect(() => backUp(path, join(folder, "live.db"), { force: true })).toThrow(/in use/);
    expect(readFileSync(path).equals(before)).toBe(true);
    backUp(path, backup, { force: true });
    expect(await tenantIn(backup)).toBe("first");
  });

  it("is not made from a damaged database, nor if it cannot be written, and leaves no partial file", async () => {
    expect(() => backUp(path, backup, { force: false })).toThrow(/no state database at .*nothing to back up/);
    await makeDatabase("first");
    expect(() => backUp(path, join(folder, "none", "backup.db"), { force: false })).toThrow(
      /the backup .*none.backup\.db cannot be written \(ENOENT\)/,
    );
    mkdirSync(backup);
    expect(() => backUp(path, backup, { force: true })).toThrow(
      /backup\.db is not a file: choose another name/,
    );
    rmSync(backup, { recursive: true });
    // A device must not be replaced by the backup; whatever goes to it afterwards would fill the disk.
    symlinkSync("/dev/null", backup);
    expect(() => backUp(path, backup, { force: true })).toThrow(UsageError);
    expect(readlinkSync(backup)).toBe("/dev/null");
    unlinkSync(backup);
    truncateSync(path, 20_000);
    expect(() => backUp(path, backup, { force: false })).toThrow(/is damaged/);
    expect(names()).toEqual(["state.db"]);
  });
});

describe("a restored database", () => {
  it("is the backup, marked as out of date, and the former one is kept under a dated name", async () => {
    await makeDatabase("first");
    const store = openStore(path);
    await store.acquireLease("daemon", now, 60_000);
    const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: now }, "private");
    await kept(store).released("p", [{ objectId: "a", attribute: "title", fingerprint: "f" }], now);
    await kept(store).rejected(
      "p",
      [{ objectId: "a", attribute: "title", fingerprint: "f", evidence: null }],
      now,
    );
    await kept(store).released("p", [{ objectId: "a", attribute: "title", fingerprint: "f" }], now);
    await kept(store).ended(cycleId, { finishedAt: now, outcome: "done", error: null });
    backUp(path, backup, { force: false });
    await store.releaseLease("daemon");
    await store.commit({ notes: { tenantId: "later" } }, "private");
    await store.close();
    const content = readFileSync(backup);

    expect(await restore()).toBe(`${path}${dated}`);

    expect(names()).toEqual(["backup.db", "state.db", `state.db${dated}`]);
    expect(readFileSync(backup).equals(content)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const restored = openStore(path);
    expect(await restored.meta()).toEqual({
      tenantId: "first",
      mappingDigest: "digest",
      acceptedScope: "{}",
    });
    expect(await restored.leaseHolder(now)).toBeNull();
    expect(await restored.recentCycles(5)).toMatchObject([{ planId: "p", outcome: "done" }]);
    const everybody = { select: "everybody", everyoneInScope: true, after: "", limit: 5 } as const;
    expect((await restored.candidates(everybody))[0]?.released.size).toBe(0);
    await restored.close();
    expect(await tenantIn(`${path}${dated}`)).toBe("later");
  });

  it("keeps, in the former one, what was only in its log", async () => {
    await makeDatabase("first");
    backUp(path, backup, { force: false });
    // As a killed process leaves it.
    const running = openStore(path);
    await running.commit({ notes: { tenantId: "only in the log" } }, "private");
    const killed = join(folder, "killed.db");
    copyFileSync(path, killed);
    copyFileSync(`${path}-wal`, `${killed}-wal`);
    await running.close();
    path = killed;

    await restore();

    expect(existsSync(`${killed}-wal`)).toBe(false);
    expect(await tenantIn(`${killed}${dated}`)).toBe("only in the log");
    expect(await tenantIn(killed)).toBe("first");
  });

  it("replaces a damaged one, an emptied one or a missing one, and follows a link", async () => {
    await makeDatabase("first");
    backUp(path, backup, { force: false });
    writeFileSync(path, "no database at all ".repeat(500));
    expect(isDamaged(path)).toBe(true);
    expect(await restore()).toBe(`${path}${dated}`);
    expect(readFileSync(`${path}${dated}`, "utf8")).toMatch(/^no database/);
    expect(await tenantIn(path)).toBe("first");

    truncateSync(path, 0);
    writeFileSync(`${path}-wal`, "what is left");
    expect(await restore()).toBe(`${path}${dated}-2`);
    expect(readFileSync(`${path}${dated}-2-wal`, "utf8")).toBe("what is left");
    expect(await tenantIn(path)).toBe("first");

    rmSync(path);
    expect(await restore()).toBeNull();
    expect(await tenantIn(path)).toBe("first");

    const real = join(folder, "real.db");
    copyFileSync(path, real);
    rmSync(path);
    symlinkSync(real, path);
    expect(await restore()).toBe(`${real}${dated}`);
    expect(await tenantIn(real)).toBe("first");
    expect(await tenantIn(path)).toBe("first");
  });

  it("is migrated to this version", async () => {
    const db = new Database(backup);
    db.exec(
      readFileSync(
        new URL("../../../../src/state/sqlite/migrations/001-initial.sql", import.meta.url),
        "utf8",
      ),
    );
    db.pragma("user_version = 1");
    db.close();
    await restore();
    expect(inspectDatabase(path)).toMatchObject({ findings: [] });
    const store = openStore(path);
    expect((await store.totals()).sourceUsers).toBe(0);
    await store.close();
  });

  it("is refused if it is damaged, newer, another program's, missing, or the database itself; nothing changes then", async () => {
    await makeDatabase("first");
    backUp(path, backup, { force: false });
    const sound = readFileSync(backup);
    const current = readFileSync(path);
    const attempts: [string, () => void, RegExp][] = [
      ["cut short", () => truncateSync(backup, 30_000), /the backup .* is damaged .*use another backup/],
      [
        "a text",
        () => writeFileSync(backup, "text ".repeat(999)),
        /the backup .* is damaged or not a database/,
      ],
      ["empty", () => writeFileSync(backup, ""), /contains no state/],
      ["missing", () => rmSync(backup), /there is no file/],
      ["a folder", () => folderInstead(), /is not a file/],
      ["newer", () => inBackup("PRAGMA user_version = 900"), /newer version/],
      ["foreign", () => inBackup("DROP TABLE intent"), /another program/],
      [
        "with a trigger",
        () => inBackup("CREATE TRIGGER evil AFTER INSERT ON operation BEGIN DELETE FROM operation; END"),
        /the backup .* was modified outside this program \(the trigger "evil" was not created by this program\): use another backup. Nothing was changed$/,
      ],
      [
        "with a view in the place of a table",
        () => inBackup("DROP TABLE lost_link; CREATE VIEW lost_link AS SELECT 1"),
        /modified outside this program \(the index "lost_link_dissolved" is missing\)/,
      ],
      [
        "without a trigger",
        () => inBackup("DROP TRIGGER tally_source_came"),
        /the trigger "tally_source_came" is missing/,
      ],
      [
        "with another index",
        () => inBackup("DROP INDEX operation_at; CREATE INDEX operation_at ON operation (at)"),
        /the index "operation_at" differs from the one that this program creates/,
      ],
      [
        "with another column",
        () => inBackup("ALTER TABLE meta ADD COLUMN more TEXT"),
        /the table "meta" differs from the one that this program creates/,
      ],
    ];
    for (const [name, spoil, sentence] of attempts) {
      rmSync(backup, { recursive: true, force: true });
      writeFileSync(backup, sound);
      spoil();
      await expect(restore(), name).rejects.toThrow(sentence);
      expect(readFileSync(path).equals(current), name).toBe(true);
      expect(
        names().filter((one) => one !== "backup.db"),
        name,
      ).toEqual(["state.db"]);
    }
    backup = path;
    await expect(restore()).rejects.toThrow(/is part of the state database itself/);
  });

  it("waits for a process that runs, or has the database open", async () => {
    await makeDatabase("first");
    backUp(path, backup, { force: false });
    const daemon = openStore(path);
    await daemon.acquireLease("host/7/run", now, 60_000);
    await expect(restore()).rejects.toThrow(
      /another run holds the lease \(process 7 on host, since 20\d\d-\d\d-\d\d \d\d:\d\d UTC\)/,
    );
    await daemon.releaseLease("host/7/run");
    // Between two cycles.
    await expect(restore()).rejects.toThrow(/another process has the state database .* stop the daemon/);
    await expect(restore()).rejects.toThrow(LeaseHeldError);
    // The daemon continues as if nothing had been tried.
    expect(await daemon.acquireLease("host/7/run", now, 60_000)).toEqual({ acquired: true });
    await daemon.commit({ notes: { tenantId: "daemon" } }, "private");
    await daemon.close();
    // Its lease outlives it, until it expires.
    await expect(restore()).rejects.toThrow(LeaseHeldError);
    expect(await tenantIn(path)).toBe("daemon");
    const later = { ...lease, now: now + 61_000 };
    expect(await replaceDatabase(path, prepareRestore(path, backup).temporary, later)).not.toBeNull();
    expect(await tenantIn(path)).toBe("first");
  });

  it("does not wait for a dead run's lease from before the clock was set back", async () => {
    await makeDatabase("first");
    backUp(path, backup, { force: false });
    const ahead = openStore(path);
    await ahead.acquireLease("host/7/run", now + 700 * 86_400_000, 60_000);
    await ahead.close();
    expect(await restore()).toBe(`${path}${dated}`);
  });
});

describe("a database that is set aside", () => {
  it("is kept, and the next run begins with an empty one", async () => {
    await makeDatabase("first");
    expect(isDamaged(path)).toBe(false);
    expect(await replaceDatabase(path, null, lease)).toBe(`${path}${dated}`);
    expect(isDamaged(path)).toBeNull();
    expect(names()).toEqual([`state.db${dated}`]);
    expect(await tenantIn(path)).toBeUndefined();
    expect(await tenantIn(`${path}${dated}`)).toBe("first");
  });

  it("is checked with its indexes", async () => {
    await makeDatabase("first");
    expect(inspectDatabase(path)).toMatchObject({ schema: expect.any(Number), findings: [] });
    const db = new Database(path);
    db.pragma("foreign_keys = OFF");
    db.exec("INSERT INTO retry VALUES ('nobody', 1, 1, 1, 1, 'c', 'm', NULL)");
    db.close();
    expect(inspectDatabase(path)?.findings).toEqual(["rows of retry that refer to a missing source_user: 1"]);
  });

  it("is checked with its whole schema, whatever its version, and rebuilt if that was changed", async () => {
    const folderOfMigrations = new URL("../../../../src/state/sqlite/migrations/", import.meta.url);
    const old = new Database(path);
    for (const name of readdirSync(folderOfMigrations).sort().slice(0, 7)) {
      old.exec(readFileSync(new URL(name, folderOfMigrations), "utf8"));
    }
    old.pragma("user_version = 7");
    old.exec("ANALYZE");
    old.close();
    expect(inspectDatabase(path)).toMatchObject({ schema: 7, findings: [] });
    expect(isDamaged(path)).toBe(false);
    const changed = new Database(path);
    changed.exec("CREATE TRIGGER evil AFTER INSERT ON cycle BEGIN DELETE FROM operation; END");
    changed.close();
    expect(inspectDatabase(path)).toMatchObject({
      findings: ['the trigger "evil" was not created by this program'],
      content: null,
    });
    expect(isDamaged(path)).toBe(true);
  });
});

function folderInstead(): void {
  rmSync(backup);
  mkdirSync(backup);
}

function inBackup(sql: string): void {
  const db = new Database(backup);
  db.exec(sql);
  db.close();
}
