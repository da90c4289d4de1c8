import { describe, expect, it } from "vitest";
import { parsePause, withPause } from "../../../src/cycle/health/pause.ts";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import { timeText } from "../../../src/domain/sentence.ts";
import { createWorkplace } from "../workplace.ts";

const hourMs = 3_600_000;

describe("a pause that Entra or Lattice has asked for", () => {
  it("stops every cycle until it is over, and none after it", async () => {
    await using place = await createWorkplace();
    const retryAt = place.clock.now() + hourMs;
    let runs = 0;
    const run = (error?: Error) =>
      withPause({ ...place.ports(), fence: "private" }, async () => {
        runs += 1;
        if (error !== undefined) throw error;
      });
    await expect(run(new HostUnavailableError("Lattice asked for a pause.", { retryAt }))).rejects.toThrow(
      "asked for a pause",
    );
    place.clock.advance(hourMs - 1);
    await expect(run()).rejects.toThrow(
      `Lattice asked for a pause. Nothing is read or sent before ${timeText(retryAt)}`,
    );
    expect(runs).toBe(1);
    place.clock.advance(1);
    await run();
    expect(runs).toBe(2);
  });

  it("lasts at most a day, whatever was asked for, and not for years if the clock was set back", async () => {
    await using place = await createWorkplace();
    const asked = new HostUnavailableError("A pause.", { retryAt: place.clock.now() + 1_000 * hourMs });
    await expect(withPause({ ...place.ports(), fence: "private" }, () => Promise.reject(asked))).rejects.toBe(
      asked,
    );
    const meta = await place.store.meta();
    expect(parsePause(meta, place.clock.now())?.until).toBe(place.clock.now() + 24 * hourMs);
    expect(parsePause(meta, place.clock.now() - 1)).toBeNull();
  });

  it("is not made from an outage without a time", async () => {
    await using place = await createWorkplace();
    const outage = new HostUnavailableError("Lattice cannot be reached.");
    await expect(
      withPause({ ...place.ports(), fence: "private" }, () => Promise.reject(outage)),
    ).rejects.toBe(outage);
    expect(parsePause(await place.store.meta(), place.clock.now())).toBeNull();
  });
});
