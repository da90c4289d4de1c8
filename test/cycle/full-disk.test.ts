import { describe, expect, it } from "vitest";
import { StateError } from "../../src/domain/errors.ts";
import { openDatabase } from "../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../src/state/sqlite/store.ts";
import { createWorkplace } from "./workplace.ts";

describe("a disk that becomes full", () => {
  it("stops the cycle with a clear message at any point, and the next cycle continues without a second account", async () => {
    let stopped = 0;
    for (let more = 0; more < 40; more += 5) {
      await using place = await createWorkplace();
      for (let number = 0; number < 120; number += 1) {
        place.source.hire(`p${number}`, { jobTitle: "x".repeat(300) }, number === 0 ? null : "p0");
      }
      await place.store.close();
      const db = openDatabase(place.path);
      const pages = Number(db.pragma("page_count", { simple: true }));
      db.pragma(`max_page_count = ${pages + more}`);
      place.store = storeOn(db, place.path);

      const full = await place.cycle().then(
        () => null,
        (error: unknown) => error,
      );
      await place.restart();

      if (full !== null) {
        stopped += 1;
        expect(full).toBeInstanceOf(StateError);
        expect(String(full)).toMatch(
          /the disk of the state database .* is full \(SQLITE_FULL\): free some space/,
        );
      }
      const next = await place.cycle();
      expect(next).toMatchObject({ outcome: "done", failed: 0 });
      expect(place.target.accounts.size).toBe(120);
      expect(place.target.writes.filter(({ kind }) => kind === "create")).toHaveLength(120);
      expect(await place.store.totals()).toMatchObject({ linked: 120 });
    }
    // The fault occurred at many different places.
    expect(stopped).toBeGreaterThan(4);
  });
});
