import { describe, expect, it } from "vitest";
import { runCycle } from "../../src/cycle/cycle.ts";
import type { Ports } from "../../src/cycle/ports/ports.ts";
import { InterruptedError } from "../../src/domain/errors.ts";
import { createWorkplace } from "./workplace.ts";

describe("a cycle that is stopped while it plans", () => {
  it("sends nothing, and the next cycle does everything", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const stop = new AbortController();
    const ports: Ports = {
      ...place.ports(),
      onProgress: ({ phase }) => {
        if (phase === "planning") stop.abort(new InterruptedError("stop"));
      },
    };
    const request = { dryRun: false, full: false, fence: "private" as const, signal: stop.signal };
    await expect(runCycle(ports, request)).rejects.toThrow(InterruptedError);
    // The next check of the signal would be before an operation.
    expect((await place.store.recentCycles(1))[0]).toMatchObject({ outcome: "interrupted", summary: null });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1 });
  });
});

describe("a cycle that is aborted", () => {
  it("finishes and records the writes in flight, and the next cycle continues", async () => {
    await using place = await createWorkplace({ concurrency: 2 });
    for (let number = 0; number < 10; number += 1) place.source.hire(`p${number}`);
    const abort = new AbortController();
    place.target.before = async () => {
      if (place.target.writes.length === 2) abort.abort();
      await new Promise((resolve) => setTimeout(resolve, 5));
    };

    await expect(place.cycle({ signal: abort.signal })).rejects.toThrow(InterruptedError);

    expect(place.target.accounts.size).toBe(2);
    expect(await place.store.totals()).toMatchObject({ linked: 2 });
    expect((await place.store.recentCycles(1))[0]).toMatchObject({ outcome: "interrupted", done: 2 });
    expect(await place.store.openIntents()).toEqual([]);

    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 8 });
    expect(place.target.writes).toHaveLength(10);
  });

  it("changes nothing if nothing was read yet", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    const abort = new AbortController();
    abort.abort();
    await expect(place.cycle({ signal: abort.signal })).rejects.toThrow(InterruptedError);
    expect(place.target.writes).toEqual([]);
  });
});
