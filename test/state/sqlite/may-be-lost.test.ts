import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { LeaseHeldError } from "../../../src/domain/errors.ts";
import { type Connection, openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../../src/state/sqlite/store.ts";

// The answers of `PRAGMA synchronous`.
const off = 0;
const normal = 1;
const full = 2;

describe("a commit that may be lost", () => {
  let db: Connection;

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), "als-lost-"));
    const path = join(folder, "state.db");
    db = openDatabase(path);
    return () => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    };
  });

  /** How each note was written. */
  function watched(): () => unknown[] {
    db.exec(`CREATE TEMP TABLE seen (key TEXT, synchronous INTEGER);
      CREATE TEMP TRIGGER watch AFTER INSERT ON main.meta BEGIN
        INSERT INTO seen SELECT NEW.key, synchronous FROM pragma_synchronous;
      END`);
    return () => db.prepare("SELECT * FROM seen").raw().all();
  }

  it("does not wait for the disk, and the next commit does", async () => {
    const store = storeOn(db, "state.db");
    const seen = watched();
    await store.commit({ notes: { watermark: "1" }, mayBeLost: true }, "private");
    await store.commit({ notes: { tenantId: "2" } }, "private");
    expect(seen()).toEqual([
      ["watermark", normal],
      ["tenantId", full],
    ]);
  });

  it("does not keep the next one from waiting if it fails", async () => {
    const store = storeOn(db, "state.db");
    const lost = { notes: { watermark: "1" }, mayBeLost: true } as const;
    await expect(store.commit(lost, { owner: "another" })).rejects.toThrow(LeaseHeldError);
    expect(db.pragma("synchronous", { simple: true })).toBe(full);
  });

  it("leaves a copy as it is that never waits", async () => {
    db.pragma("synchronous = OFF");
    const store = storeOn(db, "state.db");
    await store.commit({ notes: { watermark: "1" }, mayBeLost: true }, "private");
    expect(db.pragma("synchronous", { simple: true })).toBe(off);
  });
});

it("only pages that are read or planned again may be lost, in three files", () => {
  const files = globSync("src/**/*.ts").filter((file) => /mayBeLost: true/.test(readFileSync(file, "utf8")));
  expect(files.sort()).toEqual([
    "src/cycle/planning/plan.ts",
    "src/cycle/reading/keep-accounts.ts",
    "src/cycle/reading/keep-people.ts",
  ]);
});
