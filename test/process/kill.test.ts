import { describe, expect, it } from "vitest";
import { sqliteFile } from "./kept-state.ts";
import { killingSpree, runOnce, type Spree } from "./killing-spree.ts";

const lanes = 5;
/** `MORE_KILLS=1000 npx vitest run test/process/kill.test.ts` kills as many. */
const killsInALane = Math.ceil(Number(process.env.MORE_KILLS ?? 50) / lanes);

describe.runIf(process.platform === "linux")("a process that is killed", () => {
  it(`at ${lanes * killsInALane} random instants, with faults, loses nothing, makes no account twice and deactivates no one wrongly`, {
    timeout: 400_000 + lanes * killsInALane * 10_000,
  }, async () => {
    await runOnce();
    const sprees = await Promise.all(
      Array.from({ length: lanes }, (_, lane) => killingSpree(lane + 1, killsInALane, sqliteFile)),
    );
    const sum = (count: (spree: Spree) => number): number => sprees.reduce((all, one) => all + count(one), 0);
    expect(sum(({ killed }) => killed)).toBe(lanes * killsInALane);
    // The instants are worth something: many lie between the first write and the last.
    expect(sum(({ amidWrites }) => amidWrites)).toBeGreaterThan(lanes * killsInALane * 0.4);
    expect(sum(({ faults }) => faults)).toBeGreaterThan(lanes * killsInALane * 0.2);
  });
});
