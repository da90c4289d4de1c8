import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { sharersOf } from "../../../../src/cycle/planning/namesakes.ts";
import { LeaseHeldError, StateError } from "../../../../src/domain/errors.ts";
import type { StateStore } from "../../../../src/domain/state/store.ts";
import { backUp, discard, prepareRestore } from "../../../../src/state/sqlite/files/backup.ts";
import { isEmptyFile } from "../../../../src/state/sqlite/files/database.ts";
import { stateDatabase, withFileErrors } from "../../../../src/state/sqlite/files/errors.ts";
import { openReadOnlyStore, openScratchStore, openStore } from "../../../../src/state/sqlite/store.ts";
import { kept } from "../../kept.ts";

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-database-"));
  path = join(folder, "state.db");
  return () => rmSync(folder, { recursive: true, force: true });
});

const bothWaysOut =
  /is damaged or not a database .*state restore FILE.*state rebuild; the next sync then finds the links again by matching$/;

function people(count: number) {
  return Array.from({ length: count }, (_, number) => ({
    kind: "upsert" as const,
    objectId: `person-${String(number).padStart(5, "0")}`,
    attributes: { displayName: `Person ${number}`, userPrincipalName: `person-${number}@example.com` },
    complete: true,
    managerId: null,
  }));
}

async function fill(store: StateStore, count = 400): Promise<void> {
  await kept(store).people(people(count), 1, (user) => String(user.attributes.userPrincipalName));
}

async function makeDatabase(): Promise<void> {
  const store = openStore(path);
  await fill(store);
  await store.close();
}

/** Names and contents of all files next to the database, except the shared memory that reading makes. */
function files(): ReadonlyMap<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  return new Map(
    names
      .map((name): [string, string] => [name, readFileSync(join(folder, name), "base64")])
      .filter(([name, content]) => !(name.endsWith("-wal") && content === "")),
  );
}

function overwrite(at: number, length: number): void {
  const content = readFileSync(path);
  content.fill(0xa5, at, at + length);
  writeFileSync(path, content);
}

