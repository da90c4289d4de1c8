import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import { openReadOnlyStore, openScratchStore, openStore } from "../../../src/state/sqlite/store.ts";
import { creation, hired, marked, noKey, settle } from "../contract/kept-rows.ts";
import { kept } from "../kept.ts";

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-state-"));
  path = join(folder, "state.db");
  return () => rmSync(folder, { recursive: true, force: true });
});

describe("a row that contradicts the others", () => {
  it("is refused in one sentence, and nothing of its commit is written", async () => {
    const store = openStore(path);
    const cycleId = await settle(store);
    const operation = {
      operation: creation("a"),
      weights: [],
      refersTo: null,
      wave: 0,
      status: "planned",
      at: 1,
      attempt: 0,
    } as const;
    const refused = store.commit(
      {
        operations: {
          add: [
            { ...operation, cycleId },
            { ...operation, cycleId: 999 },
          ],
        },
      },
      "private",
    );
    await expect(refused).rejects.toThrow(StateError);
    await expect(refused).rejects.toThrow(
      `the state database ${path} refused a row that contradicts its other rows (SQLITE_CONSTRAINT_FOREIGNKEY), and nothing of that commit was written`,
    );
    expect(await store.history({ limit: 9 })).toEqual([]);
    await store.close();
  });
});

describe("the database file", () => {
  it("is readable only by its owner", async () => {
    await openStore(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is not changed by a scratch copy", async () => {
    const store = openStore(path);
    await kept(store).people([hired("a")], 1, noKey);
    await store.close();
    const before = readFileSync(path);
    const scratch = openScratchStore(path);
    await kept(scratch).people([hired("b")], 2, noKey);
    expect(await marked(scratch)).toEqual(["a", "b"]);
    await scratch.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    const again = openReadOnlyStore(path);
    expect((await again?.totals())?.sourceUsers).toBe(1);
    await again?.close();
  });

  it("is refused in a sentence if it is not a database", () => {
    writeFileSync(path, "this is a text, not a database, and long enough to be taken for one".repeat(20));
    expect(() => openStore(path)).toThrow(StateError);
    expect(() => openStore(path)).toThrow(/damaged or not a database/);
    expect(openReadOnlyStore(join(folder, "none.db"))).toBeNull();
  });
});
