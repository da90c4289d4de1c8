import { describe, expect, it } from "vitest";
import { postgresDatabase } from "./kept-state.ts";
import { killingSpree, runOnce } from "./killing-spree.ts";

const lanes = 2;
/** `MORE_KILLS=200 npx vitest run test/process/kill-postgres.test.ts` kills as many. */
const kills = Number(process.env.MORE_KILLS ?? 6);

describe.runIf(process.platform === "linux")("a process whose state is in PostgreSQL", () => {
  it(`loses nothing, makes no account twice and deactivates no one wrongly if it is killed at ${kills} random instants, with faults`, {
    timeout: 400_000 + kills * 10_000,
  }, async () => {
    await runOnce();
    const sprees = await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        killingSpree(100 + lane, Math.ceil(kills / lanes), postgresDatabase),
      ),
    );
    const sum = (count: (spree: (typeof sprees)[number]) => number): number =>
      sprees.reduce((all, one) => all + count(one), 0);
    expect(sum(({ killed }) => killed)).toBeGreaterThanOrEqual(kills);
    // The instant is picked by requests, most of them writes; a busy machine shifts some.
    expect(sum(({ amidWrites }) => amidWrites)).toBeGreaterThan(kills * 0.2);
  });
});
