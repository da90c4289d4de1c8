import { describe, expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

const ends = {
  lattice: { path: "/Users", name: "Lattice" },
  entra: { path: "/users", name: "Microsoft" },
} as const;

describe("a Retry-After of an hour", () => {
  it.each(["lattice", "entra"] as const)(
    "from %s is kept: the next run sends no request to either end, says until when, and the run after it continues",
    async (end) => {
      await using sandbox = await openSandbox();
      using place = makeWorkplace();
      const config = place.configure(configuration({ sandbox, statePath: place.statePath }));
      const { path, name } = ends[end];
      sandbox.onRequest = (request) =>
        request.host === end && request.path.toLowerCase().includes(path.toLowerCase())
          ? { status: 429, headers: { "Retry-After": "3600" }, body: {} }
          : undefined;
      const first = await place.start(["sync", "--config", config]).ended;
      expect([first.code, first.stderr]).toEqual([
        1,
        expect.stringContaining(`${name} asked for a pause of 60 minutes`),
      ]);

      sandbox.onRequest = undefined;
      sandbox.requests.clear();
      const second = await place.start(["sync", "--config", config]).ended;
      expect([second.code, second.stderr]).toEqual([
        1,
        expect.stringContaining("Nothing is read or sent before"),
      ]);
      expect([...sandbox.requests]).toEqual([]);
      const status = await place.start(["status", "--config", config, "--format", "json"]).ended;
      const { askedPause, nextDueAt, quarantine } = JSON.parse(status.stdout);
      expect(askedPause.reason).toContain(name);
      expect(Date.parse(askedPause.until) - Date.now()).toBeGreaterThan(50 * 60_000);
      expect(Date.parse(nextDueAt)).toBeGreaterThanOrEqual(Date.parse(askedPause.until));
      expect(quarantine).toBeNull();
    },
    60_000,
  );
});

async function openSandbox() {
  const sandbox = await startSandbox({ file: ":memory:", people: 20 });
  return Object.assign(sandbox, { [Symbol.asyncDispose]: () => sandbox.close() });
}