describe("a damaged database", () => {
  const pageBytes = 4096;

  it("is refused by every command that uses it, whichever page is damaged, and not changed", async () => {
    await makeDatabase();
    const sound = readFileSync(path);
    const pages = sound.length / pageBytes;
    expect(pages).toBeGreaterThan(30);
    for (let page = 0; page < pages; page += 7) {
      writeFileSync(path, sound);
      overwrite(page * pageBytes, pageBytes);
      const before = files();
      expect(() => openStore(path), `page ${page}`).toThrow(bothWaysOut);
      expect(() => openScratchStore(path), `page ${page}`).toThrow(StateError);
      expect(() => openReadOnlyStore(path, { check: true }), `page ${page}`).toThrow(StateError);
      expect(files()).toEqual(before);
    }
  });

  it("is checked once a day if the file is large, and after every run that did not end properly", async () => {
    await makeDatabase();
    const db = new Database(path);
    db.exec(
      "INSERT INTO cycle (plan_id, kind, started_at, error) SELECT 'plan', 'initial', 1, hex(zeroblob(20000000))",
    );
    db.close();
    const pages = readFileSync(path).length / pageBytes;
    overwrite((pages - 100) * pageBytes, 10 * pageBytes);
    const set = (checkedAt: number): void => {
      const edited = new Database(path);
      edited
        .prepare(
          "INSERT INTO meta (key, value) VALUES ('checkedAt', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        )
        .run(String(checkedAt));
      edited.close();
    };
    expect(() => openStore(path)).toThrow(bothWaysOut);
    set(Date.now() - 86_400_000);
    expect(() => openStore(path)).toThrow(bothWaysOut);
    set(Date.now() + 60_000);
    expect(() => openStore(path)).toThrow(bothWaysOut);
    set(Date.now() - 86_300_000);
    await openStore(path).close();
    const other = join(folder, "other.db");
    copyFileSync(path, other);
    writeFileSync(`${other}-wal`, "a run was killed");
    expect(() => openStore(other)).toThrow(StateError);
  });

  it("is noted as checked if nothing was found", async () => {
    await makeDatabase();
    const checkedAt = (): unknown => {
      const db = new Database(path);
      const row = db.prepare("SELECT value FROM meta WHERE key = 'checkedAt'").pluck().get();
      db.exec(
        "INSERT OR IGNORE INTO cycle (plan_id, kind, started_at, error) SELECT 'plan', 'initial', 1, hex(zeroblob(20000000))",
      );
      db.close();
      return row;
    };
    await openStore(path).close();
    expect(checkedAt()).toBeUndefined();
    const before = Date.now();
    await openStore(path).close();
    expect(Number(checkedAt())).toBeGreaterThanOrEqual(before);
  });

  it("is detected if the file was cut short", async () => {
    await makeDatabase();
    truncateSync(path, Math.floor(readFileSync(path).length / 2));
    expect(() => openStore(path)).toThrow(bothWaysOut);
  });

  it("keeps the log of a run that was killed", async () => {
    await makeDatabase();
    const running = openStore(path);
    await fill(running, 500);
    const wal = readFileSync(`${path}-wal`);
    const other = join(folder, "other.db");
    copyFileSync(path, other);
    writeFileSync(`${other}-wal`, wal);
    await running.close();
    truncateSync(other, 20_000);
    expect(() => openStore(other)).toThrow(StateError);
    expect(readFileSync(`${other}-wal`).equals(wal)).toBe(true);
  });

  it("is reported in the same sentence if a run meets the damage later", async () => {
    await makeDatabase();
    const store = openStore(path);
    for (let page = 8; page < readFileSync(path).length / pageBytes; page += 1) {
      overwrite(page * pageBytes, pageBytes);
    }
    const everybody = { select: "everybody", everyoneInScope: true, after: "", limit: 1_000 } as const;
    await expect(store.candidates(everybody)).rejects.toThrow(bothWaysOut);
    await expect(fill(store, 500)).rejects.toThrow(StateError);
    await store.close();
  });

  it("is detected in a record that differs from what was written", async () => {
    await makeDatabase();
    const db = new Database(path);
    db.exec(`UPDATE source_user SET attributes = '{"displayName' WHERE object_id = 'person-00007'`);
    db.close();
    const store = openStore(path);
    await expect(store.findSource("person-00007")).rejects.toThrow(bothWaysOut);
    await expect(sharersOf(store, ["person-7@example.com"], true)).rejects.toThrow(bothWaysOut);
    await store.close();
  });
});

describe("a file that lost its content", () => {
  it("is a new database if nothing else is left", async () => {
    writeFileSync(path, "");
    expect(isEmptyFile(path)).toBe(true);
    expect(openReadOnlyStore(path)).toBeNull();
    const store = openStore(path);
    expect(isEmptyFile(path)).toBe(false);
    expect((await store.totals()).sourceUsers).toBe(0);
    await store.close();
  });

  it("is damage if its log is left, which is not deleted", async () => {
    await makeDatabase();
    const running = openStore(path);
    await fill(running, 500);
    const wal = readFileSync(`${path}-wal`);
    await running.close();
    truncateSync(path, 0);
    writeFileSync(`${path}-wal`, wal);
    expect(() => openStore(path)).toThrow(bothWaysOut);
    expect(() => openReadOnlyStore(path)).toThrow(bothWaysOut);
    expect(readFileSync(`${path}-wal`).equals(wal)).toBe(true);
  });

  it("is a new database if the file is gone, whatever log it left", async () => {
    await makeDatabase();
    const running = openStore(path);
    await fill(running, 500);
    const wal = readFileSync(`${path}-wal`);
    await running.close();
    rmSync(path);
    writeFileSync(`${path}-wal`, wal);
    const store = openStore(path);
    expect((await store.totals()).sourceUsers).toBe(0);
    await fill(store, 10);
    await store.close();
    expect(() => openStore(path).close()).not.toThrow();
  });
});

describe("a file that is not a state database", () => {
  it("is refused as another program's, and not changed", () => {
    const db = new Database(path);
    db.exec("CREATE TABLE invoice (number INTEGER)");
    db.close();
    const before = files();
    for (const open of [openStore, openScratchStore, openReadOnlyStore]) {
      expect(() => open(path)).toThrow(/is the database of another program: set state\.path/);
    }
    expect(files()).toEqual(before);
  });

  it("is refused as a newer version's, and not changed", async () => {
    await makeDatabase();
    const db = new Database(path);
    db.pragma("user_version = 900");
    db.close();
    const before = files();
    expect(() => openStore(path)).toThrow(/schema 900, created by a newer version/);
    expect(files()).toEqual(before);
  });

  it("is refused as a folder or a device", () => {
    mkdirSync(path);
    expect(() => openStore(path)).toThrow(/state\.db is not a file \(a folder\): set state\.path/);
    expect(() => openStore("/dev/null")).toThrow(/\/dev\/null is not a file/);
    expect(() => openStore(join(path, "..", "file.txt", "x.db"))).not.toThrow();
    writeFileSync(join(folder, "file"), "");
    expect(() => openStore(join(folder, "file", "x.db"))).toThrow(/is not a file \(E[A-Z]+\)/);
    expect(() => openStore("/proc/azure-lattice-sync/x.db")).toThrow(/cannot be written \(ENOENT\)/);
  });
});

describe("a database whose tables were changed by hand", () => {
  it.each([
    ["run", () => openStore(path)],
    ["dry run", () => openScratchStore(path)],
    ["command that reads", () => openReadOnlyStore(path)],
  ])(
    "is refused by a %s before anything is done, also if only the record of an outcome needs what is missing",
    async (_, open) => {
      await makeDatabase();
      const db = new Database(path);
      db.exec("ALTER TABLE operation DROP COLUMN request_id");
      db.close();
      expect(open).toThrow(
        /was modified outside this program \((no such column: request_id|table operation has no column named request_id)\): restore a backup with/,
      );
    },
  );
});

describe("the log of a database that is gone", () => {
  it("is not applied to the new database in its place", async () => {
    await makeDatabase();
    const running = openStore(path);
    await fill(running, 500);
    const wal = readFileSync(`${path}-wal`);
    await running.close();
    rmSync(path);
    writeFileSync(`${path}-wal`, wal);
    writeFileSync(`${path}-journal`, "left by a backup program");
    const store = openStore(path);
    expect((await store.totals()).sourceUsers).toBe(0);
    await store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

/** A database of the first version, with the lease held by `owner` until `expiresAt`. */
function makeOldDatabase(owner: string, expiresAt: number): void {
  const db = new Database(path);
  db.exec(
    readFileSync(new URL("../../../../src/state/sqlite/migrations/001-initial.sql", import.meta.url), "utf8"),
  );
  db.pragma("user_version = 1");
  db.prepare("INSERT INTO lease (name, owner, acquired_at, expires_at) VALUES ('cycle', ?, 1, ?)").run(
    owner,
    expiresAt,
  );
  db.close();
}

describe("a database of an older version under the lease of a run", () => {
  it("is not migrated until the run has ended, and is not changed", async () => {
    makeOldDatabase("other-host/7/x/", Date.now() + 60_000);
    expect(() => openStore(path)).toThrow(
      /must be upgraded for this version, but a run of an older version holds its lease \(process 7 on other-host\)/,
    );
    expect(() => openStore(path)).toThrow(LeaseHeldError);
    const db = new Database(path, { readonly: true });
    expect(db.pragma("user_version", { simple: true })).toBe(1);
    db.close();
    // A dry run plans on a migrated copy nevertheless.
    await openScratchStore(path).close();
  });

  it("is migrated once the lease has expired, its process has ended, or the clock was set back since", async () => {
    for (const [expiresAt, ended] of [
      [Date.now() - 1, false],
      [Date.now() + 60_000, true],
      [Date.now() + 365 * 86_400_000, false],
    ] as const) {
      rmSync(path, { force: true });
      makeOldDatabase("other-host/7/x/", expiresAt);
      const store = openStore(path, { hasEnded: ({ owner }) => ended && owner === "other-host/7/x/" });
      expect((await store.totals()).sourceUsers).toBe(0);
      await store.close();
    }
  });
});

describe("a database that a newer version migrates while it is open", () => {
  it("is not leased, renewed or written to by the older one, which reports it", async () => {
    const store = openStore(path);
    expect(await store.acquireLease("me", 1, 60_000)).toEqual({ acquired: true });
    const newer = new Database(path);
    newer.pragma("user_version = 900");
    newer.close();
    const sentence = /was upgraded by a newer version .* while this one was running\. This one stops/;
    await expect(store.acquireLease("me", 1, 60_000)).rejects.toThrow(sentence);
    await expect(store.renewLease("me", 1, 60_000)).rejects.toThrow(sentence);
    await expect(kept(store).beginning([], 1)).rejects.toThrow(sentence);
    await store.close();
  });
});

describe("a database of an older version", () => {
  it("is read by status before a sync has migrated it, and is not changed", async () => {
    const db = new Database(path);
    db.exec(
      readFileSync(
        new URL("../../../../src/state/sqlite/migrations/001-initial.sql", import.meta.url),
        "utf8",
      ),
    );
    db.pragma("user_version = 1");
    db.exec(
      `INSERT INTO source_user (object_id, attributes, presence, read_in) VALUES ('a', '{}', 'present', 1)`,
    );
    db.close();
    const before = files();
    const store = openReadOnlyStore(path);
    expect((await store?.totals())?.sourceUsers).toBe(1);
    expect(await store?.linkOf("a")).toBeNull();
    await store?.close();
    expect(files()).toEqual(before);
  });
});

it("says of a database that cannot be inspected what is wrong with its location", () => {
  symlinkSync("round.db", join(folder, "round.db"));
  expect(() => isEmptyFile(join(folder, "round.db"))).toThrow(StateError);
});

describe("a database whose file is moved away", () => {
  it("gives no lease any more, so that no run writes to Lattice at the same time as one on the new file", async () => {
    const store = openStore(path);
    expect(await store.acquireLease("one", 0, 100)).toEqual({ acquired: true });
    renameSync(path, join(folder, "elsewhere.db"));
    await expect(store.renewLease("one", 10, 100)).rejects.toThrow(/moved or replaced.*restart this process/);
    const other = openStore(path);
    expect(await other.acquireLease("two", 10, 100)).toEqual({ acquired: true });
    await expect(store.acquireLease("one", 200, 100)).rejects.toThrow(StateError);
    await other.close();
    await store.close();
    expect(existsSync(path)).toBe(true);
    await openStore(path).close();
  });
});

describe.runIf(process.getuid?.() === 0)("a database that root makes for a service", () => {
  const service = 10_001;
  const ownerOf = (file: string): number => statSync(file).uid;

  it("belongs to the user of the service, who owns the folder, with its log", async () => {
    chownSync(folder, service, service);
    const store = openStore(path);
    await fill(store, 3);
    expect(ownerOf(path)).toBe(service);
    expect(ownerOf(`${path}-wal`)).toBe(service);
    await store.close();
  });

  it("belongs to the owner of the one that it replaces", async () => {
    await makeDatabase();
    chownSync(path, service, service);
    const backup = join(folder, "backup.db");
    backUp(path, backup, { force: false });
    expect(ownerOf(backup)).toBe(0);
    const prepared = prepareRestore(path, backup);
    expect(ownerOf(prepared.temporary)).toBe(service);
    discard(prepared);
  });
});

it("is reported as unusable on a machine for which SQLite has no binary", () => {
  const binary = join(folder, "better_sqlite3.node");
  writeFileSync(binary, "for another machine");
  expect(() => withFileErrors(stateDatabase(path), () => createRequire(import.meta.url)(binary))).toThrow(
    /^SQLite cannot be loaded on this machine \(ERR_DLOPEN_FAILED; .*use the container image$/,
  );
});
