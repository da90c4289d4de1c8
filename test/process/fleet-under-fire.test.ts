import { describe, expect, inject, it } from "vitest";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { underFire } from "./fleet-under-fire.ts";

// `npm run fleet` does the same for minutes: more jobs, workers, kills and stops, and restarts of the database.

describe.runIf(process.platform === "linux")("daemons that share jobs", () => {
  it("and are killed and stopped at random, end equal to each directory, and never write two at a time", {
    timeout: 240_000,
  }, async () => {
    await using database = await ownDatabase();
    const { faults, ...counts } = await underFire({
      program: inject("program"),
      databaseUrl: database.url,
      seed: 7,
      jobs: 3,
      workers: 2,
      people: 25,
      kills: 4,
      stops: 1,
      restarts: 0,
      pauseMs: 1_500,
      longestStopMs: 8_000,
      note: () => {},
    });
    expect(faults).toEqual([]);
    expect(counts).toMatchObject({ kills: 4, stops: 1 });
    // The comparison with the lease is worth something.
    expect(counts.compared).toBeGreaterThan(counts.writes / 2);
  });
});
